import AssayGraph

/// Activations that cost no pass over memory of their own while a graph is trained.
///
/// A ReLU right behind a convolution or dense layer becomes that layer's bound: the ReLU's output lies
/// where the layer's does, and its node does nothing. A batch normalization right behind a bounded
/// layer takes the bounds back as it writes the gradient, since it reads the layer's output anyway.
struct JoinedActivations {
  /// What each node's output is bounded to: by its own activation, or by that of the ReLU behind it.
  private(set) var bounds: [Activation]
  /// Whether a node is a ReLU that the node before it has taken over.
  private(set) var isTakenOver: [Bool]
  /// What each node takes back when it writes the gradient of its input 0.
  private(set) var takenBack: [Activation]
  /// Whether the gradient of a node's output comes with its bounds taken back already.
  private(set) var isTakenBack: [Bool]

  /// - Parameter seeds: the values whose gradients come from outside; they stay as they are.
  init(_ graph: Graph, seeds: [ValueID]) {
    let kept = Set(seeds + graph.outputs)
    bounds = graph.nodes.map { ($0.op as? any DifferentiableOperator)?.outputBounds ?? .none }
    isTakenOver = graph.nodes.map { _ in false }
    takenBack = graph.nodes.map { _ in .none }
    isTakenBack = isTakenOver
    var maker: [ValueID: Int] = [:]
    var reads: [ValueID: Int] = [:]
    for (index, node) in graph.nodes.enumerated() {
      for output in node.outputs { maker[output] = index }
      for input in node.inputs { if let input { reads[input, default: 0] += 1 } }
    }
    for (index, node) in graph.nodes.enumerated() {
      guard let input = node.inputs.first ?? nil, reads[input] == 1, !kept.contains(input),
        let before = maker[input]
      else { continue }
      if let activation = (node.op as? Unary)?.kind.activation, bounds[before] == .none,
        (graph.nodes[before].op as? any DifferentiableOperator)?.outputBounds == .some(.none),
        !node.outputs.contains(where: kept.contains)
      {
        bounds[before] = activation
        isTakenOver[index] = true
        // Readers see through it.
        for output in node.outputs { maker[output] = before }
      } else if node.op is BatchNorm, bounds[before] != .none {
        takenBack[index] = bounds[before]
        isTakenBack[before] = true
      }
    }
  }
}
