import AssayGraph
import AssayTensor

/// Merges a Reshape into the Reshape, or the reduction, before it.
struct MergeReshapes: LocalPass {
  func rewrite(_ index: Int, of graph: GraphIndex, into patch: inout GraphPatch) {
    var node = graph.graph.nodes[index]
    guard node.op is Reshape, let input = node.inputs[0], let before = graph.producer(of: input),
      !patch.touches(before)
    else { return }
    let producer = graph.graph.nodes[before]
    if producer.op is Reshape, let source = producer.inputs[0],
      graph.graph[source].type.shape.isStatic
    {
      node.inputs[0] = source
      patch.replace(index, with: [node])
      return
    }
    // Taking the axes together and dropping them is one operator.
    guard var reduce = producer.op as? Reduce, reduce.keepsAxes, graph.soleReader(of: input) != nil,
      let source = producer.inputs[0]
    else { return }
    reduce.keepsAxes = false
    let dropped = try? reduce.inferTypes([graph.graph[source].type])
    guard dropped?.first?.shape == graph.graph[node.outputs[0]].type.shape else { return }
    patch.remove(before)
    patch.replace(
      index,
      with: [
        Node(name: producer.name, op: reduce, inputs: producer.inputs, outputs: node.outputs)
      ]
    )
  }
}

/// Moves a Reshape behind elementwise operators, so that these meet the operator that they can become
/// part of, and Reshapes meet one another.
///
/// Constants of the operators must be scalars or belong to a last axis that the Reshape keeps.
struct SinkReshapes: LocalPass {
  func rewrite(_ index: Int, of graph: GraphIndex, into patch: inout GraphPatch) {
    var node = graph.graph.nodes[index]
    guard let position = node.inputs.firstIndex(where: { isMovable($0, graph, patch) }),
      let input = node.inputs[position], let before = graph.producer(of: input)
    else { return }
    let reshape = graph.graph.nodes[before]
    guard let source = reshape.inputs[0], isElementwise(node, at: position, source, graph) else {
      return
    }
    let output = node.outputs[0]
    var type = graph.graph[output].type
    let target = type.shape
    type.shape = graph.graph[source].type.shape
    let moved = patch.add(Value(name: node.name, type: type))
    node.inputs[position] = source
    if node.op is Binary, let other = node.inputs[1 - position],
      let constant = graph.graph[other].constant, constant.shape.rank > type.shape.rank
    {
      let scalar = constant.reshaped([])
      let name = graph.graph[other].name
      node.inputs[1 - position] = patch.add(Value(name: name, type: scalar.type, constant: scalar))
    }
    node.outputs = [moved]
    patch.remove(before)
    patch.replace(
      index,
      with: [
        node,
        Node(name: reshape.name, op: Reshape(target.dims), inputs: [moved], outputs: [output]),
      ]
    )
  }

  /// Whether an input comes from a Reshape of something that the reader may become part of.
  private func isMovable(_ id: ValueID?, _ graph: GraphIndex, _ patch: GraphPatch) -> Bool {
    guard let (_, producer) = graph.soleProducer(of: id, patch), producer.op is Reshape,
      let source = producer.inputs[0], graph.graph[source].type.shape.isStatic,
      graph.isFloat(source), let maker = graph.producer(of: source)
    else { return false }
    return graph.graph.nodes[maker].op is any ActivatingOperator && !patch.touches(maker)
  }

  private func isElementwise(
    _ node: Node,
    at position: Int,
    _ source: ValueID,
    _ graph: GraphIndex
  ) -> Bool {
    let output = graph.graph[node.outputs[0]].type
    guard let input = node.inputs[position], graph.graph[input].type.shape == output.shape,
      graph.isFloat(node.outputs[0])
    else { return false }
    let before = graph.graph[source].type.shape
    switch node.op {
    case let op as Unary: return op.kind.activation != nil
    case is BatchNorm: return position == 0 && before[-1] == output.shape[-1] && before.rank > 0
    case let op as Binary:
      guard op.takesActivation, let other = node.inputs[1 - position],
        let constant = graph.graph[other].constant
      else { return false }
      if constant.count == 1 { return true }
      return constant.shape.rank == 1 && constant.count == before[-1]
        && before[-1] == output.shape[-1]
    default: return false
    }
  }
}
