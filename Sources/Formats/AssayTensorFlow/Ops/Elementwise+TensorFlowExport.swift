import AssayBase
import AssayGraph
import AssayTensor

extension Unary: TensorFlowExportable {
  /// TensorFlow's name for each function that it has.
  private static let names = Dictionary(
    unaryKinds.sorted { $0.key < $1.key }.map { ($0.value, $0.key) }
  ) { first, _ in first }

  func write(_ node: TFNodeView, to file: inout TensorFlowExporter) throws -> [String] {
    let x = file.input(node, 0)
    let type = ["T": node.type(0)]
    if let name = Self.names[kind] {
      // Truth values have one type only.
      return [file.add(name, node.name, [x], kind == .logicalNot ? [:] : type)]
    }
    let dtype = node.outputs[0].dtype
    func number(_ value: Float) -> String { file.scalar(value, dtype) }
    switch kind {
    case .reluN1To1: return [file.add("ClipByValue", node.name, [x, number(-1), number(1)], type)]
    case .hardSwish:
      let sum = file.step(node, "sum", "AddV2", [x, number(3)], type)
      let gate = file.step(node, "gate", "Relu6", [sum], type)
      let part = file.step(node, "part", "Mul", [gate, number(1 / 6)], type)
      return [file.add("Mul", node.name, [x, part], type)]
    case .gelu:
      let scaled = file.step(node, "scaled", "Mul", [x, number(Float(0.5).squareRoot())], type)
      let erf = file.step(node, "erf", "Erf", [scaled], type)
      return gate(node, x, erf, &file)
    case .geluApproximate:
      let square = file.step(node, "square", "Square", [x], type)
      let cube = file.step(node, "cube", "Mul", [square, x], type)
      let bent = file.step(node, "bent", "Mul", [cube, number(0.044_715)], type)
      let sum = file.step(node, "sum", "AddV2", [x, bent], type)
      let scaled = file.step(node, "scaled", "Mul", [sum, number(0.797_884_56)], type)
      let tanh = file.step(node, "tanh", "Tanh", [scaled], type)
      return gate(node, x, tanh, &file)
    default: throw node.unsupported("this function")
    }
  }

  /// `x / 2 * (1 + gate)`.
  private func gate(
    _ node: TFNodeView,
    _ x: String,
    _ gate: String,
    _ file: inout TensorFlowExporter
  ) -> [String] {
    let type = ["T": node.type]
    let dtype = node.outputs[0].dtype
    let one = file.step(node, "one", "AddV2", [gate, file.scalar(1, dtype)], type)
    let half = file.step(node, "half", "Mul", [x, file.scalar(0.5, dtype)], type)
    return [file.add("Mul", node.name, [half, one], type)]
  }
}

extension Binary: TensorFlowExportable {
  func write(_ node: TFNodeView, to file: inout TensorFlowExporter) throws -> [String] {
    let name: String
    switch kind {
    case .add: name = node.input(0).dtype == .bool ? "LogicalOr" : "AddV2"
    case .divide: name = node.input(0).dtype.isFloat ? "RealDiv" : "TruncateDiv"
    case .truncatedModulo: name = "TruncateMod"
    default:
      guard let known = binaryKinds.filter({ $0.value == kind }).keys.min() else {
        throw node.unsupported("this function")
      }
      name = known
    }
    let isLogical = name.hasPrefix("Logical") && name != "LogicalXor"
    guard name != "LogicalXor" else {
      return [
        file.add(
          "NotEqual",
          node.name,
          [file.input(node, 0), file.input(node, 1)],
          ["T": .type(.bool)]
        )
      ]
    }
    return file.finish(
      node,
      name,
      [file.input(node, 0), file.input(node, 1)],
      isLogical ? [:] : ["T": node.type(0)],
      activation: activation
    )
  }
}

extension LeakyReLU: TensorFlowExportable {
  func write(_ node: TFNodeView, to file: inout TensorFlowExporter) throws -> [String] {
    [
      file.add(
        "LeakyRelu",
        node.name,
        [file.input(node, 0)],
        ["T": node.type, "alpha": .float(alpha)]
      )
    ]
  }
}

extension PReLU: TensorFlowExportable {
  func write(_ node: TFNodeView, to file: inout TensorFlowExporter) throws -> [String] {
    let x = file.input(node, 0)
    let type = ["T": node.type]
    let high = file.step(node, "high", "Relu", [x], type)
    let negative = file.step(node, "negative", "Neg", [x], type)
    let low = file.step(node, "low", "Relu", [negative], type)
    let bent = file.step(node, "bent", "Mul", [file.input(node, 1), low], type)
    return [file.add("Sub", node.name, [high, bent], type)]
  }
}

extension Select: TensorFlowExportable {
  func write(_ node: TFNodeView, to file: inout TensorFlowExporter) throws -> [String] {
    let inputs = (0..<3).map { file.input(node, $0) }
    return [file.add("SelectV2", node.name, inputs, ["T": node.type])]
  }
}
