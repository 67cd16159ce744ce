import AssayGraph
import AssayTensor

/// Cuts a value before its axes are turned or joined, where all that reads the whole are cuts of it.
///
/// Attention layers project once, turn the result and take queries, keys and values from it; cut
/// first, each part is turned by itself, and `SplitProjections` finds them at the projection.
struct SliceEarlier: LocalPass {
  func rewrite(_ index: Int, of graph: GraphIndex, into patch: inout GraphPatch) {
    let node = graph.graph.nodes[index]
    guard let op = node.op as? AssayGraph.Slice, let whole = node.inputs[0],
      graph.isCutWithoutOverlap(whole), let before = graph.producer(of: whole),
      !patch.touches(before), let source = graph.graph.nodes[before].inputs.first ?? nil,
      graph.isFloat(source), graph.graph[source].type.shape.isStatic
    else { return }
    switch graph.graph.nodes[before].op {
    case let turn as Transpose: beforeTranspose(index, op, turn, source, graph, &patch)
    case is Reshape: beforeReshape(index, op, whole, source, graph, &patch)
    default: return
    }
  }

  private func beforeTranspose(
    _ index: Int,
    _ op: AssayGraph.Slice,
    _ turn: Transpose,
    _ source: ValueID,
    _ graph: GraphIndex,
    _ patch: inout GraphPatch
  ) {
    let node = graph.graph.nodes[index]
    var (cut, dims) = (op, op.sizes)
    for (to, from) in turn.permutation.enumerated() {
      (cut.begin[from], cut.sizes[from], cut.steps[from]) = (
        op.begin[to], op.sizes[to], op.steps[to]
      )
      dims[from] = op.sizes[to]
    }
    put(index, cut, dims, source, Transpose(turn.permutation), node, graph, &patch)
  }

  /// A cut of one axis is one of the axis before that was cut into it, if nothing but ones stands
  /// before it there.
  private func beforeReshape(
    _ index: Int,
    _ op: AssayGraph.Slice,
    _ whole: ValueID,
    _ source: ValueID,
    _ graph: GraphIndex,
    _ patch: inout GraphPatch
  ) {
    let (inner, outer) = (graph.graph[source].type.shape.dims, graph.graph[whole].type.shape.dims)
    let cuts = outer.indices.filter { op.sizes[$0] != outer[$0] }
    guard cuts.count == 1, let axis = cuts.first, op.steps.allSatisfy({ $0 == 1 }),
      (inner + outer).allSatisfy({ $0 > 0 }), let groups = AxisGroups(inner, outer),
      let group = groups.pairs.first(where: { $0.1.contains(axis) }),
      outer[group.1.lowerBound..<axis].allSatisfy({ $0 == 1 })
    else { return }
    let axes = group.0.filter { inner[$0] != 1 }
    guard axes.count == 1, let cut = axes.first else { return }
    let stride = outer[(axis + 1)..<group.1.upperBound].reduce(1, &*)
    var begin = [Int](repeating: 0, count: inner.count)
    var sizes = inner
    begin[cut] = op.begin[axis] * stride
    sizes[cut] = op.sizes[axis] * stride
    let steps = [Int](repeating: 1, count: inner.count)
    put(
      index,
      AssayGraph.Slice(begin: begin, sizes: sizes, steps: steps),
      sizes,
      source,
      Reshape(op.sizes),
      graph.graph.nodes[index],
      graph,
      &patch
    )
  }

  private func put(
    _ index: Int,
    _ cut: AssayGraph.Slice,
    _ dims: [Int],
    _ source: ValueID,
    _ after: any Operator,
    _ node: Node,
    _ graph: GraphIndex,
    _ patch: inout GraphPatch
  ) {
    var type = graph.graph[node.outputs[0]].type
    type.shape = Shape(dims)
    let part = patch.add(Value(name: node.name + "/part", type: type))
    patch.replace(
      index,
      with: [
        Node(name: node.name, op: cut, inputs: [source], outputs: [part]),
        Node(name: node.name + "/whole", op: after, inputs: [part], outputs: node.outputs),
      ]
    )
  }
}

/// Gives each cut of a dense layer's outputs a dense layer of its own, so that nothing is cut at run
/// time.
struct SplitProjections: LocalPass {
  func rewrite(_ index: Int, of graph: GraphIndex, into patch: inout GraphPatch) {
    let node = graph.graph.nodes[index]
    guard let whole = node.inputs.first ?? nil, let before = graph.producer(of: whole),
      !patch.touches(before)
    else { return }
    let producer = graph.graph.nodes[before]
    guard producer.op is FullyConnected, let linear = LinearWeights(producer, graph) else { return }
    let dims = graph.graph[whole].type.shape.dims
    let last = dims.count - 1
    guard last >= 0, dims[last] == linear.outputs else { return }
    if let op = node.op as? AssayGraph.Slice {
      guard graph.isCutWithoutOverlap(whole), op.sizes.dropLast() == dims.dropLast(),
        op.steps.allSatisfy({ $0 == 1 }), op.sizes[last] < dims[last]
      else { return }
      let rows = op.begin[last]..<(op.begin[last] + op.sizes[last])
      patch.replace(index, with: [part(node.name, rows, node.outputs[0], linear, graph, &patch)])
    } else if let op = node.op as? Split {
      guard graph.soleReader(of: whole) != nil, op.axis == last || op.axis == -1,
        node.outputs.count == op.sizes.count
      else { return }
      var start = 0
      var parts: [Node] = []
      for (number, output) in node.outputs.enumerated() {
        let rows = start..<(start + op.sizes[number])
        parts.append(part("\(node.name)/\(number)", rows, output, linear, graph, &patch))
        start = rows.upperBound
      }
      patch.remove(before)
      patch.replace(index, with: parts)
    }
  }

  private func part(
    _ name: String,
    _ rows: Range<Int>,
    _ output: ValueID,
    _ linear: LinearWeights,
    _ graph: GraphIndex,
    _ patch: inout GraphPatch
  ) -> Node {
    let length = linear.weights.shape[1]
    let weights = unsafe linear.weights.withElements(as: Float.self) { elements in
      unsafe Tensor(
        Array(elements[(rows.lowerBound * length)..<(rows.upperBound * length)]),
        [rows.count, length]
      )
    }
    var node = linear.node(weights, linear.bias.map { Array($0[rows]) }, graph.graph, into: &patch)
    node.name = name
    node.outputs = [output]
    return node
  }
}

extension GraphIndex {
  /// Whether a value is read by several cuts, and by nothing else, that together are no more than it.
  func isCutWithoutOverlap(_ id: ValueID) -> Bool {
    let readers = readers(of: id)
    guard readers.count > 1, !isOutput(id), isFloat(id), graph[id].type.shape.isStatic else {
      return false
    }
    var total = 0
    for reader in readers {
      guard let cut = graph.nodes[reader].op as? AssayGraph.Slice else { return false }
      total += cut.sizes.reduce(1, &*)
    }
    return total <= graph[id].type.shape.count
  }
}
