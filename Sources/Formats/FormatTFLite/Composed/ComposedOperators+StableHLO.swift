import AssayBase
import AssayCodec
import AssayGraph
import AssayTensor

/// Operators of StableHLO that a file may hold: those that have a plain counterpart.
extension ComposedOperators {
  static let stable: [BuiltinOperator: Reader] = {
    var all: [BuiltinOperator: Reader] = [
      "STABLEHLO_RESHAPE": { try stableReshape($0, &$1) },
      "STABLEHLO_CLAMP": { try clamp($0, &$1) },
      "STABLEHLO_CONCATENATE": { op, importer in
        let axis = try op.secondOptions.long(0)
        try importer.add(Concat(axis: axis), try importer.inputs(op), op)
      },
      "STABLEHLO_BROADCAST_IN_DIM": { try broadcastInDim($0, &$1) },
      "STABLEHLO_SLICE": { try stableSlice($0, &$1) },
      "STABLEHLO_DYNAMIC_SLICE": { try dynamicSlice($0, &$1) },
      "STABLEHLO_DYNAMIC_UPDATE_SLICE": { try updateSlice($0, &$1) },
      "STABLEHLO_PAD": { try stablePad($0, &$1) },
      "STABLEHLO_IOTA": { try iota($0, &$1) },
      "STABLEHLO_COMPARE": { try compare($0, &$1) },
      "STABLEHLO_CONVERT": { op, importer in
        let type = try importer.declaredType(0, of: op)
        try importer.add(Cast(type.dtype), [try importer.input(0, of: op)], op)
      },
      "STABLEHLO_SELECT": { op, importer in
        try importer.add(Select(), try importer.inputs(op), op)
      },
      "STABLEHLO_TRANSPOSE": { op, importer in
        let order = try op.secondOptions.longs(0)
        try importer.add(Transpose(order), [try importer.input(0, of: op)], op)
      },
      "STABLEHLO_DOT_GENERAL": { try dotGeneral($0, &$1) },
      "STABLEHLO_CONVOLUTION": { try stableConvolution($0, &$1) },
      "STABLEHLO_REDUCE": { try stableReduce($0, &$1) },
      "STABLEHLO_REDUCE_WINDOW": { try reduceWindow($0, &$1) },
    ]
    let unary: [BuiltinOperator: Unary.Kind] = [
      "STABLEHLO_LOGISTIC": .sigmoid, "STABLEHLO_ABS": .abs, "STABLEHLO_COSINE": .cos,
      "STABLEHLO_EXPONENTIAL": .exp, "STABLEHLO_FLOOR": .floor, "STABLEHLO_LOG": .log,
      "STABLEHLO_NEGATE": .negative, "STABLEHLO_RSQRT": .rsqrt, "STABLEHLO_TANH": .tanh,
    ]
    for (builtin, kind) in unary {
      all[builtin] = { op, importer in
        try importer.add(Unary(kind), [try importer.input(0, of: op)], op)
      }
    }
    let binary: [BuiltinOperator: Binary.Kind] = [
      "STABLEHLO_ADD": .add, "STABLEHLO_DIVIDE": .divide, "STABLEHLO_MULTIPLY": .multiply,
      "STABLEHLO_MAXIMUM": .maximum, "STABLEHLO_MINIMUM": .minimum, "STABLEHLO_POWER": .power,
      "STABLEHLO_SUBTRACT": .subtract, "STABLEHLO_REMAINDER": .truncatedModulo,
    ]
    for (builtin, kind) in binary {
      all[builtin] = { op, importer in try importer.add(Binary(kind), try importer.inputs(op), op) }
    }
    all["STABLEHLO_CBRT"] = { op, importer in
      let x = try importer.input(0, of: op)
      let size = try importer.intermediate(Unary(.abs), [x], op)
      let third = number(1 / 3, &importer)
      let root = try importer.intermediate(Binary(.power), [size, third], op)
      let sign = try importer.intermediate(Unary(.sign), [x], op)
      try importer.add(Binary(.multiply), [sign, root], op)
    }
    all["STABLEHLO_AND"] = { try logical(.logicalAnd, $0, &$1) }
    all["STABLEHLO_OR"] = { try logical(.logicalOr, $0, &$1) }
    return all
  }()

  /// A function of truth values; of integers it would work on bits.
  private static func logical(
    _ kind: Binary.Kind,
    _ op: ImportedOperator,
    _ importer: inout TFLiteImporter
  ) throws {
    let inputs = try importer.inputs(op)
    guard inputs.allSatisfy({ importer.type($0).dtype == .bool }) else {
      return try importer.addOpaque(op, because: "it works on the bits of integers")
    }
    try importer.add(Binary(kind), inputs, op)
  }

  private static func stableReshape(
    _ op: ImportedOperator,
    _ importer: inout TFLiteImporter
  ) throws {
    let dims = try importer.declaredType(0, of: op).shape.dims
    try importer.add(Reshape(dims), [try importer.input(0, of: op)], op)
  }

  private static func clamp(_ op: ImportedOperator, _ importer: inout TFLiteImporter) throws {
    let inputs = try importer.inputs(op)
    guard inputs.count == 3 else { throw Diagnostic("TFL012", "it takes three inputs") }
    let bounded = try importer.intermediate(Binary(.maximum), [inputs[1], inputs[0]], op)
    try importer.add(Binary(.minimum), [bounded, inputs[2]], op)
  }

  private static func broadcastInDim(
    _ op: ImportedOperator,
    _ importer: inout TFLiteImporter
  ) throws {
    let x = try importer.input(0, of: op)
    let axes = try op.secondOptions.longs(0)
    let (type, target) = (importer.type(x), try importer.declaredType(0, of: op).shape.dims)
    guard axes.count == type.shape.rank, axes == axes.sorted(),
      axes.allSatisfy({ target.indices.contains($0) }), Set(axes).count == axes.count
    else { throw fault("axes \(axes) of \(type.shape) as \(Shape(target))") }
    var dims = target.map { _ in 1 }
    for (axis, place) in axes.enumerated() { dims[place] = type.shape.dims[axis] }
    let aligned = try importer.intermediate(Reshape(dims), [x], op, like: type)
    try broadcast(aligned, to: target, op, &importer)
  }

  private static func stableSlice(_ op: ImportedOperator, _ importer: inout TFLiteImporter) throws {
    let (start, limit) = (try op.secondOptions.longs(0), try op.secondOptions.longs(1))
    let steps = try op.secondOptions.longs(2)
    guard start.count == limit.count, steps.count == start.count,
      steps.allSatisfy({ $0 > 0 && $0 < 1 << 40 }),
      zip(start, limit).allSatisfy({ $0 >= 0 && $1 >= $0 && $1 < 1 << 40 })
    else { throw fault("from \(start) to \(limit) by \(steps)") }
    let sizes = start.indices.map { (limit[$0] - start[$0] + steps[$0] - 1) / steps[$0] }
    let slice = Slice(begin: start, sizes: sizes, steps: steps)
    try importer.add(slice, [try importer.input(0, of: op)], op)
  }

  private static func dynamicSlice(_ op: ImportedOperator, _ importer: inout TFLiteImporter) throws
  {
    let x = try importer.input(0, of: op)
    let (shape, sizes) = (importer.type(x).shape, try op.secondOptions.longs(0))
    let start = try op.record.inputs.indices.dropFirst().flatMap {
      try importer.integers($0, of: op)
    }
    guard start.count == shape.rank, sizes.count == shape.rank,
      zip(sizes, shape.dims).allSatisfy({ $0 >= 0 && $0 <= $1 })
    else { throw fault("\(sizes) of \(shape)") }
    let begin = start.indices.map { min(max(start[$0], 0), shape.dims[$0] - sizes[$0]) }
    try importer.add(Slice(begin: begin, sizes: sizes), [x], op)
  }

  /// Padding at both ends, which may also cut off, and between elements.
  private static func stablePad(_ op: ImportedOperator, _ importer: inout TFLiteImporter) throws {
    var x = try importer.input(0, of: op)
    guard let value = try importer.elements(1, of: op).floats().first else {
      throw fault("the padding value is missing")
    }
    let type = importer.type(x)
    let (low, high) = (try op.secondOptions.longs(0), try op.secondOptions.longs(1))
    let between = try op.secondOptions.longs(2)
    guard [low.count, high.count, between.count].allSatisfy({ $0 == type.shape.rank }),
      (low + high).allSatisfy({ $0.magnitude < 1 << 30 }),
      between.allSatisfy({ $0 >= 0 && $0 < 1 << 16 })
    else { throw fault("padding \(low), \(high), \(between) of \(type.shape)") }
    x = try interspersed(x, by: between, value: value, op, &importer)
    if (low + high).contains(where: { $0 < 0 }) {
      let dims = importer.type(x).shape.dims
      let begin = low.map { max(-$0, 0) }
      let sizes = dims.indices.map { dims[$0] - begin[$0] - max(-high[$0], 0) }
      x = try importer.intermediate(Slice(begin: begin, sizes: sizes), [x], op, like: type)
    }
    let pad = Pad(before: low.map { max($0, 0) }, after: high.map { max($0, 0) }, value: value)
    try importer.add(pad, [x], op)
  }

  private static func iota(_ op: ImportedOperator, _ importer: inout TFLiteImporter) throws {
    let type = try importer.declaredType(0, of: op)
    let axis = try op.secondOptions.long(0)
    guard type.shape.dims.indices.contains(axis), type.shape.count <= 1 << 24 else {
      throw fault("axis \(axis) of \(type.shape)")
    }
    let (step, extent) = (type.shape.strides[axis], type.shape.dims[axis])
    let values = (0..<type.shape.count).map { Int64($0 / step % extent) }
    let tensor = Tensor(values, type.shape, dtype: .int64)
    guard let typed = tensor.converted(to: type.dtype) else { throw fault("numbers \(type)") }
    try bindConstant(typed, op, &importer)
  }

  private static func compare(_ op: ImportedOperator, _ importer: inout TFLiteImporter) throws {
    let kinds: [Binary.Kind] = [.equal, .notEqual, .greaterEqual, .greater, .lessEqual, .less]
    let number = try op.secondOptions.int(0)
    guard kinds.indices.contains(number) else { throw fault("comparison \(number)") }
    try importer.add(Binary(kinds[number]), try importer.inputs(op), op)
  }

  /// Sums of products over some axes, as a product of matrices.
  private static func dotGeneral(_ op: ImportedOperator, _ importer: inout TFLiteImporter) throws {
    let options = op.secondOptions
    let (batchA, batchB) = (try options.longs(0), try options.longs(1))
    let (sumA, sumB) = (try options.longs(2), try options.longs(3))
    let (a, b) = (try importer.input(0, of: op), try importer.input(1, of: op))
    func matrices(
      _ x: ValueID,
      _ batch: [Int],
      _ sum: [Int],
      sumsLast: Bool
    ) throws -> (value: ValueID, batch: [Int], free: [Int]) {
      let type = importer.type(x)
      let dims = type.shape.dims
      guard (batch + sum).allSatisfy({ dims.indices.contains($0) }),
        Set(batch + sum).count == batch.count + sum.count, type.shape.isStatic
      else { throw fault("axes \(batch) and \(sum) of \(type.shape)") }
      let free = dims.indices.filter { !(batch + sum).contains($0) }
      let order = batch + (sumsLast ? free + sum : sum + free)
      let moved = try importer.intermediate(Transpose(order), [x], op, like: type)
      let rows = free.reduce(1) { $0 &* dims[$1] }
      let terms = sum.reduce(1) { $0 &* dims[$1] }
      let shape = batch.map { dims[$0] } + (sumsLast ? [rows, terms] : [terms, rows])
      let value = try importer.intermediate(Reshape(shape), [moved], op, like: type)
      return (value, batch.map { dims[$0] }, free.map { dims[$0] })
    }
    let left = try matrices(a, batchA, sumA, sumsLast: true)
    let right = try matrices(b, batchB, sumB, sumsLast: false)
    guard left.batch == right.batch else { throw fault("\(left.batch) and \(right.batch)") }
    let product = try importer.intermediate(
      MatMul(),
      [left.value, right.value],
      op,
      like: try importer.declaredType(0, of: op)
    )
    try importer.add(Reshape(left.batch + left.free + right.free), [product], op)
  }

  /// A convolution of images, whatever the order of its axes.
  private static func stableConvolution(
    _ op: ImportedOperator,
    _ importer: inout TFLiteImporter
  ) throws {
    let options = op.secondOptions
    let (image, filter) = (try importer.input(0, of: op), try importer.input(1, of: op))
    let strides = try options.longs(0)
    let padding = try options.longs(1)
    let (between, dilations) = (try options.longs(2), try options.longs(3))
    let isReversed = try options.table?.vector(4, of: UInt8.self)?.contains { $0 != 0 } ?? false
    let spatial = try options.longs(7)
    let window = try options.longs(10)
    let results = try options.longs(13)
    let types = (importer.type(image), importer.type(filter))
    guard spatial.count == 2, window.count == 2, results.count == 2, strides.count == 2,
      padding.count == 4, between.allSatisfy({ $0 == 1 }), dilations.count == 2, !isReversed,
      try options.long(15) <= 1, types.0.shape.rank == 4, types.1.shape.rank == 4
    else {
      return try importer.addOpaque(op, because: "only convolutions of two axes are computed")
    }
    let imageOrder = [try options.long(5)] + spatial + [try options.long(6)]
    let filterOrder = [try options.long(9)] + window + [try options.long(8)]
    let resultOrder = [try options.long(11)] + results + [try options.long(12)]
    let x = try importer.intermediate(Transpose(imageOrder), [image], op, like: types.0)
    let w = try importer.intermediate(Transpose(filterOrder), [filter], op, like: types.1)
    let conv = Conv2D(
      strides: Size2D(strides[0], strides[1]),
      dilations: Size2D(dilations[0], dilations[1]),
      padding: .explicit(
        top: padding[0],
        bottom: padding[1],
        left: padding[2],
        right: padding[3]
      )
    )
    let y = try importer.intermediate(conv, [x, w], op)
    // Axis i of the result stands where the order of the result's axes has i.
    let back = (0..<4).map { axis in resultOrder.firstIndex(of: axis) ?? 0 }
    try importer.add(Transpose(back), [y], op)
  }

  /// The one function that a subgraph of two numbers computes; `nil` for anything else.
  static func function(_ index: Int, _ importer: TFLiteImporter) -> BuiltinOperator? {
    guard importer.model.subgraphs.indices.contains(index) else { return nil }
    let subgraph = importer.model.subgraphs[index]
    guard subgraph.operators.count == 1, subgraph.inputs.count == 2,
      subgraph.operators[0].outputs == subgraph.outputs,
      Set(subgraph.operators[0].inputs) == Set(subgraph.inputs),
      importer.model.codes.indices.contains(subgraph.operators[0].code)
    else { return nil }
    return importer.model.codes[subgraph.operators[0].code].builtin
  }

  private static func stableReduce(_ op: ImportedOperator, _ importer: inout TFLiteImporter) throws
  {
    let axes = try op.secondOptions.longs(0)
    let combine: (Reduce.Kind, Binary.Kind)? =
      switch function(try op.secondOptions.int(1), importer) {
      case "STABLEHLO_ADD", "ADD": (.sum, .add)
      case "STABLEHLO_MAXIMUM", "MAXIMUM": (.max, .maximum)
      case "STABLEHLO_MINIMUM", "MINIMUM": (.min, .minimum)
      case "STABLEHLO_MULTIPLY", "MUL": (.product, .multiply)
      default: nil
      }
    guard let (kind, function) = combine, op.record.inputs.count == 2 else {
      return try importer.addOpaque(op, because: "its function is not a plain sum or bound")
    }
    let x = try importer.input(0, of: op)
    let start = try importer.input(1, of: op)
    let whole = try importer.intermediate(Reduce(kind, axes: axes, keepsAxes: false), [x], op)
    try importer.add(Binary(function), [whole, start], op)
  }

  /// The greatest element, or the sum, over windows of images.
  private static func reduceWindow(_ op: ImportedOperator, _ importer: inout TFLiteImporter) throws
  {
    let options = op.secondOptions
    let (window, strides) = (try options.longs(0), try options.longs(1))
    let others = try options.longs(2) + options.longs(3)
    let padding = try options.longs(4)
    let function = function(try options.int(5), importer)
    let isSum = function == "STABLEHLO_ADD" || function == "ADD"
    let x = try importer.input(0, of: op)
    let type = importer.type(x)
    let start = try importer.elements(1, of: op).floats().first
    guard isSum || function == "STABLEHLO_MAXIMUM" || function == "MAXIMUM",
      type.dtype == .float32, type.shape.rank == 4, window.count == 4, strides.count == 4,
      window[0] == 1, window[3] == 1, strides[0] == 1, strides[3] == 1,
      window.allSatisfy({ (1...1024).contains($0) }), others.allSatisfy({ $0 == 1 }),
      padding.count == 8, padding.allSatisfy({ $0 >= 0 }),
      padding[..<2].allSatisfy({ $0 == 0 }), padding[6...].allSatisfy({ $0 == 0 }),
      isSum ? start == 0 : (start ?? 0) <= -Float.greatestFiniteMagnitude
    else {
      return try importer.addOpaque(op, because: "only maxima and sums over images are computed")
    }
    let size = Size2D(window[1], window[2])
    let steps = Size2D(strides[1], strides[2])
    guard isSum else {
      let edges = Padding.explicit(
        top: padding[2],
        bottom: padding[3],
        left: padding[4],
        right: padding[5]
      )
      let pool = Pool2D(.max, window: size, strides: steps, padding: edges)
      return try importer.add(pool, [x], op)
    }
    // An average counts no padding, so zeros are put there first.
    let pad = Pad(before: [0, padding[2], padding[4], 0], after: [0, padding[3], padding[5], 0])
    let padded = try importer.intermediate(pad, [x], op)
    let means = try importer.intermediate(
      Pool2D(.average, window: size, strides: steps),
      [padded],
      op
    )
    let count = number(Float(window[1] * window[2]), &importer)
    try importer.add(Binary(.multiply), [means, count], op)
  }
}
