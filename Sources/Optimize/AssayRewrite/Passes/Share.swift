import AssayBase
import AssayGraph
import AssayTensor

/// Lets nodes that read equal Constants read one.
struct ShareConstants: GraphPass {
  let name = "ShareConstants"

  func patch(for graph: Graph) throws -> GraphPatch {
    var patch = GraphPatch(graph)
    var seen: Set<ValueID> = []
    var kinds: [TensorType: [ValueID]] = [:]
    for node in graph.nodes {
      for case let id? in node.inputs where seen.insert(id).inserted {
        let value = graph[id]
        guard let tensor = value.constant else { continue }
        let equal = kinds[value.type]?.first {
          graph[$0].constant?.hasSameElements(as: tensor) ?? false
        }
        if let equal {
          patch.redirect(id, to: equal)
        } else {
          kinds[value.type, default: []].append(id)
        }
      }
    }
    return patch
  }
}

/// Lets the readers of nodes that compute the same read one.
struct ShareNodes: GraphPass {
  let name = "ShareNodes"

  private struct Key: Hashable {
    var op: String
    var attributes: [String]
    var inputs: [ValueID?]
    var types: [TensorType]
  }

  func patch(for graph: Graph) throws -> GraphPatch {
    var patch = GraphPatch(graph)
    let outputs = Set(graph.outputs)
    var seen: [Key: Node] = [:]
    for (index, node) in graph.nodes.enumerated() {
      if node.op is Opaque { continue }
      let key = Key(
        op: node.op.name,
        attributes: node.op.attributes.map { "\($0.name)=\($0.value)" },
        inputs: node.inputs,
        types: node.outputs.map { graph[$0].type }
      )
      guard let first = seen[key] else {
        seen[key] = node
        continue
      }
      guard !node.outputs.contains(where: outputs.contains) else { continue }
      for (old, new) in zip(node.outputs, first.outputs) { patch.redirect(old, to: new) }
      patch.remove(index)
    }
    return patch
  }
}
