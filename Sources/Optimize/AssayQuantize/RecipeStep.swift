import AssayBase

/// A step of a recipe that changes what weights are, and that training goes with.
///
/// Steps are data here; AssayCompress does them. Their names are parts of recipes' names: `prune50`,
/// `prune50_2x4`, `prune50_block1x16`, `prune50_channels`, `cluster8`, `cluster8_linear`,
/// `cluster16_per_channel`, `qat`, `qat_learned`.
public enum RecipeStep: Sendable, Hashable {
  /// Weights of small magnitude become zero and stay so, or channels leave the network.
  case prune(Pruning)
  /// The weights of a layer take few values.
  case cluster(Clustering)
  /// The network is trained with the rounding that its integers will make.
  case quantizationAware(QuantizationAwareTraining)

  /// The name, such as `prune50_2x4`.
  public var name: String {
    switch self {
    case .prune(let pruning): pruning.name
    case .cluster(let clustering): clustering.name
    case .quantizationAware(let training): training.name
    }
  }

  /// The step with this name; `nil` when it is none.
  public init?(name: String) {
    if let pruning = Pruning(name: name) {
      self = .prune(pruning)
    } else if let clustering = Clustering(name: name) {
      self = .cluster(clustering)
    } else if let training = QuantizationAwareTraining(name: name) {
      self = .quantizationAware(training)
    } else {
      return nil
    }
  }

  /// Names that show what there is, for messages.
  public static let examples = [
    "prune50", "prune50_2x4", "prune50_block1x16", "prune50_channels", "cluster8",
    "cluster8_linear", "cluster8_density", "cluster8_per_channel", "qat", "qat_learned",
  ]

  /// What it does, as part of a sentence.
  var summary: String {
    switch self {
    case .prune(let pruning): pruning.summary
    case .cluster(let clustering): clustering.summary
    case .quantizationAware(let training): training.summary
    }
  }

  /// Steps are done in this order, so that each can keep what the one before has made.
  var order: Int {
    switch self {
    case .prune(let pruning): pruning.pattern == .channels ? 0 : 1
    case .cluster: 2
    case .quantizationAware: 3
    }
  }
}

/// Which layers of a network a step concerns.
public struct LayerRule: Sendable, Hashable {
  /// Only nodes with names of one of these patterns, in which `*` stands for any characters and `?`
  /// for one; all when it is empty.
  public var nodes: [String] = []
  /// No nodes with names of one of these patterns.
  public var except: [String] = []
  /// Only these operators, such as `Conv2D`; the step's own choice when it is empty.
  public var operators: [String] = []
  /// Whether the first layer with weights stays as it is.
  public var sparesFirst = false
  /// Whether the last layer with weights stays as it is.
  public var sparesLast = false

  /// Every layer of the step's own choice.
  public init() {}

  /// Whether a node of this name and operator is meant.
  ///
  /// - Parameter kinds: the operators that the step chooses by itself.
  public func matches(name: String, op: String, among kinds: Set<String>) -> Bool {
    let isKind =
      operators.isEmpty
      ? kinds.contains(op) : operators.contains { $0.lowercased() == op.lowercased() }
    return isKind && (nodes.isEmpty || nodes.contains { namePattern($0, matches: name) })
      && !except.contains { namePattern($0, matches: name) }
  }
}

/// A moment of a training: a step of the optimizer, or a part of all steps.
public enum Moment: Sendable, Hashable {
  /// This step, counted from 0.
  case step(Int)
  /// This part of all steps, from 0 to 1.
  case part(Double)

  /// The step that it is when there are `count` of them.
  public func step(of count: Int) -> Int {
    switch self {
    case .step(let step): step
    case .part(let part): Int((part * Double(count)).rounded(.down))
    }
  }

  /// The moment that a text such as `500` or `40%` stands for; `nil` for another text.
  public init?(text: String) {
    if text.hasSuffix("%") {
      guard let value = Double(text.dropLast()), (0...100).contains(value) else { return nil }
      self = .part(value / 100)
    } else {
      guard let step = Int(text), step >= 0 else { return nil }
      self = .step(step)
    }
  }

  /// `500` or `40%`.
  public var text: String {
    switch self {
    case .step(let step): "\(step)"
    case .part(let part): "\(percentText(part))%"
    }
  }
}

/// How much of a layer is zero at which step of training (Zhu and Gupta, 2017).
public struct PruningSchedule: Sendable, Hashable {
  /// How the part of zeros grows.
  public enum Kind: Sendable, Hashable {
    /// All at once.
    case constant
    /// From `initial` to the final part, fast at first: `final + (initial - final) (1 - t)^power`.
    case polynomial(initial: Double, power: Int)
  }

  /// How it grows.
  public var kind: Kind
  /// When the first weights become zero.
  public var begin: Moment
  /// When the final part is reached; of no meaning for `constant`.
  public var end: Moment
  /// Steps between two choices of weights; a constant schedule chooses anew as long as training goes.
  public var frequency: Int

  /// Polynomial decay over the first 60 % of training, a choice every 20 steps.
  public init(
    _ kind: Kind = .polynomial(initial: 0, power: 3),
    begin: Moment = .part(0),
    end: Moment = .part(0.6),
    frequency: Int = 20
  ) {
    self.kind = kind
    self.begin = begin
    self.end = end
    self.frequency = frequency
  }

  /// The part of zeros that is due at a step, of a training of `count` steps; `nil` when weights are
  /// not chosen at this step.
  public func sparsity(_ final: Double, at step: Int, of count: Int) -> Double? {
    let (first, last) = (begin.step(of: count), end.step(of: count))
    guard step >= first, frequency > 0 else { return nil }
    switch kind {
    case .constant:
      return (step - first) % frequency == 0 ? final : nil
    case .polynomial(let initial, let power):
      guard step < last else { return step == max(last, first) ? final : nil }
      guard (step - first) % frequency == 0 else { return nil }
      let passed = Double(step - first) / Double(max(last - first, 1))
      var rest = 1.0
      for _ in 0..<max(power, 0) { rest *= 1 - passed }
      return final + (initial - final) * rest
    }
  }
}

/// Weights of small magnitude become zero.
public struct Pruning: Sendable, Hashable {
  /// Which weights fall together.
  public enum Pattern: Sendable, Hashable {
    /// Each for itself.
    case single
    /// Blocks of `rows` outputs by `columns` consecutive weights of an output.
    case block(rows: Int, columns: Int)
    /// `zeros` of each `of` consecutive weights of an output, as sparse matrix units want it.
    case part(zeros: Int, of: Int)
    /// Whole output channels, which leave the network.
    case channels
  }

  /// The part of a layer that falls, from 0 to 1.
  public var sparsity: Double
  /// Which weights fall together.
  public var pattern: Pattern
  /// When they fall.
  public var schedule: PruningSchedule
  /// Which layers lose weights.
  public var layers: LayerRule

  /// A pruning with the usual schedule, of all layers.
  public init(_ sparsity: Double, _ pattern: Pattern = .single) {
    self.sparsity = sparsity
    self.pattern = pattern
    schedule = PruningSchedule()
    layers = LayerRule()
  }

  /// The percentage in the name.
  private var percent: String { percentText(sparsity) }

  var name: String {
    switch pattern {
    case .single: "prune\(percent)"
    case .block(let rows, let columns): "prune\(percent)_block\(rows)x\(columns)"
    case .part(let zeros, let of): "prune\(percent)_\(zeros)x\(of)"
    case .channels: "prune\(percent)_channels"
    }
  }

  init?(name: String) {
    guard name.hasPrefix("prune") else { return nil }
    let parts = name.dropFirst("prune".count).split(
      separator: "_",
      omittingEmptySubsequences: false
    )
    guard parts.count <= 2, let text = parts.first, text.first?.isNumber ?? false,
      let percent = Double(text), percent > 0, percent < 100
    else { return nil }
    self.init(percent / 100)
    guard parts.count == 2 else { return }
    let word = parts[1]
    if word == "channels" {
      pattern = .channels
    } else if word.hasPrefix("block") {
      guard let (rows, columns) = extents(word.dropFirst("block".count)) else { return nil }
      pattern = .block(rows: rows, columns: columns)
    } else {
      guard let (zeros, of) = extents(word), zeros < of,
        (Double(zeros) / Double(of) - sparsity).magnitude < 0.005
      else { return nil }
      sparsity = Double(zeros) / Double(of)
      pattern = .part(zeros: zeros, of: of)
      // 33 % of parts of three are a third.
      if (sparsity * 100).rounded() != sparsity * 100 { sparsity = percent / 100 }
    }
  }

  var summary: String {
    switch pattern {
    case .single: "\(percent) % of the weights of each layer are zero"
    case .block(let rows, let columns):
      "\(percent) % of each layer's blocks of \(rows) x \(columns) weights are zero"
    case .part(let zeros, let of): "\(zeros) of each \(of) consecutive weights are zero"
    case .channels: "\(percent) % of the channels leave the network"
    }
  }
}

/// The weights of a layer take few values.
public struct Clustering: Sendable, Hashable {
  /// Where the values lie at first.
  public enum Initialization: String, Sendable, Hashable, CaseIterable {
    /// Seeded draws, far from one another (k-means++, Arthur and Vassilvitskii, 2007).
    case kMeansPlusPlus = "kmeans++"
    /// At equal distances from the least to the greatest weight.
    case linear
    /// So that between two of them lie equally many weights.
    case density
  }

  /// How many values a layer (or a channel) has.
  public var count: Int
  /// Where they lie at first.
  public var initialization: Initialization
  /// Whether each output channel has values of its own.
  public var isPerChannel: Bool
  /// Which layers are clustered.
  public var layers: LayerRule

  /// Clusters by k-means++, for each layer.
  public init(
    _ count: Int,
    _ initialization: Initialization = .kMeansPlusPlus,
    isPerChannel: Bool = false
  ) {
    self.count = count
    self.initialization = initialization
    self.isPerChannel = isPerChannel
    layers = LayerRule()
  }

  var name: String {
    "cluster\(count)" + (initialization == .kMeansPlusPlus ? "" : "_\(initialization.rawValue)")
      + (isPerChannel ? "_per_channel" : "")
  }

  init?(name: String) {
    guard name.hasPrefix("cluster") else { return nil }
    var rest = name.dropFirst("cluster".count)
    let isPerChannel = rest.hasSuffix("_per_channel")
    if isPerChannel { rest = rest.dropLast("_per_channel".count) }
    let parts = rest.split(separator: "_", maxSplits: 1, omittingEmptySubsequences: false)
    guard let text = parts.first, text.first?.isNumber ?? false, let count = Int(text),
      (2...256).contains(count)
    else { return nil }
    var initialization = Initialization.kMeansPlusPlus
    if parts.count == 2 {
      guard let known = Initialization(rawValue: String(parts[1])), known != .kMeansPlusPlus else {
        return nil
      }
      initialization = known
    }
    self.init(count, initialization, isPerChannel: isPerChannel)
  }

  var summary: String {
    "the weights of each \(isPerChannel ? "channel" : "layer") take \(count) values"
  }
}

/// A network is trained with the rounding that its integers will make (Jacob et al., 2018).
public struct QuantizationAwareTraining: Sendable, Hashable {
  /// How the ranges of values are found while the network trains.
  public enum Ranges: String, Sendable, Hashable, CaseIterable {
    /// Averages of what batches show, the later ones weighing more.
    case movingAverage = "moving_average"
    /// Trained with the weights (Jain et al., 2020).
    case learned
  }

  /// How ranges are found.
  public var ranges: Ranges
  /// When ranges stand still, so that the last steps train for what will be written.
  public var freeze: Moment
  /// When batch normalizations stop following the batches and stand still as what the file will hold.
  ///
  /// Until then they normalize by the batch's own statistics (Krishnamoorthi, 2018, section 3.2.2).
  public var normalizationFreeze: Moment

  /// Ranges by moving averages, still for the last fifth; normalizations, still for the second half.
  public init(
    _ ranges: Ranges = .movingAverage,
    freeze: Moment = .part(0.8),
    normalizationFreeze: Moment = .part(0.5)
  ) {
    self.ranges = ranges
    self.freeze = freeze
    self.normalizationFreeze = normalizationFreeze
  }

  var name: String { ranges == .learned ? "qat_learned" : "qat" }

  init?(name: String) {
    switch name {
    case "qat": self.init()
    case "qat_learned": self.init(.learned)
    default: return nil
    }
  }

  var summary: String {
    "trained with the rounding of its integers"
      + (ranges == .learned ? ", whose ranges are learned" : "")
  }
}

/// A part as a percentage, of at most six decimals.
private func percentText(_ part: Double) -> String {
  let value = (part * 1e8).rounded() / 1e6
  return value.rounded() == value ? "\(Int(value))" : "\(value)"
}

/// Two extents such as `1x16`.
private func extents(_ text: Substring) -> (Int, Int)? {
  let parts = text.split(separator: "x", omittingEmptySubsequences: false)
  guard parts.count == 2, let a = Int(parts[0]), let b = Int(parts[1]), (1...1024).contains(a),
    (1...1024).contains(b), a * b > 1
  else { return nil }
  return (a, b)
}
