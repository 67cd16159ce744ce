import AssayBase
import AssayGraph
import AssayReference
import AssayTensor

/// Computes nodes that read Constants alone.
///
/// Quantizations and dequantizations stay: that is how float16 and 8-bit weights are written. Results
/// much larger than what they are made of stay computed, too.
struct FoldConstants: LocalPass {
  private static let largestGrowth = 1 << 20

  func rewrite(_ index: Int, of graph: GraphIndex, into patch: inout GraphPatch) throws {
    let node = graph.graph.nodes[index]
    if node.op is Quantize || node.op is Dequantize || node.op is Opaque { return }
    if node.outputs.contains(where: graph.isOutput) { return }
    let constants = node.inputs.map { $0.flatMap { graph.graph[$0].constant } }
    guard zip(node.inputs, constants).allSatisfy({ $0 == nil || $1 != nil }) else { return }
    let before = constants.reduce(0) { $0 + ($1?.byteCount ?? 0) }
    let after = node.outputs.reduce(0) { $0 + (graph.graph[$1].type.byteCount ?? Int.max / 4) }
    guard after <= before + Self.largestGrowth else { return }

    var alone = Graph(name: node.name)
    let inputs = zip(node.inputs, constants).map { id, tensor in
      id.flatMap { id in tensor.map { alone.addConstant(graph.graph[id].name, $0) } }
    }
    alone.outputs = node.outputs.map { alone.add(graph.graph[$0].withoutConstant) }
    alone.nodes = [Node(name: node.name, op: node.op, inputs: inputs, outputs: alone.outputs)]
    let results = try ReferenceEvaluator(alone).run([:])
    for (output, result) in zip(node.outputs, results) {
      let value = graph.graph[output]
      patch.redirect(
        output,
        to: patch.add(Value(name: value.name, type: result.tensor.type, constant: result.tensor))
      )
    }
    patch.remove(index)
  }
}

extension Value {
  fileprivate var withoutConstant: Value { Value(name: name, type: type) }
}
