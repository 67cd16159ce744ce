import AssayBase
import AssayFormat
import AssayGraph
import AssayTensor

extension Unary: ONNXExportable {
  func write(_ node: NodeView, to file: inout GraphExporter) throws {
    let x = file.real(node, 0)
    let dtype = node.input(0).isQuantizedInteger ? DType.float32 : node.input(0).dtype
    func clip(_ low: Float, _ high: Float) {
      let bounds = [file.constant(low, dtype), file.constant(high, dtype)]
      file.finish(node, "Clip", [x] + bounds)
    }
    switch kind {
    case .relu: file.finish(node, "Relu", [x])
    case .relu6: clip(0, 6)
    case .reluN1To1: clip(-1, 1)
    case .rsqrt:
      let root = file.add("Sqrt", [x], for: node)
      file.finish(node, "Reciprocal", [root])
    case .square: file.finish(node, "Mul", [x, x])
    case .gelu: file.finish(node, "Gelu", [x])
    case .geluApproximate: file.finish(node, "Gelu", [x], [.string("approximate", "tanh")])
    case .sigmoid: file.finish(node, "Sigmoid", [x])
    case .tanh: file.finish(node, "Tanh", [x])
    case .exp: file.finish(node, "Exp", [x])
    case .log: file.finish(node, "Log", [x])
    case .sqrt: file.finish(node, "Sqrt", [x])
    case .abs: file.finish(node, "Abs", [x])
    case .negative: file.finish(node, "Neg", [x])
    case .floor: file.finish(node, "Floor", [x])
    case .ceil: file.finish(node, "Ceil", [x])
    case .round: file.finish(node, "Round", [x])
    case .sin: file.finish(node, "Sin", [x])
    case .cos: file.finish(node, "Cos", [x])
    case .elu: file.finish(node, "Elu", [x], [.float("alpha", 1)])
    case .hardSwish: file.finish(node, "HardSwish", [x])
    case .erf: file.finish(node, "Erf", [x])
    case .logicalNot: file.finish(node, "Not", [x])
    case .sign: file.finish(node, "Sign", [x])
    case .tan: file.finish(node, "Tan", [x])
    case .asin: file.finish(node, "Asin", [x])
    case .acos: file.finish(node, "Acos", [x])
    case .atan: file.finish(node, "Atan", [x])
    case .sinh: file.finish(node, "Sinh", [x])
    case .cosh: file.finish(node, "Cosh", [x])
    case .asinh: file.finish(node, "Asinh", [x])
    case .acosh: file.finish(node, "Acosh", [x])
    case .atanh: file.finish(node, "Atanh", [x])
    case .isNaN: file.finish(node, "IsNaN", [x])
    case .isInfinite: file.finish(node, "IsInf", [x])
    case .bitwiseNot: file.finish(node, "BitwiseNot", [x])
    }
  }
}

extension Binary: ONNXExportable {
  func write(_ node: NodeView, to file: inout GraphExporter) throws {
    let (a, b) = (file.operand(node, 0), file.operand(node, 1))
    let isFloat = node.input(0).dtype.isFloat || node.input(0).isQuantizedInteger
    func simple(_ opType: String) {
      file.finish(node, opType, [a, b], activation: activation)
    }
    switch kind {
    case .add: simple("Add")
    case .subtract: simple("Sub")
    case .multiply: simple("Mul")
    case .divide: simple("Div")
    case .maximum: simple("Max")
    case .minimum: simple("Min")
    case .power: simple("Pow")
    case .equal: simple("Equal")
    case .less: simple("Less")
    case .lessEqual: simple("LessOrEqual")
    case .greater: simple("Greater")
    case .greaterEqual: simple("GreaterOrEqual")
    case .logicalAnd: simple("And")
    case .logicalOr: simple("Or")
    case .logicalXor: simple("Xor")
    case .bitwiseAnd: simple("BitwiseAnd")
    case .bitwiseOr: simple("BitwiseOr")
    case .bitwiseXor: simple("BitwiseXor")
    case .truncatedModulo: file.finish(node, "Mod", [a, b], [.int("fmod", 1)])
    case .shiftLeft, .shiftRight:
      guard [.uint8, .uint16, .uint32, .uint64].contains(node.input(0).dtype) else {
        throw Diagnostic("ONX111", "ONNX shifts integers without sign only")
      }
      file.finish(
        node,
        "BitShift",
        [a, b],
        [.string("direction", kind == .shiftLeft ? "LEFT" : "RIGHT")]
      )
    case .atan2: throw Diagnostic("ONX111", "ONNX has no angle of a point (Atan2)")
    case .notEqual:
      let equal = file.add("Equal", [a, b], for: node)
      file.finish(node, "Not", [equal])
    case .squaredDifference:
      let difference = file.add("Sub", [a, b], for: node)
      file.finish(node, "Mul", [difference, difference])
    case .floorDivide, .floorModulo:
      if !isFloat {
        guard kind == .floorModulo else {
          throw Diagnostic("ONX111", "ONNX cannot divide integers towards minus infinity")
        }
        file.finish(node, "Mod", [a, b])
        return
      }
      let quotient = file.add("Div", [a, b], for: node)
      guard kind == .floorModulo else {
        file.finish(node, "Floor", [quotient])
        return
      }
      let whole = file.add("Floor", [quotient], for: node)
      let product = file.add("Mul", [whole, b], for: node)
      file.finish(node, "Sub", [a, product])
    }
  }
}

extension LeakyReLU: ONNXExportable {
  func write(_ node: NodeView, to file: inout GraphExporter) throws {
    file.finish(node, "LeakyRelu", [file.real(node, 0)], [.float("alpha", alpha)])
  }
}

extension PReLU: ONNXExportable {
  func write(_ node: NodeView, to file: inout GraphExporter) throws {
    file.finish(node, "PRelu", [file.operand(node, 0), file.operand(node, 1)])
  }
}

extension Select: ONNXExportable {
  func write(_ node: NodeView, to file: inout GraphExporter) throws {
    file.finish(node, "Where", (0..<3).map { file.operand(node, $0) })
  }
}
