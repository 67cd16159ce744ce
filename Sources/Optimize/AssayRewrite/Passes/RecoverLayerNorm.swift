import AssayGraph
import AssayTensor

/// Recognizes layer normalization in the steps in which exporters write it, and takes factors and terms
/// for each channel after it as its parameters.
struct RecoverLayerNorm: LocalPass {
  func rewrite(_ index: Int, of graph: GraphIndex, into patch: inout GraphPatch) {
    let node = graph.graph.nodes[index]
    guard let op = node.op as? Binary, op.activation == .none, node.inputs.count == 2,
      let output = node.outputs.first, graph.isFloat(output)
    else { return }
    if let (x, epsilon) = normalized(op, node, graph) {
      patch.replace(
        index,
        with: [
          Node(
            name: node.name,
            op: LayerNorm(epsilon: epsilon),
            inputs: [x],
            outputs: node.outputs
          )
        ]
      )
      return
    }
    absorb(index, op, graph, &patch)
  }

  /// Factors become gamma, terms become beta.
  private func absorb(
    _ index: Int,
    _ op: Binary,
    _ graph: GraphIndex,
    _ patch: inout GraphPatch
  ) {
    let node = graph.graph.nodes[index]
    guard op.kind == .multiply || op.kind == .add else { return }
    for (side, other) in [(0, 1), (1, 0)] {
      guard let (before, producer) = graph.soleProducer(of: node.inputs[side], patch),
        producer.op is LayerNorm, let constant = node.inputs[other],
        let tensor = graph.graph[constant].constant, let values = graph.floats(constant)
      else { continue }
      let channels = graph.graph[producer.outputs[0]].type.shape[-1]
      guard tensor.count == channels, tensor.shape.rank >= 1, tensor.shape[-1] == channels,
        graph.graph[node.outputs[0]].type.shape == graph.graph[producer.outputs[0]].type.shape
      else { continue }
      var inputs = producer.inputs + [ValueID?](repeating: nil, count: 3 - producer.inputs.count)
      let place = op.kind == .multiply ? 1 : 2
      // A factor after the term would scale the term too.
      guard inputs[place] == nil, place == 2 || inputs[2] == nil else { continue }
      let row = Tensor(values, [channels])
      inputs[place] = patch.add(
        Value(name: graph.graph[constant].name, type: row.type, constant: row)
      )
      patch.remove(before)
      patch.replace(
        index,
        with: [Node(name: producer.name, op: producer.op, inputs: inputs, outputs: node.outputs)]
      )
      return
    }
  }

  /// `(x - mean) / sqrt(variance + epsilon)`, or times the inverse root.
  private func normalized(
    _ op: Binary,
    _ node: Node,
    _ graph: GraphIndex
  ) -> (x: ValueID, epsilon: Float)? {
    let pairs: [(ValueID?, ValueID?, Unary.Kind)]
    switch op.kind {
    case .divide: pairs = [(node.inputs[0], node.inputs[1], .sqrt)]
    case .multiply:
      pairs = [
        (node.inputs[0], node.inputs[1], .rsqrt), (node.inputs[1], node.inputs[0], .rsqrt),
      ]
    default: return nil
    }
    for (difference, deviation, root) in pairs {
      guard let (x, mean) = centred(difference, graph),
        let inner = graph.unary(deviation, root),
        let (variance, epsilon) = graph.plusScalar(inner), epsilon >= 0,
        let squares = graph.lastMean(variance),
        isSquare(squares, difference, x, mean, graph)
      else { continue }
      return (x, epsilon)
    }
    return nil
  }

  /// `x - mean(x)` over the last axis.
  private func centred(_ id: ValueID?, _ graph: GraphIndex) -> (x: ValueID, mean: ValueID)? {
    guard let node = graph.node(id), let op = node.op as? Binary, op.kind == .subtract,
      op.activation == .none, let x = node.inputs[0], let mean = node.inputs[1],
      graph.lastMean(mean) == x, graph.isFloat(x)
    else { return nil }
    return (x, mean)
  }

  /// Whether `id` is the square of `x - mean`.
  private func isSquare(
    _ id: ValueID,
    _ difference: ValueID?,
    _ x: ValueID,
    _ mean: ValueID,
    _ graph: GraphIndex
  ) -> Bool {
    func isDifference(_ id: ValueID?) -> Bool {
      guard let id else { return false }
      if id == difference { return true }
      guard let again = centred(id, graph) else { return false }
      return again.x == x
    }
    guard let node = graph.node(id) else { return false }
    if let unary = node.op as? Unary {
      return unary.kind == .square && isDifference(node.inputs[0])
    }
    guard let op = node.op as? Binary, op.activation == .none else { return false }
    switch op.kind {
    case .multiply: return isDifference(node.inputs[0]) && isDifference(node.inputs[1])
    case .power: return isDifference(node.inputs[0]) && graph.scalar(node.inputs[1]) == 2
    case .squaredDifference:
      let means = node.inputs.compactMap { $0 }.filter { $0 == mean || graph.lastMean($0) == x }
      return means.count == 1 && node.inputs.contains(x)
    default: return false
    }
  }
}

extension GraphIndex {
  /// The node that makes a value.
  func node(_ id: ValueID?) -> Node? {
    guard let id, let index = producer(of: id) else { return nil }
    return graph.nodes[index]
  }

  /// What a function of this kind is applied to, if that makes the value.
  func unary(_ id: ValueID?, _ kind: Unary.Kind) -> ValueID? {
    guard let node = node(id), let op = node.op as? Unary, op.kind == kind else { return nil }
    return node.inputs[0]
  }

  /// What a scalar is added to, and the scalar.
  func plusScalar(_ id: ValueID?) -> (ValueID, Float)? {
    guard let node = node(id), let op = node.op as? Binary, op.kind == .add,
      op.activation == .none
    else { return nil }
    for (side, other) in [(0, 1), (1, 0)] {
      if let number = scalar(node.inputs[other]), let rest = node.inputs[side] {
        return (rest, number)
      }
    }
    return nil
  }

  /// What the mean over the last axis is taken of, where the axis is kept.
  fileprivate func lastMean(_ id: ValueID?) -> ValueID? {
    guard let node = node(id), let op = node.op as? Reduce, op.kind == .mean, op.keepsAxes,
      op.axes.count == 1, let x = node.inputs[0],
      graph[x].type.shape.normalized(axis: op.axes[0]) == graph[x].type.shape.rank - 1
    else { return nil }
    return x
  }
}
