import AssayGraph
import AssayTensor

/// Makes ReLU, ReLU6 and the clamp to [-1, 1] part of the operator before them.
struct FuseActivations: LocalPass {
  func rewrite(_ index: Int, of graph: GraphIndex, into patch: inout GraphPatch) {
    let node = graph.graph.nodes[index]
    guard let unary = node.op as? Unary, let next = unary.kind.activation,
      graph.isFloat(node.outputs[0]), let input = node.inputs[0]
    else { return }
    guard let (before, producer) = graph.soleProducer(of: input, patch),
      graph.isFloat(producer.outputs[0])
    else { return }
    if var op = producer.op as? any ActivatingOperator, op.takesActivation,
      let activation = op.activation.followed(by: next)
    {
      op.activation = activation
      let fused = Node(name: producer.name, op: op, inputs: producer.inputs, outputs: node.outputs)
      patch.remove(before)
      patch.replace(index, with: [fused])
    } else if let first = producer.op as? Unary, let activation = first.kind.activation,
      let both = activation.followed(by: next),
      let kind = Unary.Kind.allCases.first(where: { $0.activation == both })
    {
      let fused = Node(
        name: producer.name,
        op: Unary(kind),
        inputs: producer.inputs,
        outputs: node.outputs
      )
      patch.remove(before)
      patch.replace(index, with: [fused])
    }
  }
}
