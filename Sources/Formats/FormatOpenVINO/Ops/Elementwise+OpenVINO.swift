import AssayBase
import AssayFormat
import AssayGraph
import AssayTensor

extension Unary: OpenVINOExportable {
  var keepsQuantizedElements: Bool { kind == .relu }

  func write(_ node: NodeView, to file: inout IRExporter) throws {
    let x = file.real(node, 0)
    file.finish(node, try value(x, node, &file))
  }

  private func value(
    _ x: IRValue,
    _ node: NodeView,
    _ file: inout IRExporter
  ) throws -> IRValue {
    func simple(
      _ type: String,
      set: Int = 1,
      _ attributes: [(name: String, value: String)] = []
    ) -> IRValue {
      file.add(type, set: set, [x], attributes, for: node)
    }
    switch kind {
    case .relu: return simple("ReLU")
    case .relu6: return file.clamped(x, 0, 6, for: node)
    case .reluN1To1: return file.clamped(x, -1, 1, for: node)
    case .rsqrt:
      let root = simple("Sqrt")
      return file.add("Divide", [file.constant(1), root], for: node)
    case .square: return file.add("Multiply", [x, x], for: node)
    case .gelu: return simple("Gelu", set: 7, [("approximation_mode", "ERF")])
    case .geluApproximate: return simple("Gelu", set: 7, [("approximation_mode", "TANH")])
    case .sigmoid: return simple("Sigmoid")
    case .tanh: return simple("Tanh")
    case .exp: return simple("Exp")
    case .log: return simple("Log")
    case .sqrt: return simple("Sqrt")
    case .abs: return simple("Abs")
    case .negative: return simple("Negative")
    case .floor: return simple("Floor")
    case .ceil: return simple("Ceiling")
    case .round: return simple("Round", set: 5, [("mode", "half_to_even")])
    case .sin: return simple("Sin")
    case .cos: return simple("Cos")
    case .elu: return simple("Elu", [("alpha", "1")])
    case .hardSwish: return simple("HSwish", set: 4)
    case .erf: return simple("Erf")
    case .logicalNot: return simple("LogicalNot")
    case .sign: return simple("Sign")
    case .tan: return simple("Tan")
    case .asin: return simple("Asin")
    case .acos: return simple("Acos")
    case .atan: return simple("Atan")
    case .sinh: return simple("Sinh")
    case .cosh: return simple("Cosh")
    case .asinh: return simple("Asinh", set: 4)
    case .acosh: return simple("Acosh", set: 4)
    case .atanh: return simple("Atanh", set: 4)
    case .isNaN:
      return file.add("NotEqual", [x, x], outputs: [file.realOutput(node)], for: node)
    case .isInfinite:
      let size = simple("Abs")
      let infinity = file.constant(.infinity, node.input(0).dtype)
      return file.result("Equal", [size, infinity], for: node)
    case .bitwiseNot: return simple("BitwiseNot", set: 13)
    }
  }
}

extension Binary: OpenVINOExportable {
  var keepsQuantizedElements: Bool { kind == .maximum || kind == .minimum }

  func write(_ node: NodeView, to file: inout IRExporter) throws {
    let (a, b) = (file.operand(node, 0), file.operand(node, 1))
    file.finish(node, try value(a, b, node, &file), activation: activation)
  }

  private func value(
    _ a: IRValue,
    _ b: IRValue,
    _ node: NodeView,
    _ file: inout IRExporter
  ) throws -> IRValue {
    let isFloat = node.input(0).dtype.isFloat || node.input(0).isQuantizedInteger
    func simple(
      _ type: String,
      set: Int = 1,
      _ attributes: [(name: String, value: String)] = []
    ) -> IRValue {
      file.result(
        type,
        set: set,
        [a, b],
        [("auto_broadcast", "numpy")] + attributes,
        for: node
      )
    }
    switch kind {
    case .add: return simple("Add")
    case .subtract: return simple("Subtract")
    case .multiply: return simple("Multiply")
    // The attribute decides on negative integers only: towards zero, or towards minus infinity.
    case .divide: return simple("Divide", [("m_pythondiv", "false")])
    case .maximum: return simple("Maximum")
    case .minimum: return simple("Minimum")
    case .power: return simple("Power")
    case .squaredDifference: return simple("SquaredDifference")
    case .equal: return simple("Equal")
    case .notEqual: return simple("NotEqual")
    case .less: return simple("Less")
    case .lessEqual: return simple("LessEqual")
    case .greater: return simple("Greater")
    case .greaterEqual: return simple("GreaterEqual")
    case .logicalAnd: return simple("LogicalAnd")
    case .logicalOr: return simple("LogicalOr")
    case .floorDivide:
      let quotient = simple("Divide", [("m_pythondiv", "true")])
      return isFloat ? file.add("Floor", [quotient], for: node) : quotient
    case .floorModulo: return simple("FloorMod")
    case .truncatedModulo: return simple("Mod")
    case .logicalXor: return simple("LogicalXor")
    case .bitwiseAnd: return simple("BitwiseAnd", set: 13)
    case .bitwiseOr: return simple("BitwiseOr", set: 13)
    case .bitwiseXor: return simple("BitwiseXor", set: 13)
    case .shiftLeft: return simple("BitwiseLeftShift", set: 15)
    case .shiftRight: return simple("BitwiseRightShift", set: 15)
    case .atan2: throw Diagnostic("OVI101", "OpenVINO has no operation for \(name)")
    }
  }
}

extension LeakyReLU: OpenVINOExportable {
  func write(_ node: NodeView, to file: inout IRExporter) throws {
    let slope = file.constant(Tensor([alpha], [1]), hint: "const/\(alpha)")
    file.finish(node, file.result("PRelu", [file.real(node, 0), slope], for: node))
  }
}

extension PReLU: OpenVINOExportable {
  func write(_ node: NodeView, to file: inout IRExporter) throws {
    let x = file.operand(node, 0)
    var slope = file.operand(node, 1)
    // A list of slopes would be taken for one of axis 1: with all axes it is what it is.
    let rank = file.type(of: x).shape.rank
    let dims = file.type(of: slope).shape.dims
    if dims.count < rank {
      slope = file.reshaped(slope, [Int](repeating: 1, count: rank - dims.count) + dims)
    }
    file.finish(node, file.result("PRelu", [x, slope], for: node))
  }
}

extension Select: OpenVINOExportable {
  var keepsQuantizedElements: Bool { true }

  func write(_ node: NodeView, to file: inout IRExporter) throws {
    let inputs = (0..<3).map { file.operand(node, $0) }
    let result = file.result("Select", inputs, [("auto_broadcast", "numpy")], for: node)
    file.finish(node, result)
  }
}
