import AssayGraph

/// Removes nodes whose results nobody reads.
struct RemoveDeadNodes: GraphPass {
  let name = "RemoveDeadNodes"

  func patch(for graph: Graph) throws -> GraphPatch {
    var patch = GraphPatch(graph)
    var live = Set(graph.outputs)
    for index in graph.nodes.indices.reversed() {
      let node = graph.nodes[index]
      guard node.outputs.contains(where: live.contains) else {
        patch.remove(index)
        continue
      }
      for case let input? in node.inputs { live.insert(input) }
    }
    return patch
  }
}
