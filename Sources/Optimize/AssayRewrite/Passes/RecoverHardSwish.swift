import AssayGraph
import AssayTensor

/// Recognizes `x * relu6(x + 3) / 6` in the forms in which frameworks write it.
struct RecoverHardSwish: LocalPass {
  func rewrite(_ index: Int, of graph: GraphIndex, into patch: inout GraphPatch) {
    let node = graph.graph.nodes[index]
    guard let op = node.op as? Binary, op.activation == .none else { return }
    guard let (x, removed) = match(op, node, graph, patch) else { return }
    for other in removed { patch.remove(other) }
    patch.replace(
      index,
      with: [Node(name: node.name, op: Unary(.hardSwish), inputs: [x], outputs: node.outputs)]
    )
  }

  private typealias Match = (x: ValueID, removed: [Int])

  private func match(_ op: Binary, _ node: Node, _ graph: GraphIndex, _ patch: GraphPatch) -> Match?
  {
    guard let a = node.inputs[0], let b = node.inputs[1] else { return nil }
    if let (inner, factor) = scaled(op, a, b, graph), isSixth(factor) {
      // (x * relu6(x + 3)) / 6
      guard let (before, product) = graph.soleProducer(of: inner, patch),
        let multiply = product.op as? Binary, multiply.kind == .multiply,
        multiply.activation == .none, let c = product.inputs[0], let d = product.inputs[1]
      else { return nil }
      for (x, gate) in [(c, d), (d, c)] {
        if let removed = shifted(gate, x, graph, patch) { return (x, removed + [before]) }
      }
      return nil
    }
    guard op.kind == .multiply else { return nil }
    for (x, gate) in [(a, b), (b, a)] {
      // x * (relu6(x + 3) / 6)
      if let (before, producer) = graph.soleProducer(of: gate, patch),
        let scale = producer.op as? Binary, scale.activation == .none, let c = producer.inputs[0],
        let d = producer.inputs[1], let (inner, factor) = scaled(scale, c, d, graph),
        isSixth(factor), let removed = shifted(inner, x, graph, patch)
      {
        return (x, removed + [before])
      }
      // (x / 6) * relu6(x + 3)
      if let (before, producer) = graph.soleProducer(of: x, patch),
        let scale = producer.op as? Binary, scale.activation == .none, let c = producer.inputs[0],
        let d = producer.inputs[1], let (inner, factor) = scaled(scale, c, d, graph),
        isSixth(factor), let removed = shifted(gate, inner, graph, patch)
      {
        return (inner, removed + [before])
      }
    }
    return nil
  }

  private func isSixth(_ factor: Float) -> Bool { abs(factor * 6 - 1) < 1e-6 }

  /// What a product with, or a quotient by, a scalar Constant scales, and by how much.
  private func scaled(
    _ op: Binary,
    _ a: ValueID,
    _ b: ValueID,
    _ graph: GraphIndex
  ) -> (ValueID, Float)? {
    if op.kind == .divide { return graph.scalar(b).map { (a, 1 / $0) } }
    guard op.kind == .multiply else { return nil }
    return graph.scalar(b).map { (a, $0) } ?? graph.scalar(a).map { (b, $0) }
  }

  /// The nodes of `relu6(x + 3)` when `gate` is that.
  private func shifted(
    _ gate: ValueID,
    _ x: ValueID,
    _ graph: GraphIndex,
    _ patch: GraphPatch
  ) -> [Int]? {
    guard let (index, node) = graph.soleProducer(of: gate, patch) else { return nil }
    if let unary = node.op as? Unary, unary.kind == .relu6,
      let (before, add) = graph.soleProducer(of: node.inputs[0], patch),
      isPlus3(add, x, .none, graph)
    {
      return [index, before]
    }
    return isPlus3(node, x, .relu6, graph) ? [index] : nil
  }

  private func isPlus3(
    _ node: Node,
    _ x: ValueID,
    _ activation: Activation,
    _ graph: GraphIndex
  ) -> Bool {
    guard let add = node.op as? Binary, add.kind == .add, add.activation == activation else {
      return false
    }
    return node.inputs[0] == x && graph.scalar(node.inputs[1]) == 3
      || node.inputs[1] == x && graph.scalar(node.inputs[0]) == 3
  }
}
