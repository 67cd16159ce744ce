import AssayBase
import AssayGraph
import AssayTensor

/// A network of the zoo: what it is, and how it is built.
public struct ZooEntry: Sendable {
  /// The name, as the framework that published it has it: `MobileNetV2`, `resnet_v1_50`, `yolov8n-seg`.
  public let name: String
  /// The networks that share a definition: `MobileNetV2`, `YOLOv8`.
  public let family: String
  /// What it is for.
  public let task: ZooTask
  /// Whose names and numbers the definition follows: `Keras Applications`, `TF-Slim`, `Ultralytics`.
  public let source: String
  /// What it is fed.
  public let input: ZooInput
  /// Its classes as published; `nil` where it puts out something else.
  public let classes: Int?
  /// Its width multiplier, where it has one that can be changed.
  public let alpha: Double?
  /// Whether the part before its last layers can be built alone.
  public let hasTop: Bool
  /// Whether its input can have another size.
  public let isResizable: Bool
  /// What the normalizations before activations give on average with random weights (see `Network.settle`).
  let center: Float
  /// The description of a network that a text describes, for a seed.
  private let describe: (@Sendable (UInt64) -> NetworkDescription)?
  /// Adds the network's layers.
  let define: @Sendable (NetworkBuilder, ZooSettings) -> Void

  init(
    _ name: String,
    family: String,
    task: ZooTask = .classification,
    source: String,
    input: ZooInput,
    classes: Int? = 1000,
    alpha: Double? = nil,
    hasTop: Bool = true,
    isResizable: Bool = true,
    center: Float = 0,
    describe: (@Sendable (UInt64) -> NetworkDescription)? = nil,
    _ define: @escaping @Sendable (NetworkBuilder, ZooSettings) -> Void
  ) {
    self.name = name
    self.family = family
    self.task = task
    self.source = source
    self.input = input
    self.classes = classes
    self.alpha = alpha
    self.hasTop = hasTop
    self.isResizable = isResizable
    self.center = center
    self.describe = describe
    self.define = define
  }

  /// The text's content for a network that a text describes; `nil` for others.
  ///
  /// - Parameter seed: decides the layers of a random network.
  public func description(seed: UInt64) -> NetworkDescription? { describe?(seed) }
}

/// What a network of the zoo is for.
public enum ZooTask: String, Sendable, CaseIterable {
  case classification
  case detection
  case segmentation
  case instanceSegmentation = "instance segmentation"
  case anomaly = "anomaly detection"
  case keywords = "keyword spotting"
  case text = "text encoding"
}

/// What a network of the zoo is fed.
public enum ZooInput: Sendable, Equatable {
  /// A picture `[1, height, width, channels]` whose numbers are prepared in a way.
  case picture(height: Int, width: Int, channels: Int, Pixels)
  /// Plain numbers of these extents, about normally distributed.
  case numbers([Int])
  /// Word pieces: how many, and of a vocabulary of how many.
  case tokens(length: Int, vocabulary: Int)

  /// A square picture of red, green and blue.
  static func square(_ side: Int, _ pixels: Pixels) -> ZooInput {
    .picture(height: side, width: side, channels: 3, pixels)
  }

  /// How the numbers of a picture are prepared.
  public enum Pixels: String, Sendable, CaseIterable {
    /// 0 to 255 as they are; the network prepares them itself.
    case bytes = "0 ... 255"
    /// 0 to 1.
    case unit = "0 ... 1"
    /// -1 to 1.
    case signed = "-1 ... 1"
    /// Blue, green and red less ImageNet's means, as Caffe had them.
    case caffe = "BGR less ImageNet's means"
    /// Red, green and blue from 0 to 1 less ImageNet's means by its deviations, as PyTorch has them.
    case standardized = "standardized by ImageNet's means and deviations"

    /// The least and the greatest number.
    public var range: ClosedRange<Float> {
      switch self {
      case .bytes: 0...255
      case .unit: 0...1
      case .signed: -1...1
      case .caffe: -123.68...151.061
      case .standardized: -2.118...2.64
      }
    }
  }
}

/// What a user may change of a network of the zoo.
public struct ZooOptions: Sendable, Equatable {
  /// The seed of its weights.
  public var seed: UInt64 = 0
  /// Rows and columns of its picture, or the length of its sequence (both alike).
  public var size: Size2D?
  /// The classes that it tells apart.
  public var classes: Int?
  /// Whether it has its last layers, which classify.
  public var includesTop = true
  /// The width multiplier.
  public var alpha: Double?
  /// Whether pictures are prepared as the published weights want them.
  ///
  /// Only Keras's EfficientNetB0 to B7 differ: with its published weights they divide by the root of
  /// the deviations once more than networks of the same name that are trained afresh.
  public var preparesAsPublished = true

  /// The network as published, with the weights of seed 0.
  public init() {}
}

/// A network's options with nothing left open.
struct ZooSettings: Sendable {
  var size: Size2D
  var classes: Int
  var includesTop: Bool
  var alpha: Double
  var preparesAsPublished: Bool
}
