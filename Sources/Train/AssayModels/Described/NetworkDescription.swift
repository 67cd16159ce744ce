import AssayBase
import AssayGraph
import AssayTensor

/// A plain classifier as a list of layers, which a text can describe (docs/zoo.md): convolutions with
/// ReLUs, poolings, fires, dense layers, repetitions of them, and a softmax over the classes.
public struct NetworkDescription: Sendable, Equatable {
  /// The network's name.
  public var name: String
  /// Rows, columns and channels of its picture.
  public var input: [Int]
  /// Classes that it tells apart.
  public var classes: Int
  /// Copies with weights of their own whose scores are averaged.
  public var copies: Int
  /// The layers before the scores.
  public var layers: [Layer]

  /// A layer, or several of them repeated.
  public indirect enum Layer: Sendable, Equatable {
    /// A convolution that keeps the extents (but for its strides), with a ReLU.
    case conv(filters: Int, kernel: Int, strides: Int)
    /// The greatest or the mean of each window.
    case pool(Pool2D.Kind, window: Int, strides: Int)
    /// A narrow convolution and two wide ones of it side by side (Iandola et al., 2016).
    case fire(squeeze: Int, expand: Int)
    /// A dense layer with a ReLU.
    case dense(Int)
    /// Layers one after the other, several times.
    case repeated(Int, [Layer])
  }

  /// Makes a description.
  public init(
    _ name: String,
    input: [Int] = [224, 224, 3],
    classes: Int = 1000,
    copies: Int = 1,
    _ layers: [Layer]
  ) {
    self.name = name
    self.input = input
    self.classes = classes
    self.copies = copies
    self.layers = layers
  }

  /// The entry that builds it.
  public func entry(family: String = "described", source: String = "a description") -> ZooEntry {
    ZooEntry(
      name,
      family: family,
      source: source,
      input: .picture(height: input[0], width: input[1], channels: input[2], .unit),
      classes: classes,
      describe: { _ in self }
    ) { network, settings in define(network, settings) }
  }

  func define(_ network: NetworkBuilder, _ settings: ZooSettings) {
    let image = network.picture(settings, channels: input[2])
    func copy() -> Signal {
      var state = Counting()
      return layers.reduce(image) { add($1, to: $0, &state) }
    }
    guard settings.includesTop else { return network.output(copy(), name: "features") }
    func scores(_ index: Int) -> Signal {
      let name = copies > 1 ? "copy\(index + 1)" : nil
      return image.block(name) { _ in
        let features = copy()
        let flat = features.shape.rank > 2 ? features.flatten() : features
        return flat.dense(settings.classes, name: "scores").activation(.softmax)
      }
    }
    var sum = scores(0)
    for index in 1..<max(copies, 1) { sum = sum + scores(index) }
    network.output(copies > 1 ? sum.rescale([1 / Float(copies)]) : sum, name: "predictions")
  }

  /// Layers are numbered in order, each kind on its own.
  private struct Counting {
    var counts: [String: Int] = [:]

    mutating func name(_ kind: String) -> String {
      counts[kind, default: 0] += 1
      return "\(kind)\(counts[kind] ?? 1)"
    }
  }

  private func add(_ layer: Layer, to x: Signal, _ state: inout Counting) -> Signal {
    switch layer {
    case .conv(let filters, let kernel, let strides):
      x.conv(filters, kernel, strides: strides, activation: .relu, name: state.name("conv"))
    case .pool(let kind, let window, let strides):
      kind == .max
        ? x.maxPool(window, strides: strides, padding: .same, name: state.name("pool"))
        : x.averagePool(window, strides: strides, padding: .same, name: state.name("pool"))
    case .fire(let squeeze, let expand): x.fire(squeeze, expand, state.name("fire"))
    case .dense(let units):
      (x.shape.rank > 2 ? x.flatten() : x).dense(
        units,
        activation: .relu,
        name: state.name("dense")
      )
    case .repeated(let count, let layers):
      x.repeated(count) { x, _ in layers.reduce(x) { add($1, to: $0, &state) } }
    }
  }
}
