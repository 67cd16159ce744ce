import AssayBase
import AssayGraph
import AssayModels
import AssayTensor

/// Which tensor of a file is which weight of a network, and what does not fit.
public struct WeightMatch: Sendable {
  /// A weight that the network has.
  struct Target: Sendable {
    var name: String
    var shape: Shape
    var role: WeightRole
  }

  /// A weight whose extents are not those of the tensor of its name.
  public struct Misfit: Sendable, Equatable {
    /// The network's name of it.
    public var name: String
    /// What the network wants.
    public var wanted: Shape
    /// The file's name of the tensor.
    public var source: String
    /// What the file has.
    public var found: Shape?
  }

  /// The network's weights with their tensors, fitted.
  public private(set) var tensors: [String: Tensor] = [:]
  /// Where each came from.
  public private(set) var sources: [String: String] = [:]
  /// Weights of the network that the file does not have.
  public private(set) var missing: [String] = []
  /// Tensors of the file that no weight of the network is.
  public private(set) var unexpected: [String] = []
  /// Tensors whose extents differ from the weight's.
  public private(set) var misfits: [Misfit] = []
  /// Whether layers were told apart by their order alone, since the file does not tell their names.
  public private(set) var isByOrder = false
  /// Tensors with elements that are no numbers.
  public private(set) var broken: [String] = []

  /// Whether every weight of the network has its tensor.
  public var isWhole: Bool { missing.isEmpty && misfits.isEmpty && !tensors.isEmpty }

  /// Looks up the weights of a network in a file.
  ///
  /// A weight is found by its name in the network, in the words of the file's framework, with or without
  /// the words in front of all names; by the names that its network has elsewhere (TF-Slim, PyTorch);
  /// in a file of Keras's by its layer's name and its place in the layer, where layers that Keras named
  /// by itself are numbered from any number on, and where no name fits at all by order.
  ///
  /// - Parameters:
  ///   - network: with or without weights.
  ///   - file: the weights.
  /// - Throws: what reading a tensor throws.
  public init(_ network: Network, _ file: WeightFile) throws {
    let targets = WeightMatch.targets(of: network)
    var found: [String: Source]
    if file.layers.isEmpty {
      found = NamedLookup(file).sources(targets, network: network.graph.name)
    } else {
      let kinds = Dictionary(network.layers.map { ($0.name, $0.kind) }) { first, _ in first }
      let lookup = LayerLookup(file, targets, kinds: kinds)
      found = lookup.sources
      isByOrder = lookup.isByOrder
    }
    var used: Set<Int> = []
    for target in targets {
      guard let source = found[target.name] else {
        missing.append(target.name)
        continue
      }
      used.insert(source.entry)
      let entry = file.entries[source.entry]
      let tensor = try locating(entry.name) { try source.cut(entry.read()) }
      guard let tensor, let fitted = target.role.fitted(tensor, file.convention, to: target.shape)
      else {
        misfits.append(
          Misfit(
            name: target.name,
            wanted: target.shape,
            source: entry.name,
            found: tensor?.shape ?? entry.shape
          )
        )
        continue
      }
      if fitted.hasUndefinedNumbers { broken.append(entry.name) }
      tensors[target.name] = fitted
      sources[target.name] = entry.name
    }
    // What a definition has as fixed numbers (ImageNet's means) frameworks keep as weights.
    let fixed = Set(network.layers.map(\.name))
      .subtracting(targets.map { WeightNames.split($0.name).layer })
    let layers = file.layers.filter { fixed.contains($0.name) }
    for layer in layers { try readStatistics(layer.name, layer.entries, network, file) }
    let passedOver = Set(layers.flatMap(\.entries))
    // A normalization's count of samples, which Keras 3 numbers as it does weights.
    let counts = file.layers.compactMap { layer -> Int? in
      guard let last = layer.entries.last, layer.entries.count == 3,
        file.entries[last].shape?.rank == 0, layer.entries.dropLast().allSatisfy(used.contains)
      else { return nil }
      return last
    }
    unexpected = file.entries.indices
      .filter { !used.contains($0) && !passedOver.contains($0) && !counts.contains($0) }
      .map { file.entries[$0].name }.filter { !WeightMatch.isIdle($0) }
  }

  /// Takes the mean and the variance of a layer that normalizes pictures from a file that has them: Keras's
  /// EfficientNets were published with numbers of their own.
  private mutating func readStatistics(
    _ layer: String,
    _ entries: [Int],
    _ network: Network,
    _ file: WeightFile
  ) throws {
    for (part, index) in zip(["mean", "variance"], entries) {
      let name = "\(layer)/\(part)"
      let entry = file.entries[index]
      guard let own = network.graph.values.first(where: { $0.name == name })?.constant else {
        continue
      }
      let tensor = try locating(entry.name) { try entry.read() }
      guard tensor.dtype == .float32, tensor.count == own.count else {
        misfits.append(
          Misfit(name: name, wanted: own.shape, source: entry.name, found: tensor.shape)
        )
        continue
      }
      if tensor.hasUndefinedNumbers { broken.append(entry.name) }
      tensors[name] = tensor.reshaped(own.shape)
      sources[name] = entry.name
    }
  }

  /// Whether a tensor of a file is none that a network computes with.
  private static func isIdle(_ name: String) -> Bool {
    let (layer, part) = WeightNames.split(WeightNames.plain(name))
    return [
      "num_batches_tracked", "position_ids", "relative_position_index", "count",
      "ExponentialMovingAverage",
    ].contains(part) || layer.hasSuffix("dfl/conv")
  }

  /// The weights of a network: what its layers hold, or for an outline what they would hold.
  static func targets(of network: Network) -> [Target] {
    let graph = network.graph
    let index = GraphIndex(graph)
    let inputs = Set(graph.inputs)
    let isOutline = graph.values.indices.contains { place in
      let id = ValueID(place)
      return graph[id].constant == nil && index.producer(of: id) == nil && !inputs.contains(id)
    }
    let layers = Set(network.layers.filter { $0.parameterCount > 0 }.map(\.name))
    return graph.values.indices.compactMap { place in
      let id = ValueID(place)
      let value = graph[id]
      guard index.producer(of: id) == nil, !inputs.contains(id), !index.readers(of: id).isEmpty
      else { return nil }
      if isOutline {
        guard value.constant == nil else { return nil }
      } else {
        // A weight of a layer that has any.
        guard value.type.dtype == .float32, let slash = value.name.lastIndex(of: "/"),
          WeightMatch.owner(String(value.name[..<slash]), layers)
        else { return nil }
      }
      return Target(
        name: value.name,
        shape: value.type.shape,
        role: WeightRole(of: id, in: graph, index)
      )
    }
  }

  /// Whether a path, or one in front of it, is a layer.
  private static func owner(_ path: String, _ layers: Set<String>) -> Bool {
    var current = path[...]
    while true {
      if layers.contains(String(current)) { return true }
      guard let slash = current.lastIndex(of: "/") else { return false }
      current = current[..<slash]
    }
  }

  /// Where a weight comes from: a tensor of the file, or an equal part of its first axis.
  struct Source: Equatable {
    var entry: Int
    var part: (index: Int, count: Int)?

    init(_ entry: Int, part: (index: Int, count: Int)? = nil) {
      self.entry = entry
      self.part = part
    }

    static func == (a: Source, b: Source) -> Bool {
      a.entry == b.entry && a.part?.index == b.part?.index && a.part?.count == b.part?.count
    }

    /// The tensor or its part; `nil` when its first axis cannot be cut so.
    func cut(_ tensor: Tensor) throws -> Tensor? {
      guard let part else { return tensor }
      guard tensor.shape.rank > 0, part.count > 0, tensor.shape[0] % part.count == 0 else {
        return nil
      }
      let bytes = tensor.bytes
      let length = bytes.count / part.count
      var shape = tensor.shape
      shape.dims[0] /= part.count
      return try Tensor(
        TensorType(tensor.dtype, shape),
        bytes: bytes.slice(part.index * length, length)
      )
    }
  }
}

extension Tensor {
  /// Whether an element is infinite or no number.
  fileprivate var hasUndefinedNumbers: Bool {
    guard dtype == .float32 else { return false }
    return unsafe withElements(as: Float.self) { elements in
      unsafe elements.contains { !$0.isFinite }
    }
  }
}
