import AssayFormat
import AssayGraph
import AssayTensor

extension FullyConnected: OpenVINOExportable {
  func write(_ node: NodeView, to file: inout IRExporter) throws {
    let weights = file.filter(node, 1, permutation: [0, 1])
    let product = file.add(
      "MatMul",
      [file.real(node, 0), weights],
      [("transpose_a", "false"), ("transpose_b", "true")],
      outputs: [TensorType(.float32, node.outputs[0].shape)],
      for: node
    )
    var result = file.biased(product, node, 2, axis: -1)
    let dims = file.outputDims(node)
    if dims != node.outputs[0].shape.dims { result = file.reshaped(result, dims) }
    file.finish(node, result, activation: activation)
  }
}
