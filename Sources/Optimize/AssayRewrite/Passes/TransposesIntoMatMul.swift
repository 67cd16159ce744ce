import AssayGraph

/// Lets a product of matrices read an operand as it lies, instead of one with the last two axes
/// exchanged before.
struct TransposesIntoMatMul: LocalPass {
  func rewrite(_ index: Int, of graph: GraphIndex, into patch: inout GraphPatch) {
    var node = graph.graph.nodes[index]
    guard var op = node.op as? MatMul, graph.isFloat(node.outputs[0]) else { return }
    var isChanged = false
    for side in 0..<2 {
      guard let input = node.inputs[side], let before = graph.producer(of: input),
        !patch.touches(before), let turn = graph.graph.nodes[before].op as? Transpose,
        let source = graph.graph.nodes[before].inputs[0], exchangesLastTwo(turn.permutation)
      else { continue }
      node.inputs[side] = source
      if side == 0 { op.transposesA.toggle() } else { op.transposesB.toggle() }
      isChanged = true
    }
    guard isChanged else { return }
    node.op = op
    patch.replace(index, with: [node])
  }

  private func exchangesLastTwo(_ permutation: [Int]) -> Bool {
    let rank = permutation.count
    guard rank >= 2 else { return false }
    return permutation == Array(0..<(rank - 2)) + [rank - 1, rank - 2]
  }
}
