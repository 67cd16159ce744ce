import AssayGraph
import AssayTensor

/// Recognizes `x / 2 * (1 + erf(x / sqrt(2)))` in whatever order the product is written
/// (Hendrycks and Gimpel, 2016).
struct RecoverGELU: LocalPass {
  func rewrite(_ index: Int, of graph: GraphIndex, into patch: inout GraphPatch) {
    let node = graph.graph.nodes[index]
    guard let op = node.op as? Binary, op.activation == .none, let output = node.outputs.first,
      op.kind == .multiply || op.kind == .divide, graph.isFloat(output)
    else { return }
    guard let product = product(node, graph, depth: 0), isClose(product.scalar, 0.5),
      product.factors.count == 2
    else { return }
    for (gate, x) in [(0, 1), (1, 0)] {
      let x = product.factors[x]
      guard let (inner, one) = graph.plusScalar(product.factors[gate]), one == 1,
        let argument = graph.unary(inner, .erf), let maker = graph.node(argument),
        let scaled = self.product(maker, graph, depth: 3), scaled.factors == [x],
        isClose(scaled.scalar, 0.7071067811865476)
      else { continue }
      patch.replace(
        index,
        with: [Node(name: node.name, op: Unary(.gelu), inputs: [x], outputs: node.outputs)]
      )
      return
    }
  }

  private func isClose(_ a: Double, _ b: Double) -> Bool { (a - b).magnitude < 1e-6 }

  /// A product as one number and the values that are no numbers.
  private func product(
    _ node: Node,
    _ graph: GraphIndex,
    depth: Int
  ) -> (scalar: Double, factors: [ValueID])? {
    guard let op = node.op as? Binary, op.activation == .none, node.inputs.count == 2,
      op.kind == .multiply || op.kind == .divide
    else { return nil }
    var scalar = 1.0
    var factors: [ValueID] = []
    for (place, input) in node.inputs.enumerated() {
      guard let input else { return nil }
      let divides = op.kind == .divide && place == 1
      if let number = graph.scalar(input) {
        scalar = divides ? scalar / Double(number) : scalar * Double(number)
      } else if divides {
        return nil
      } else if depth < 2,
        let inner = graph.node(input).flatMap({
          product($0, graph, depth: depth + 1)
        }), inner.scalar != 1
      {
        scalar *= inner.scalar
        factors += inner.factors
      } else if depth < 2, graph.node(input).map({ isGate($0, graph) }) == false,
        let inner = graph.node(input).flatMap({ product($0, graph, depth: depth + 1) }),
        inner.factors.contains(where: { graph.node($0).map { isGate($0, graph) } ?? false })
      {
        scalar *= inner.scalar
        factors += inner.factors
      } else {
        factors.append(input)
      }
    }
    return (scalar, factors)
  }

  /// `1 + erf(…)`.
  private func isGate(_ node: Node, _ graph: GraphIndex) -> Bool {
    guard let output = node.outputs.first, let (inner, one) = graph.plusScalar(output) else {
      return false
    }
    return one == 1 && graph.unary(inner, .erf) != nil
  }
}
