import AssayGraph
import AssayTensor

/// Slices at constant places that follow one another in equal steps are a Slice: one of them (as
/// exporters take queries, keys and values from one projection), a run, every second.
struct GatherToSlice: LocalPass {
  func rewrite(_ index: Int, of graph: GraphIndex, into patch: inout GraphPatch) {
    let node = graph.graph.nodes[index]
    guard let op = node.op as? Gather, let source = node.inputs[0], let chosen = node.inputs[1],
      let indices = graph.graph[chosen].constant
    else { return }
    let type = graph.graph[source].type
    let places = indices.integers()
    guard graph.graph[source].constant == nil, type.quantization == nil, type.shape.isStatic,
      let axis = type.shape.normalized(axis: op.axis), let first = places.first
    else { return }
    let extent = type.shape[axis]
    let normal = places.map { $0 < 0 ? $0 + extent : $0 }
    let step = normal.count > 1 ? normal[1] - normal[0] : 1
    let begin = first < 0 ? first + extent : first
    guard step > 0, normal.allSatisfy({ (0..<extent).contains($0) }),
      normal == (0..<normal.count).map({ begin + $0 * step })
    else { return }
    var cut = AssayGraph.Slice(
      begin: [Int](repeating: 0, count: type.shape.rank),
      sizes: type.shape.dims
    )
    (cut.begin[axis], cut.sizes[axis], cut.steps[axis]) = (begin, normal.count, step)
    if indices.shape.rank == 1 {
      patch.replace(
        index,
        with: [Node(name: node.name, op: cut, inputs: [source], outputs: node.outputs)]
      )
      return
    }
    let part = patch.add(
      Value(name: node.name + "/part", type: TensorType(type.dtype, Shape(cut.sizes)))
    )
    let dims = graph.graph[node.outputs[0]].type.shape.dims
    patch.replace(
      index,
      with: [
        Node(name: node.name, op: cut, inputs: [source], outputs: [part]),
        Node(
          name: node.name + "/whole",
          op: Reshape(dims),
          inputs: [part],
          outputs: node.outputs
        ),
      ]
    )
  }
}
