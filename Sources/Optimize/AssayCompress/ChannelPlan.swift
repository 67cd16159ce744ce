import AssayBase
import AssayGraph
import AssayQuantize
import AssayTensor

/// Which channels leave a network, chosen by the magnitude of the weights that make them.
///
/// Layers whose channels depend on one another (by an addition, say) lose the same ones. The channels
/// of least L1 norm leave (Li et al., 2017), each layer's norms measured by their mean.
public struct ChannelPlan {
  /// What one layer loses.
  public struct Loss: Sendable, Equatable {
    /// The node's name.
    public var node: String
    /// Output channels before and after.
    public var before: Int, after: Int

    /// A layer's loss.
    public init(node: String, before: Int, after: Int) {
      self.node = node
      self.before = before
      self.after = after
    }
  }

  /// The layers that lose channels, in the graph's order.
  public private(set) var losses: [Loss] = []
  private let groups: ChannelGroups
  private var leaving: Set<Int> = []

  /// Chooses channels of a canonical graph.
  ///
  /// At least one channel of each layer stays.
  ///
  /// - Throws: `Diagnostic` CMP004 when no layer can lose a channel.
  public init(_ graph: Graph, _ pruning: Pruning) throws {
    groups = ChannelGroups(graph)
    let chosen = Set(graph.layerWeights(pruning.layers).map(\.value))
    var fixed: Set<Int> = []
    for layer in groups.layers where !chosen.contains(layer.filter) {
      fixed.formUnion(layer.channels.map { groups.group($0) })
    }
    let scores = groups.layers.map { norms($0, graph) }
    for family in families() {
      var score: [Int: Float] = [:]
      var order: [Int] = []
      for index in family {
        for (channel, norm) in zip(groups.layers[index].channels, scores[index]) {
          let group = groups.group(channel)
          if score[group] == nil { order.append(group) }
          score[group, default: 0] += norm
        }
      }
      let free = order.filter { !groups.isFixed($0) && !fixed.contains($0) }
      let count = min(Int(pruning.sparsity * Double(free.count)), order.count - 1)
      let places = Dictionary(uniqueKeysWithValues: order.enumerated().map { ($1, $0) })
      let sorted = free.sorted {
        (score[$0] ?? 0, places[$0] ?? 0) < (score[$1] ?? 0, places[$1] ?? 0)
      }
      leaving.formUnion(sorted.prefix(max(count, 0)))
    }
    keepOneEverywhere(graph)
    guard !leaving.isEmpty else {
      throw Diagnostic(
        "CMP004",
        "no layer can lose a channel",
        remedy:
          "choose other layers, or prune single weights with prune\(Int(pruning.sparsity * 100))"
      )
    }
    for layer in groups.layers {
      let kept = kept(layer.channels).count
      guard kept < layer.channels.count else { continue }
      let name = graph.nodes[layer.node].name
      losses.append(Loss(node: name, before: layer.channels.count, after: kept))
    }
  }

  /// A part of a layer's channels may be read alone: something of it stays, too.
  private mutating func keepOneEverywhere(_ graph: Graph) {
    for index in graph.values.indices {
      guard let channels = groups.channels(ValueID(index)), kept(channels).isEmpty,
        let first = channels.first
      else { continue }
      leaving.remove(groups.group(first))
    }
  }

  /// The L1 norms of what makes each channel of a layer, over their mean.
  private func norms(_ layer: ChannelGroups.Layer, _ graph: Graph) -> [Float] {
    let weights = graph[layer.filter].constant?.floats() ?? []
    let size = weights.count / max(layer.channels.count, 1)
    let norms = layer.channels.indices.map { row in
      weights[row * size..<(row + 1) * size].reduce(Float(0)) { $0 + $1.magnitude }
    }
    let mean = norms.reduce(0, +) / Float(max(norms.count, 1))
    return norms.map { mean > 0 ? $0 / mean : 0 }
  }

  /// Layers that share groups of channels, by index.
  private func families() -> [[Int]] {
    var family = Array(groups.layers.indices)
    var owner: [Int: Int] = [:]
    func root(_ index: Int) -> Int {
      var index = index
      while family[index] != index { index = family[index] }
      return index
    }
    for (index, layer) in groups.layers.enumerated() {
      for channel in layer.channels {
        let group = groups.group(channel)
        if let other = owner[group] {
          family[root(index)] = root(other)
        } else {
          owner[group] = index
        }
      }
    }
    return Dictionary(grouping: groups.layers.indices, by: root).sorted { $0.key < $1.key }
      .map { $0.value.sorted() }
  }

  /// The places among channels that stay.
  private func kept(_ channels: [Int]) -> [Int] {
    channels.indices.filter { !leaving.contains(groups.group(channels[$0])) }
  }

  /// The network in which what reads the leaving channels has zeros for them: it computes what the
  /// network without them computes.
  public func masked() -> Graph {
    var graph = groups.graph
    for cut in groups.cuts where cut.role == .reads {
      guard let tensor = graph[cut.constant].constant else { continue }
      let kept = Set(kept(cut.channels))
      let (extent, inner) = (tensor.shape[cut.axis], tensor.shape.strides[cut.axis])
      var numbers = tensor.floats()
      for index in numbers.indices {
        if !kept.contains(index / inner % extent) { numbers[index] = 0 }
      }
      graph[cut.constant].constant = Tensor(numbers, tensor.shape)
    }
    return graph
  }

  /// The network without the leaving channels.
  ///
  /// - Throws: `Diagnostic` GRF… when the result is no valid graph, which is a fault of ours.
  public func shrunk() throws -> Graph {
    var graph = groups.graph
    for cut in groups.cuts {
      guard let tensor = graph[cut.constant].constant else { continue }
      let small = tensor.gathered(kept(cut.channels), axis: cut.axis)
      graph[cut.constant].constant = small
      graph[cut.constant].type = small.type
    }
    for index in graph.values.indices {
      guard let channels = groups.channels(ValueID(index)) else { continue }
      let shape = graph.values[index].type.shape
      graph[ValueID(index)].type.shape.dims[shape.rank - 1] = kept(channels).count
    }
    for (index, node) in graph.nodes.enumerated() {
      graph.nodes[index].op = adapted(node, graph)
    }
    if let fault = graph.validate().first { throw fault }
    return graph
  }

  /// The operator with the extents of the smaller network.
  private func adapted(_ node: Node, _ graph: Graph) -> any Operator {
    guard let id = node.inputs.first ?? nil, let channels = groups.channels(id),
      let output = node.outputs.first
    else { return node.op }
    switch node.op {
    case var op as Reshape:
      op.shape = graph[output].type.shape.dims
      return op
    case var op as Slice:
      let axis = op.sizes.count - 1
      op.begin[axis] = kept(Array(channels.prefix(op.begin[axis]))).count
      op.sizes[axis] = graph[output].type.shape[-1]
      return op
    case var op as Split:
      let shape = graph[id].type.shape
      guard shape.normalized(axis: op.axis) == shape.rank - 1 else { return op }
      op.sizes = node.outputs.map { graph[$0].type.shape[-1] }
      return op
    default: return node.op
    }
  }
}

extension Tensor {
  /// The slices at these places along an axis, in this order.
  func gathered(_ places: [Int], axis: Int) -> Tensor {
    let numbers = floats()
    let (extent, inner) = (shape[axis], shape.strides[axis])
    var result: [Float] = []
    result.reserveCapacity(numbers.count / max(extent, 1) * places.count)
    for outer in 0..<(extent * inner > 0 ? numbers.count / (extent * inner) : 0) {
      for place in places {
        let start = (outer * extent + place) * inner
        result += numbers[start..<start + inner]
      }
    }
    var dims = shape.dims
    dims[axis] = places.count
    return Tensor(result, Shape(dims))
  }
}
