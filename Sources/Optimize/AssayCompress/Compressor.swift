import AssayBase
import AssayGraph
import AssayKernels
import AssayQuantize
import AssayTensor

/// A network whose weights are being pruned and clustered, and what must stay true of them.
///
/// What a step has made, later steps keep: a pruned weight stays zero under clustering, weights of one
/// cluster stay equal while the network trains on.
public struct Compressor {
  /// The network with its weights of now.
  public private(set) var graph: Graph
  /// Layers that lost channels.
  public private(set) var losses: [ChannelPlan.Loss] = []
  /// The layers whose weights have a mask or clusters.
  public private(set) var layers: [LayerWeights] = []
  private(set) var masks: [ValueID: PruningMask] = [:]
  private(set) var clusters: [ValueID: ClusteredWeights] = [:]
  private let seed: UInt64

  /// Takes a canonical float32 network.
  ///
  /// - Parameter seed: of all draws.
  public init(_ graph: Graph, seed: UInt64 = 1) {
    self.graph = graph
    self.seed = seed
  }

  /// Does a step at once, without training; quantization-aware training is nothing without it.
  ///
  /// - Throws: what the step throws.
  public mutating func change(by step: RecipeStep) throws {
    switch step {
    case .prune(let pruning) where pruning.pattern == .channels: try removeChannels(pruning)
    case .prune(let pruning): try prune(pruning, sparsity: pruning.sparsity)
    case .cluster(let clustering): try cluster(clustering)
    case .quantizationAware: break
    }
  }

  /// Leaves channels out of the network.
  ///
  /// - Throws: `Diagnostic` CMP001 to CMP004.
  public mutating func removeChannels(_ pruning: Pruning) throws {
    _ = try meant(by: pruning.layers)
    let plan = try ChannelPlan(graph, pruning)
    graph = try plan.shrunk()
    losses += plan.losses
  }

  /// Sets weights to zero.
  ///
  /// - Parameter sparsity: the part of zeros that is due now.
  /// - Throws: `Diagnostic` CMP001 for weights that are no numbers, CMP002 when no layer is meant.
  public mutating func prune(_ pruning: Pruning, sparsity: Double) throws {
    for layer in try chosen(pruning.layers) {
      var weights = weights(layer)
      let mask = PruningMask(weights, of: layer, pruning.pattern, sparsity: sparsity)
      mask.apply(to: &weights)
      masks[layer.value] = mask
      set(weights, layer)
    }
  }

  /// Gives the weights of each layer few values.
  ///
  /// - Throws: as `prune`.
  public mutating func cluster(_ clustering: Clustering) throws {
    for layer in try chosen(clustering.layers) {
      let made = ClusteredWeights(
        weights(layer),
        of: layer,
        clustering,
        keepsZeros: masks[layer.value] != nil,
        seed: seed
      )
      clusters[layer.value] = made
      set(made.weights, layer)
    }
  }

  /// Sets weights, right after they have changed, to what must stay true of them.
  ///
  /// - Parameter weights: those of the layer that reads this Constant; others stay as they are.
  mutating func hold(_ weights: FloatBuffer, of value: ValueID) {
    masks[value]?.apply(to: weights)
    clusters[value]?.gather(weights, keepsZeros: masks[value] != nil)
  }

  /// Gives the weights of a cluster the gradient that they have in common, and none to weights that
  /// stay zero.
  func join(_ gradients: FloatBuffer, of value: ValueID) {
    masks[value]?.apply(to: gradients)
    clusters[value]?.sum(gradients, keepsZeros: masks[value] != nil)
  }

  /// The masks, as arrays by the Constants' names: what cannot be told from weights alone.
  var state: [String: [Float]] {
    get {
      Dictionary(
        masks.map { ("mask/" + graph[$0].name, $1.keeps.map { $0 ? 1 : 0 }) }
      ) { first, _ in first }
    }
    set {
      for layer in graph.layerWeights(anyLayer) {
        guard let array = newValue["mask/" + graph[layer.value].name], array.count == layer.count
        else { continue }
        masks[layer.value] = PruningMask(array.map { $0 != 0 })
        register([layer])
      }
    }
  }

  /// Every layer that could have been meant.
  private var anyLayer: LayerRule {
    var rule = LayerRule()
    rule.operators = Graph.compressible.sorted() + ["DepthwiseConv2D"]
    return rule
  }

  /// Takes over weights that training has found.
  public mutating func take(_ tensor: Tensor, of value: ValueID) {
    graph[value].constant = tensor
    graph[value].type = tensor.type
  }

  /// Takes over all Constants of a network with the same values.
  mutating func takeAll(of trained: Graph) {
    for index in graph.values.indices {
      guard graph.values[index].constant != nil, let tensor = trained.values[index].constant
      else { continue }
      take(tensor, of: ValueID(index))
    }
  }

  /// Prunes at once what a schedule has left.
  mutating func finish(_ pruning: Pruning) throws {
    let due = graph.layerWeights(pruning.layers).contains { layer in
      let mask = PruningMask(
        weights(layer),
        of: layer,
        pruning.pattern,
        sparsity: pruning.sparsity
      )
      return (masks[layer.value]?.sparsity ?? 0) < mask.sparsity
    }
    if due { try prune(pruning, sparsity: pruning.sparsity) }
  }

  // MARK: Layers

  /// The layers that a rule means, from now on among those that are looked after.
  private mutating func chosen(_ rule: LayerRule) throws -> [LayerWeights] {
    let chosen = try meant(by: rule)
    register(chosen)
    return chosen
  }

  private mutating func register(_ chosen: [LayerWeights]) {
    let known = Set(layers.map(\.value))
    layers += chosen.filter { !known.contains($0.value) }
    layers.sort { $0.value < $1.value }
  }

  private func meant(by rule: LayerRule) throws -> [LayerWeights] {
    let chosen = graph.layerWeights(rule)
    guard !chosen.isEmpty else {
      throw Diagnostic(
        "CMP002",
        "no layer with weights is meant",
        at: ["network '\(graph.name)'"],
        remedy: "choose other layers; see their names with assay inspect"
      )
    }
    for layer in chosen {
      guard weights(layer).allSatisfy(\.isFinite) else {
        throw Diagnostic(
          "CMP001",
          "weights are NaN or infinite",
          at: ["node '\(layer.node)'", "value '\(graph[layer.value].name)'"]
        )
      }
    }
    return chosen
  }

  private func weights(_ layer: LayerWeights) -> [Float] {
    graph[layer.value].constant?.floats() ?? []
  }

  private mutating func set(_ weights: [Float], _ layer: LayerWeights) {
    guard let shape = graph[layer.value].constant?.shape else { return }
    graph[layer.value].constant = Tensor(weights, shape)
  }
}

/// What is true of the weights of one layer.
public struct LayerReport: Sendable, Equatable {
  /// The node's name.
  public var node: String
  /// Its operator.
  public var op: String
  /// The number of weights.
  public var count: Int
  /// How many of them are zero.
  public var zeros: Int
  /// How many different values they take.
  public var values: Int

  /// What is true of the weights of every layer that pruning and clustering may change, in any
  /// network, in the graph's order.
  ///
  /// Weights in integers are counted as such.
  public static func all(of graph: Graph) -> [LayerReport] {
    var known: Set<ValueID> = []
    return graph.nodes.compactMap { node in
      guard Graph.compressible.contains(node.op.name), node.inputs.count > 1,
        let id = node.inputs[1], let tensor = graph[id].constant, known.insert(id).inserted
      else { return nil }
      func report<Number: Numeric & Hashable>(_ numbers: [Number]) -> LayerReport {
        LayerReport(
          node: node.name,
          op: node.op.name,
          count: numbers.count,
          zeros: numbers.count { $0 == 0 },
          values: Set(numbers).count
        )
      }
      return tensor.dtype.isInteger ? report(tensor.integers()) : report(tensor.floats())
    }
  }

  /// The report as JSON.
  public var json: JSON {
    .object([
      "node": .string(node), "operator": .string(op), "weights": JSON(count),
      "zeros": JSON(zeros), "values": JSON(values),
    ])
  }
}
