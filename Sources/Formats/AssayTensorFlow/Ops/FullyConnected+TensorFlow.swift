import AssayGraph
import AssayTensor

extension FullyConnected: TensorFlowExportable {
  func write(_ node: TFNodeView, to file: inout TensorFlowExporter) throws -> [String] {
    let isMatrix = node.input(0).shape.rank == 2
    let inputs = [file.input(node, 0), file.weight(node, 1, permutation: [1, 0])]
    let name = isMatrix ? "MatMul" : "BatchMatMulV2"
    let attributes = ["T": node.type]
    if node.input(0).shape.rank == 1 { throw node.unsupported("a vector") }
    guard node.has(2) else {
      return file.finish(node, name, inputs, attributes, activation: activation)
    }
    return file.addBias(node, file.step(node, name, name, inputs, attributes), activation)
  }
}
