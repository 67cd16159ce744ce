import AssayFormat
import AssayGraph
import AssayTensor

extension ScatterReduction {
  /// ONNX's word.
  fileprivate var onnx: String {
    switch self {
    case .replace: "none"
    case .add: "add"
    case .multiply: "mul"
    case .maximum: "max"
    case .minimum: "min"
    }
  }
}

extension ScatterND: ONNXExportable {
  func write(_ node: NodeView, to file: inout GraphExporter) throws {
    let inputs = [file.real(node, 0), file.coordinates(node, 1), file.real(node, 2)]
    file.finish(node, "ScatterND", inputs, [.string("reduction", reduction.onnx)])
  }
}

extension ScatterElements: ONNXExportable {
  func write(_ node: NodeView, to file: inout GraphExporter) throws {
    let axis = node.input(0).shape.normalized(axis: axis) ?? 0
    let inputs = [file.real(node, 0), file.coordinates(node, 1), file.real(node, 2)]
    file.finish(
      node,
      "ScatterElements",
      inputs,
      [.int("axis", axis), .string("reduction", reduction.onnx)]
    )
  }
}

// MARK: - Import

let scatterReaders: [String: ONNXReader] = [
  "ScatterND": { call, into in
    let ids = try (0..<3).map { try into.plain(call.input($0)) }
    try into.define(call, ScatterND(try reduction(call)), ids)
  },
  "ScatterElements": readScatterElements, "Scatter": readScatterElements,
]

private func readScatterElements(_ call: OperatorCall, _ into: inout GraphImporter) throws {
  let ids = try (0..<3).map { try into.plain(call.input($0)) }
  let axis = try into.axis(call, into.shape(ids[0]), default: 0)
  try into.define(call, ScatterElements(axis: axis, try reduction(call)), ids)
}

private func reduction(_ call: OperatorCall) throws -> ScatterReduction {
  let word = call.string("reduction", default: "none")
  guard let reduction = ScatterReduction.allCases.first(where: { $0.onnx == word }) else {
    throw call.unsupported("reduction \(word)")
  }
  return reduction
}
