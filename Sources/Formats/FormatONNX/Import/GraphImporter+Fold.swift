import AssayBase
import AssayFormat
import AssayGraph
import AssayReference
import AssayTensor

extension GraphImporter {
  /// Elements of a result that is computed at import.
  private static let mostElements = 1 << 22

  /// Computes the nodes from `first` on that read constants only, and lets their results be Constants.
  ///
  /// Quantized weights stay quantized, and products that are long stay for the rewrites.
  mutating func foldConstants(from first: Int) throws {
    guard first < graph.nodes.count else { return }
    var kept: [Node] = []
    for node in graph.nodes[first...] {
      guard let results = try folded(node) else {
        kept.append(node)
        continue
      }
      for (id, tensor) in zip(node.outputs, results) {
        graph[id].constant = tensor
        graph[id].type = tensor.type
      }
    }
    graph.nodes.replaceSubrange(first..., with: kept)
  }

  private func folded(_ node: Node) throws -> [Tensor]? {
    guard !(node.op is Dequantize), !(node.op is Quantize), !node.inputs.isEmpty else { return nil }
    var inputs: [Tensor?] = []
    for input in node.inputs {
      guard let input else {
        inputs.append(nil)
        continue
      }
      guard let tensor = graph[input].constant, tensor.quantization == nil,
        tensor.count <= Self.mostElements
      else { return nil }
      inputs.append(tensor)
    }
    let types = node.outputs.map { graph[$0].type }
    guard types.allSatisfy({ ($0.shape.elementCount ?? .max) <= Self.mostElements }) else {
      return nil
    }
    let cost = node.op.cost(inputs: inputs.map { $0?.type }, outputs: types)
    guard cost.macs <= 1 << 26, cost.elementwise <= 1 << 26 else { return nil }
    return try locating("'\(node.name)' computed at import") {
      try ReferenceEvaluator.evaluate(node.op, inputs, as: types)
    }
  }
}
