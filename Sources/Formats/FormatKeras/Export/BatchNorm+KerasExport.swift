import AssayBase
import AssayGraph
import AssayTensor

extension BatchNorm: KerasExportable {
  func write(_ node: KerasNode, to model: inout KerasExporter) throws {
    var weights: [(name: String, tensor: Tensor)] = []
    for (index, name) in ["gamma", "beta", "moving_mean", "moving_variance"].enumerated()
    where node.has(index + 1) {
      weights.append((name, try model.weight(node, index + 1).flattened))
    }
    let result = model.normalization(
      try model.input(node),
      weights,
      epsilon: epsilon,
      for: node
    )
    model.finish(node, result)
  }
}

extension KerasExporter {
  /// Adds a normalization over the last axis.
  mutating func normalization(
    _ input: KerasResult,
    _ weights: [(name: String, tensor: Tensor)],
    epsilon: Float,
    for node: KerasNode
  ) -> KerasResult {
    let rank = type(of: input).shape.rank
    return add(
      "BatchNormalization",
      [input],
      [
        ("axis", container == .archive ? -1 : [JSON(rank - 1)]), ("momentum", 0.99),
        ("epsilon", JSON(Double(epsilon))),
        ("center", .bool(weights.contains { $0.name == "beta" })),
        ("scale", .bool(weights.contains { $0.name == "gamma" })),
      ],
      weights: weights,
      for: node
    )
  }

  /// Adds `gamma * x + beta` over the last axis: a normalization whose statistics change nothing.
  mutating func channelAffine(
    _ input: KerasResult,
    gamma: [Float]?,
    beta: [Float]?,
    for node: KerasNode
  ) -> KerasResult {
    let count = gamma?.count ?? beta?.count ?? 0
    let shape: Shape = [count]
    var weights: [(name: String, tensor: Tensor)] = []
    if let gamma { weights.append(("gamma", Tensor(gamma, shape))) }
    if let beta { weights.append(("beta", Tensor(beta, shape))) }
    weights.append(("moving_mean", Tensor([Float](repeating: 0, count: count), shape)))
    weights.append(("moving_variance", Tensor([Float](repeating: 1, count: count), shape)))
    return normalization(input, weights, epsilon: 0, for: node)
  }
}
