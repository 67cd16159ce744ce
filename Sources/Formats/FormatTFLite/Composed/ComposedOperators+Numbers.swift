import AssayBase
import AssayGraph
import AssayTensor

/// Functions of numbers.
extension ComposedOperators {
  static let numbers: [BuiltinOperator: Reader] = [
    "BUCKETIZE": { try bucketize($0, &$1) },
    "FAKE_QUANT": { try fakeQuantize($0, &$1) },
    "L2_POOL_2D": { try l2Pool($0, &$1) },
    "SVDF": { try svdf($0, &$1) },
  ]

  /// A number as a Constant.
  static func number(_ value: Float, _ importer: inout TFLiteImporter) -> ValueID {
    importer.addConstant("number", Tensor([value], []))
  }

  /// How many of the boundaries are not above an element.
  private static func bucketize(_ op: ImportedOperator, _ importer: inout TFLiteImporter) throws {
    var x = try importer.input(0, of: op)
    let bounds = try op.options.floats(0)
    let shape = importer.type(x).shape
    if importer.type(x).dtype != .float32 {
      x = try importer.intermediate(
        Cast(.float32),
        [x],
        op,
        like: TensorType(.float32, shape)
      )
    }
    x = try importer.intermediate(Reshape(shape.dims + [1]), [x], op)
    let limits = importer.addConstant("boundaries", Tensor(bounds, [bounds.count]))
    let passed = try importer.intermediate(Binary(.greaterEqual), [x, limits], op)
    let ones = try importer.intermediate(
      Cast(.int32),
      [passed],
      op,
      like: TensorType(.int32, shape)
    )
    try importer.add(Reduce(.sum, axes: [-1], keepsAxes: false), [ones], op)
  }

  /// Floats rounded to the levels that integers of some bits would have.
  private static func fakeQuantize(_ op: ImportedOperator, _ importer: inout TFLiteImporter) throws
  {
    guard let x = try floatInput(op, &importer) else { return }
    let (low, high) = (try op.options.float(0), try op.options.float(1))
    let bits = try op.options.int(2)
    guard low < high, (2...16).contains(bits) else {
      throw fault("\(bits) bits from \(low) to \(high)")
    }
    let first: Float = try op.options.bool(3) ? 1 : 0
    let last = Float((1 << bits) - 1)
    let scale = (high - low) / (last - first)
    // The level that stands for zero exactly.
    let zero = min(max((first - low / scale).rounded(.toNearestOrAwayFromZero), first), last)
    let least = importer.addConstant("least", Tensor([(first - zero) * scale], []))
    let most = importer.addConstant("most", Tensor([(last - zero) * scale], []))
    var y = try importer.intermediate(Binary(.maximum), [x, least], op)
    y = try importer.intermediate(Binary(.minimum), [y, most], op)
    y = try importer.intermediate(Binary(.subtract), [y, least], op)
    y = try importer.intermediate(Binary(.multiply), [y, number(1 / scale, &importer)], op)
    y = try importer.intermediate(Binary(.add), [y, number(0.5, &importer)], op)
    y = try importer.intermediate(Unary(.floor), [y], op)
    y = try importer.intermediate(Binary(.multiply), [y, number(scale, &importer)], op)
    try importer.add(Binary(.add), [y, least], op)
  }

  /// The root of the mean square over windows.
  private static func l2Pool(_ op: ImportedOperator, _ importer: inout TFLiteImporter) throws {
    guard let x = try floatInput(op, &importer) else { return }
    let squares = try importer.intermediate(Unary(.square), [x], op)
    let pool = Pool2D(
      .average,
      window: Size2D(try op.options.int(4), try op.options.int(3)),
      strides: Size2D(try op.options.int(2), try op.options.int(1)),
      padding: try op.options.padding(0)
    )
    let means = try importer.intermediate(pool, [squares], op)
    try importer.add(Unary(.sqrt), [means], op, then: op.options.activation(5))
  }

  /// A dense layer whose results of several steps are weighed: a run of the network is one step, and
  /// what it keeps begins with zeros, so that only the newest result has a weight.
  private static func svdf(_ op: ImportedOperator, _ importer: inout TFLiteImporter) throws {
    guard let x = try floatInput(op, &importer) else { return }
    let (features, time) = (try importer.input(1, of: op), try importer.input(2, of: op))
    let rank = try op.options.int(0)
    guard let weights = importer.constant(time), weights.dtype == .float32,
      importer.type(features).dtype == .float32, weights.shape.rank == 2, rank > 0,
      weights.shape[0] % rank == 0, weights.shape[1] > 0
    else {
      return try importer.addOpaque(op, because: "its weights are integers or computed")
    }
    importer.noteState(op)
    let (filters, memory) = (weights.shape[0], weights.shape[1])
    let elements = weights.elements(as: Float.self)
    let newest = (0..<filters).map { elements[$0 * memory + memory - 1] }
    var y = try importer.intermediate(FullyConnected(), [x, features], op)
    let batch = importer.type(y).shape[0]
    let factors = importer.addConstant("newest", Tensor(newest, [filters]))
    y = try importer.intermediate(Binary(.multiply), [y, factors], op)
    y = try importer.intermediate(Reshape([batch, filters / rank, rank]), [y], op)
    let activation = try op.options.activation(1)
    guard let bias = try importer.optionalInput(3, of: op) else {
      let sum = Reduce(.sum, axes: [-1], keepsAxes: false)
      return try importer.add(sum, [y], op, then: activation)
    }
    y = try importer.intermediate(Reduce(.sum, axes: [-1], keepsAxes: false), [y], op)
    try importer.add(
      Binary(.add, activation: activation.activation ?? .none),
      [y, bias],
      op,
      then: activation.activation == nil ? activation : .none
    )
  }
}

extension TFLiteImporter {
  /// Warns that an operator keeps a state from one run to the next, which a Graph has not.
  mutating func noteState(_ op: ImportedOperator) {
    let summary = "\(op.name) keeps a state from one run of the file to the next"
    guard !diagnostics.contains(where: { $0.summary == summary }) else { return }
    diagnostics.append(
      Diagnostic(
        "TFL027",
        summary,
        remedy: "here every run begins with a state of zeros, as the first run of the file does",
        severity: .warning
      )
    )
  }
}
