import AssayFormat
import AssayGraph
import AssayTensor

extension LayerNorm: ONNXExportable {
  /// The first operator set with LayerNormalization; older ones get its steps.
  static let firstONNXSet: Int64 = 17

  /// Rows lie along the last axis.
  func write(_ node: NodeView, to file: inout GraphExporter) throws {
    let x = node.input(0)
    var inputs = [file.real(node, 0)]
    // The factor is no option in ONNX.
    if node.has(1) {
      inputs.append(file.real(node, 1))
    } else {
      let ones = Tensor([Float](repeating: 1, count: x.shape[-1]), [x.shape[-1]])
      inputs.append(file.constant(ones.converted(to: x.dtype) ?? ones, hint: "const/ones"))
    }
    if node.has(2) { inputs.append(file.real(node, 2)) }
    file.finish(
      node,
      "LayerNormalization",
      inputs,
      [.int("axis", x.shape.rank - 1), .float("epsilon", epsilon)]
    )
  }
}
