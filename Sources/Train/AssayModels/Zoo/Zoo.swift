import AssayBase
import AssayGraph
import AssayTensor

/// The networks that Assay can build by itself.
public enum Zoo {
  /// All of them, a family after the other.
  public static let entries: [ZooEntry] = families.flatMap { $0 }

  private static let families: [[ZooEntry]] = [
    vgg, resNet, resNetV2, denseNet, xception, inceptionV3, inceptionResNetV2, mobileNet,
    mobileNetV2,
    mobileNetV3, nasNet, efficientNet, efficientNetV2, convNeXt, slimResNet, slimInception, alexNet,
    squeezeNet, yoloV8, ssd, deepLab, mlPerfTiny, trained, textEncoders, visionTransformers,
    alexNetFamily,
  ]

  /// The network of a name; case and the marks `-`, `_`, `.` and space do not count.
  ///
  /// - Throws: `Diagnostic` ZOO001, with the name that is nearest.
  public static func entry(named name: String) throws -> ZooEntry {
    let plain = simplified(name)
    if let entry = entries.first(where: { $0.name == name })
      ?? entries.first(where: { simplified($0.name) == plain })
    {
      return entry
    }
    throw Diagnostic(
      "ZOO001",
      "the zoo has no network '\(name)'",
      remedy: nearest(to: name, among: entries.map(\.name)).map { "did you mean '\($0)'?" }
        ?? "'assay zoo list' shows them all"
    )
  }

  private static func simplified(_ name: String) -> String {
    String(name.lowercased().filter { !"-_. ".contains($0) })
  }
}

extension ZooEntry {
  /// Builds the network with random weights that keep what flows through it alive: every
  /// normalization's statistics are those of a picture made up for the purpose, every other layer
  /// gives out numbers of about one (see `Network.settle`).
  ///
  /// - Parameter threads: workers of the run that finds the statistics; the weights do not depend on it.
  /// - Throws: `Diagnostic` ZOO002 for an option that the network does not have, GRF… where an input is
  ///   too small.
  public func network(_ options: ZooOptions = ZooOptions(), threads: Int = 1) throws -> Network {
    var network = try built(options, .lively)
    // Where a run is cheap, several samples make the statistics better.
    let macs = network.cost.macs
    let count = max(macs < 6_000_000_000 ? 2 : 1, min(16, 3_000_000_000 / max(macs, 1)))
    if count == 1 {
      let sample = syntheticInputs(of: network, seed: options.seed)
      try network.settle(on: sample, center: center, threads: threads)
      return network
    }
    var several = try built(options, .given(network.weights), batch: count)
    let samples = syntheticInputs(of: several, seed: options.seed)
    try several.settle(on: samples, center: center, threads: threads)
    network.take(several.weights)
    return network
  }

  /// The network's layers and shapes, without weights: its graph can be counted, not run.
  ///
  /// - Throws: as `network`.
  public func outline(_ options: ZooOptions = ZooOptions()) throws -> Network {
    try built(options, .structure)
  }

  func built(
    _ options: ZooOptions,
    _ weights: WeightSource,
    batch: Int = 1
  ) throws -> Network {
    let settings = try settings(options)
    return try locating("network '\(name)'") {
      try Network.build(name, seed: options.seed, weights: weights, batch: batch) {
        define($0, settings)
      }
    }
  }

  /// The options with what is published in place of what is open.
  private func settings(_ options: ZooOptions) throws -> ZooSettings {
    func refuse(_ what: String, _ remedy: String) -> Diagnostic {
      Diagnostic("ZOO002", "'\(name)' \(what)", remedy: remedy)
    }
    if options.size != nil, !isResizable {
      throw refuse("takes inputs of one size only", "leave the size out")
    }
    if let size = options.size,
      !(1...8192).contains(size.height) || !(1...8192).contains(size.width)
    {
      throw refuse("takes extents from 1 to 8192", "give a smaller size")
    }
    if options.classes != nil, classes == nil || !options.includesTop {
      throw refuse("has no classes here", "leave the number of classes out")
    }
    if let classes = options.classes, !(1...1_000_000).contains(classes) {
      throw refuse("takes 1 to 1000000 classes", "give another number of classes")
    }
    if !options.includesTop, !hasTop {
      throw refuse("cannot be built without its last layers", "build it whole")
    }
    if let alpha = options.alpha {
      guard self.alpha != nil else {
        throw refuse("has no width multiplier", "'assay zoo list' shows which networks have one")
      }
      guard alpha >= 0.05, alpha <= 4 else {
        throw refuse("takes width multipliers from 0.05 to 4", "give another one")
      }
    }
    let size: Size2D =
      switch input {
      case .picture(let height, let width, _, _): Size2D(height, width)
      case .numbers(let extents): Size2D(extents.first ?? 1, extents.dropFirst().first ?? 1)
      case .tokens(let length, _): Size2D(length, length)
      }
    return ZooSettings(
      size: options.size ?? size,
      classes: options.classes ?? classes ?? 0,
      includesTop: options.includesTop,
      alpha: options.alpha ?? alpha ?? 1,
      preparesAsPublished: options.preparesAsPublished
    )
  }
}

extension Network {
  /// Builds a network whose weights come from a source.
  static func build(
    _ name: String,
    seed: UInt64,
    weights: WeightSource,
    batch: Int,
    _ body: (NetworkBuilder) -> Void
  ) throws -> Network {
    let builder = NetworkBuilder(name: name, seed: seed, weights: weights, batch: batch)
    body(builder)
    return try builder.finish()
  }

  /// Constants by their names.
  fileprivate var weights: [String: Tensor] {
    graph.values.reduce(into: [:]) { result, value in
      if let tensor = value.constant { result[value.name] = tensor }
    }
  }

  /// Takes over constants by their names.
  fileprivate mutating func take(_ weights: [String: Tensor]) {
    for index in graph.values.indices where graph.values[index].constant != nil {
      let id = ValueID(index)
      if let tensor = weights[graph[id].name] { graph[id].constant = tensor }
    }
  }

  /// What one run of the network costs.
  public var cost: Cost {
    graph.nodes.reduce(Cost()) { sum, node in
      sum
        + node.op.cost(
          inputs: node.inputs.map { $0.map { graph[$0].type } },
          outputs: node.outputs.map { graph[$0].type }
        )
    }
  }
}
