import AssayBase
import AssayGraph
import AssayTensor

/// Operators of the format that our graph writes as several of its own: read only.
enum ComposedOperators {
  typealias Reader = @Sendable (ImportedOperator, inout TFLiteImporter) throws -> Void

  /// The reader of each.
  static let readers: [BuiltinOperator: Reader] = {
    var all = composed
    for table in [
      shapes, control, numbers, signals, recurrent, stable, stableIndexing,
    ] {
      all.merge(table) { first, _ in first }
    }
    return all
  }()

  private static let composed: [BuiltinOperator: Reader] = [
    "PACK": { try pack($0, &$1) },
    "UNPACK": { try unpack($0, &$1) },
    "ADD_N": { try sum($0, &$1) },
    "RELU_0_TO_1": { try relu0To1($0, &$1) },
    "L2_NORMALIZATION": { try l2Normalization($0, &$1) },
  ]

  /// Operators that are resolved while the file is read.
  private static let control: [BuiltinOperator: Reader] = [
    "IF": { try $1.choose($0) },
    "WHILE": { try $1.loop($0, $0.options) },
    "STABLEHLO_WHILE": { try $1.loop($0, $0.secondOptions) },
    "STABLEHLO_CASE": { try $1.choiceByNumber($0) },
    "STABLEHLO_COMPOSITE": { try $1.composite($0) },
    "CALL_ONCE": { try $1.callOnce($0) },
    "VAR_HANDLE": { try $1.variableHandle($0) },
    "ASSIGN_VARIABLE": { try $1.assignVariable($0) },
    "READ_VARIABLE": { try $1.readVariable($0) },
  ]

  static func fault(_ what: String) -> Diagnostic { Diagnostic("TFL017", what) }

  /// Tensors joined along a new axis.
  private static func pack(_ op: ImportedOperator, _ importer: inout TFLiteImporter) throws {
    var axis = try op.options.int(1)
    var parts: [ValueID] = []
    for index in op.record.inputs.indices {
      let x = try importer.input(index, of: op)
      var dims = importer.type(x).shape.dims
      if axis < 0 { axis += dims.count + 1 }
      guard axis >= 0, axis <= dims.count else { throw fault("axis \(axis) of \(Shape(dims))") }
      dims.insert(1, at: axis)
      parts.append(try importer.intermediate(Reshape(dims), [x], op, like: importer.type(x)))
    }
    try importer.add(Concat(axis: axis), parts, op)
  }

  /// A tensor cut into slices of one element of an axis, which is dropped.
  private static func unpack(_ op: ImportedOperator, _ importer: inout TFLiteImporter) throws {
    let x = try importer.input(0, of: op)
    let type = importer.type(x)
    guard let axis = type.shape.normalized(axis: try op.options.int(1)),
      op.record.outputs.count == type.shape.dims[axis]
    else { throw fault("\(type.shape) is not \(op.record.outputs.count) slices") }
    var dims = type.shape.dims
    dims.remove(at: axis)
    let ones = [Int](repeating: 1, count: op.record.outputs.count)
    let parts = try importer.intermediates(Split(axis: axis, sizes: ones), [x], op, like: type)
    for (index, part) in parts.enumerated() {
      try importer.add(Reshape(dims), [part], op, outputs: [op.record.outputs[index]])
    }
  }

  /// Adds the nodes that bring `x` to the extents `target`, as the operator's result.
  static func broadcast(
    _ x: ValueID,
    to target: [Int],
    _ op: ImportedOperator,
    _ importer: inout TFLiteImporter
  ) throws {
    try importer.add(BroadcastTo(target), [x], op)
  }

  /// The sum of several tensors.
  private static func sum(_ op: ImportedOperator, _ importer: inout TFLiteImporter) throws {
    var total = try importer.input(0, of: op)
    let count = op.record.inputs.count
    guard count > 1 else {
      return try importer.add(Reshape(importer.type(total).shape.dims), [total], op)
    }
    for index in 1..<count {
      let next = try importer.input(index, of: op)
      if index == count - 1 {
        try importer.add(Binary(.add), [total, next], op)
      } else {
        total = try importer.intermediate(Binary(.add), [total, next], op)
      }
    }
  }

  /// The operator's only input, which must be of floats.
  static func floatInput(
    _ op: ImportedOperator,
    _ importer: inout TFLiteImporter
  ) throws -> ValueID? {
    let x = try importer.input(0, of: op)
    guard importer.type(x).dtype == .float32, importer.type(x).shape.rank > 0 else {
      try importer.addOpaque(op, because: "it is computed for floats only")
      return nil
    }
    return x
  }

  private static func relu0To1(_ op: ImportedOperator, _ importer: inout TFLiteImporter) throws {
    guard let x = try floatInput(op, &importer) else { return }
    let one = importer.addConstant("one", Tensor([Float(1)], []))
    let rectified = try importer.intermediate(Unary(.relu), [x], op)
    try importer.add(Binary(.minimum), [rectified, one], op)
  }

  /// Vectors along the last axis brought to length one; the length is at least 1e-6.
  private static func l2Normalization(
    _ op: ImportedOperator,
    _ importer: inout TFLiteImporter
  ) throws {
    guard let x = try floatInput(op, &importer) else { return }
    let squares = try importer.intermediate(Unary(.square), [x], op)
    let sum = try importer.intermediate(Reduce(.sum, axes: [-1], keepsAxes: true), [squares], op)
    let least = importer.addConstant("least", Tensor([Float(1e-12)], []))
    let bounded = try importer.intermediate(Binary(.maximum), [sum, least], op)
    let factor = try importer.intermediate(Unary(.rsqrt), [bounded], op)
    try importer.add(Binary(.multiply), [x, factor], op, then: op.options.activation(0))
  }
}
