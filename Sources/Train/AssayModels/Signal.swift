import AssayBase
import AssayGraph
import AssayTensor

/// What flows between the layers of a network that is being defined.
///
/// Layers are methods, so that a definition reads as the network does:
/// `x.conv(32, 3).batchNorm().activation(.relu).maxPool(2)`. Blocks are functions from signal to
/// signal.
public struct Signal {
  /// The network that it belongs to.
  public let network: NetworkBuilder
  /// The value in the network's graph.
  public let id: ValueID

  /// The extents, that of samples first (1).
  public var shape: Shape { network.graph[id].type.shape }
  /// The extent of the last axis.
  public var channels: Int { shape[-1] }

  /// Applies `body` to the signal: a block in the middle of a chain, its layers' names below `name`.
  public func block(_ name: String? = nil, _ body: (Signal) -> Signal) -> Signal {
    guard let name else { return body(self) }
    return network.block(name) { body(self) }
  }

  /// Applies `body` as often as told, one after the other.
  public func repeated(_ count: Int, _ body: (Signal, Int) -> Signal) -> Signal {
    (0..<max(count, 0)).reduce(self) { body($0, $1) }
  }

  // MARK: Joining

  /// The sum of two signals.
  public static func + (a: Signal, b: Signal) -> Signal { a.added(b) }
  /// The product of two signals, element by element.
  public static func * (a: Signal, b: Signal) -> Signal { a.multiplied(b) }

  /// The sum with another signal, as a layer of a name.
  public func added(_ other: Signal, name: String? = nil) -> Signal {
    joined(other, .add, "Add", name)
  }

  /// The product with another signal, element by element, as a layer of a name.
  public func multiplied(_ other: Signal, name: String? = nil) -> Signal {
    joined(other, .multiply, "Multiply", name)
  }

  private func joined(
    _ other: Signal,
    _ kind: Binary.Kind,
    _ layer: String,
    _ name: String?
  ) -> Signal {
    network.layer(layer, name: name, on: self) { try $0.node(Binary(kind), [id, other.id]) }
  }

  /// Signals side by side along an axis (the last, if not told).
  public func concatenated(with others: Signal..., axis: Int = -1, name: String? = nil) -> Signal {
    concatenated(with: others, axis: axis, name: name)
  }

  /// Signals side by side along an axis (the last, if not told).
  public func concatenated(with others: [Signal], axis: Int = -1, name: String? = nil) -> Signal {
    network.layer("Concatenate", name: name, on: self) {
      try $0.node(Concat(axis: axis), [id] + others.map(\.id))
    }
  }

  /// What is added to the signal is made of it: `x + body(x)`, through a projection where the shapes
  /// differ.
  ///
  /// - Parameter projection: brings the signal to the shape of the body's; by default it is taken as
  ///   it is.
  public func residual(
    projection: ((Signal) -> Signal)? = nil,
    _ body: (Signal) -> Signal
  ) -> Signal {
    let long = body(self)
    return long + (projection?(self) ?? self)
  }

  // MARK: Functions of each element

  /// Activations as layers have them.
  public enum Function: Sendable, Equatable {
    case relu, relu6, sigmoid, tanh, elu, gelu, hardSwish
    /// `x * sigmoid(x)` (also swish).
    case silu
    /// Below zero the slope is `alpha`.
    case leakyReLU(Float)
    /// Over the last axis.
    case softmax
  }

  /// Applies an activation; `nil` changes nothing.
  public func activation(_ function: Function?, name: String? = nil) -> Signal {
    guard let function else { return self }
    return network.layer(function.layerName, name: name, on: self) { layer in
      switch function {
      case .relu: try layer.node(Unary(.relu), [id])
      case .relu6: try layer.node(Unary(.relu6), [id])
      case .sigmoid: try layer.node(Unary(.sigmoid), [id])
      case .tanh: try layer.node(Unary(.tanh), [id])
      case .elu: try layer.node(Unary(.elu), [id])
      case .gelu: try layer.node(Unary(.gelu), [id])
      case .hardSwish: try layer.node(Unary(.hardSwish), [id])
      case .silu:
        try layer.node(
          Binary(.multiply),
          [id, layer.node(Unary(.sigmoid), [id], part: "sigmoid")]
        )
      case .leakyReLU(let alpha): try layer.node(LeakyReLU(alpha: alpha), [id])
      case .softmax: try layer.node(Softmax(), [id])
      }
    }
  }

  // MARK: Shapes

  /// All elements of a sample in one axis.
  public func flatten(name: String? = nil) -> Signal {
    reshape([shape.dims.dropFirst().reduce(1, *)], name: name ?? "flatten")
  }

  /// The elements of a sample in other extents.
  public func reshape(_ extents: [Int], name: String? = nil) -> Signal {
    network.layer("Reshape", name: name, on: self) { try $0.node(Reshape([-1] + extents), [id]) }
  }
}

extension Signal.Function {
  fileprivate var layerName: String {
    switch self {
    case .relu: "ReLU"
    case .relu6: "ReLU6"
    case .sigmoid: "Sigmoid"
    case .tanh: "Tanh"
    case .elu: "ELU"
    case .gelu: "GELU"
    case .hardSwish: "HardSwish"
    case .silu: "SiLU"
    case .leakyReLU: "LeakyReLU"
    case .softmax: "Softmax"
    }
  }
}
