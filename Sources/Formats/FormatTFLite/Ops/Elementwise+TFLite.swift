import AssayBase
import AssayCodec
import AssayGraph
import AssayTensor

extension Unary: TFLiteOperator {
  /// The builtin of each kind; kinds that share one differ in its options.
  private static let table: [(kind: Kind, builtin: BuiltinOperator)] = [
    (.relu, "RELU"), (.relu6, "RELU6"), (.reluN1To1, "RELU_N1_TO_1"), (.sigmoid, "LOGISTIC"),
    (.tanh, "TANH"), (.exp, "EXP"), (.log, "LOG"), (.sqrt, "SQRT"), (.rsqrt, "RSQRT"),
    (.abs, "ABS"), (.negative, "NEG"), (.square, "SQUARE"), (.floor, "FLOOR"), (.ceil, "CEIL"),
    (.round, "ROUND"), (.sin, "SIN"), (.cos, "COS"), (.elu, "ELU"), (.hardSwish, "HARD_SWISH"),
    (.gelu, "GELU"), (.geluApproximate, "GELU"), (.logicalNot, "LOGICAL_NOT"),
    (.sign, "SIGN"),
  ]

  static var builtins: [BuiltinOperator] { table.map(\.builtin) }

  /// Whether the format has an operator for this kind.
  var hasBuiltin: Bool { Self.table.contains { $0.kind == kind } }

  func write(_ node: ExportedNode, to exporter: inout TFLiteExporter) throws {
    guard let builtin = Self.table.first(where: { $0.kind == kind })?.builtin else {
      throw Diagnostic(
        "TFL101",
        "TensorFlow Lite has no operator \(name)",
        remedy: "export as ONNX, or replace the operator in the network"
      )
    }
    var options: (type: UInt8, table: FlatObject)?
    switch kind {
    case .gelu, .geluApproximate:
      var table = FlatObject()
      table.set(0, kind == .geluApproximate)
      options = (OptionsType.gelu, table)
    case .exp: options = (OptionsType.exp, FlatObject())
    case .negative: options = (OptionsType.negative, FlatObject())
    default: break
    }
    exporter.add(builtin, version: version(for: try node.type(0)), node, options: options)
  }

  private func version(for type: TensorType) -> Int {
    switch kind {
    case .abs: type.dtype == .int32 ? 5 : integerVersion(of: type, int16: 3)
    case .relu, .relu6, .rsqrt, .tanh, .sigmoid: integerVersion(of: type, int16: 3)
    case .exp, .log, .sqrt: integerVersion(of: type, int16: 2)
    case .gelu, .geluApproximate: integerVersion(of: type)
    default: 1
    }
  }

  static func read(_ source: ImportedOperator, into importer: inout TFLiteImporter) throws {
    guard var kind = table.first(where: { $0.builtin == source.builtin })?.kind else {
      return try importer.addOpaque(source)
    }
    if kind == .gelu, try source.options.bool(0) { kind = .geluApproximate }
    try importer.add(Unary(kind), [try importer.input(0, of: source)], source)
  }
}

extension Binary: TFLiteOperator {
  /// The builtin of each kind.
  private static let table: [(kind: Kind, builtin: BuiltinOperator)] = [
    (.add, "ADD"), (.subtract, "SUB"), (.multiply, "MUL"), (.divide, "DIV"),
    (.maximum, "MAXIMUM"), (.minimum, "MINIMUM"), (.power, "POW"),
    (.squaredDifference, "SQUARED_DIFFERENCE"), (.floorDivide, "FLOOR_DIV"),
    (.floorModulo, "FLOOR_MOD"), (.equal, "EQUAL"), (.notEqual, "NOT_EQUAL"), (.less, "LESS"),
    (.lessEqual, "LESS_EQUAL"), (.greater, "GREATER"), (.greaterEqual, "GREATER_EQUAL"),
    (.logicalAnd, "LOGICAL_AND"), (.logicalOr, "LOGICAL_OR"),
    (.bitwiseXor, "BITWISE_XOR"), (.shiftRight, "RIGHT_SHIFT"), (.atan2, "ATAN2"),
    (.shiftLeft, "STABLEHLO_SHIFT_LEFT"),
  ]

  static var builtins: [BuiltinOperator] { table.map(\.builtin) }

  /// Whether the format has an operator for this kind.
  var hasBuiltin: Bool { Self.table.contains { $0.kind == kind } }

  /// The options table of the kinds whose options have a fused activation.
  private static func fusingOptions(_ kind: Kind) -> UInt8? {
    switch kind {
    case .add: OptionsType.add
    case .subtract: OptionsType.subtract
    case .multiply: OptionsType.multiply
    case .divide: OptionsType.divide
    default: nil
    }
  }

  func write(_ node: ExportedNode, to exporter: inout TFLiteExporter) throws {
    guard let builtin = Self.table.first(where: { $0.kind == kind })?.builtin else {
      throw Diagnostic(
        "TFL101",
        "TensorFlow Lite has no operator \(name)",
        remedy: "export as ONNX, or replace the operator in the network"
      )
    }
    var options: (type: UInt8, table: FlatObject)?
    if let type = Self.fusingOptions(kind) {
      var table = FlatObject()
      table.set(0, FusedActivation(activation).rawValue)
      if kind == .add || kind == .subtract, try node.type(0).dtype == .int16 {
        // The scales of 16 bits need not be powers of two.
        table.set(1, false, default: true)
      }
      options = (type, table)
    } else if activation != .none {
      throw Diagnostic("TFL108", "\(name) cannot carry the activation \(activation.rawValue)")
    }
    exporter.add(builtin, version: try version(of: node), node, options: options)
  }

  private func version(of node: ExportedNode) throws -> Int {
    let (a, b, output) = (try node.type(0), try node.type(1), try node.outputType)
    let isWide = a.shape != b.shape && max(a.shape.rank, b.shape.rank) > 4
    let isPlainInt16 = a.dtype == .int16 && a.quantization == nil
    switch kind {
    case .add:
      if a.dtype == .float16 { return 6 }
      if isPlainInt16 { return 5 }
      return a.dtype == .int64 ? 4 : integerVersion(of: a, int16: 3)
    case .subtract:
      if a.dtype == .int16 { return 5 }
      if a.dtype == .int64 { return 4 }
      return isWide ? 3 : integerVersion(of: a)
    case .multiply:
      if a.dtype == .float16 { return 8 }
      if isPlainInt16 || a.dtype == .uint32 { return 7 }
      if a.dtype == .int64 { return 5 }
      if a.dtype == .int16 { return 4 }
      if let x = a.quantization, let y = b.quantization, let z = output.quantization,
        x.scale * y.scale / z.scale >= 1
      {
        return 3
      }
      return integerVersion(of: a)
    case .divide: return isWide ? 2 : 1
    case .maximum, .minimum:
      if a.dtype == .int16 { return 4 }
      return isWide ? 3 : integerVersion(of: a)
    case .floorDivide:
      return a.dtype == .float32 ? 2 : integerVersion(of: a, int8: 3, int16: 3)
    case .floorModulo: return integerVersion(of: a, int16: 2)
    case .equal: return integerVersion(of: a, int16: 5)
    case .notEqual: return integerVersion(of: a, int16: 4)
    case .less, .greaterEqual: return integerVersion(of: a, int16: 3)
    case .lessEqual, .greater, .squaredDifference: return integerVersion(of: a)
    default: return 1
    }
  }

  static func read(_ source: ImportedOperator, into importer: inout TFLiteImporter) throws {
    guard let kind = table.first(where: { $0.builtin == source.builtin })?.kind else {
      return try importer.addOpaque(source)
    }
    let activation =
      fusingOptions(kind) == nil ? FusedActivation.none : try source.options.activation(0)
    try importer.add(
      Binary(kind, activation: activation.activation ?? .none),
      [try importer.input(0, of: source), try importer.input(1, of: source)],
      source,
      then: activation.activation == nil ? activation : .none
    )
  }
}

extension LeakyReLU: TFLiteOperator {
  static var builtins: [BuiltinOperator] { ["LEAKY_RELU"] }

  func write(_ node: ExportedNode, to exporter: inout TFLiteExporter) throws {
    var options = FlatObject()
    options.set(0, alpha)
    exporter.add(
      "LEAKY_RELU",
      version: integerVersion(of: try node.type(0), int8: 1, int16: 2),
      node,
      options: (OptionsType.leakyReLU, options)
    )
  }

  static func read(_ source: ImportedOperator, into importer: inout TFLiteImporter) throws {
    let op = LeakyReLU(alpha: try source.options.float(0))
    try importer.add(op, [try importer.input(0, of: source)], source)
  }
}

extension PReLU: TFLiteOperator {
  static var builtins: [BuiltinOperator] { ["PRELU"] }

  func write(_ node: ExportedNode, to exporter: inout TFLiteExporter) throws {
    exporter.add("PRELU", node)
  }

  static func read(_ source: ImportedOperator, into importer: inout TFLiteImporter) throws {
    try importer.add(
      PReLU(),
      [try importer.input(0, of: source), try importer.input(1, of: source)],
      source
    )
  }
}

extension Select: TFLiteOperator {
  static var builtins: [BuiltinOperator] { ["SELECT", "SELECT_V2"] }

  func write(_ node: ExportedNode, to exporter: inout TFLiteExporter) throws {
    let types = [try node.type(0), try node.type(1), try node.type(2)]
    guard types.allSatisfy({ $0.shape == types[0].shape }) else {
      exporter.add("SELECT_V2", node, options: (OptionsType.selectV2, FlatObject()))
      return
    }
    exporter.add(
      "SELECT",
      version: types[0].shape.rank == 5 ? 3 : 1,
      node,
      options: (OptionsType.select, FlatObject())
    )
  }

  static func read(_ source: ImportedOperator, into importer: inout TFLiteImporter) throws {
    var condition = try importer.input(0, of: source)
    let (a, b) = (try importer.input(1, of: source), try importer.input(2, of: source))
    let (shape, result) = (importer.type(condition).shape, importer.type(a).shape)
    if source.builtin == "SELECT", shape.rank == 1, result.rank > 1 {
      // The older operator takes a condition of one axis for the outermost one.
      let ones = [Int](repeating: 1, count: result.rank - 1)
      condition = try importer.intermediate(Reshape(shape.dims + ones), [condition], source)
    }
    try importer.add(Select(), [condition, a, b], source)
  }
}
