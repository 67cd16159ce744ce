import AssayBase
import AssayGraph
import AssayTensor

/// A network that was defined in code: its Graph, and what training needs to know beside it.
///
/// What only training has (dropout, which statistics move) stands beside the graph and never in it,
/// so that an export has nothing to strip.
public struct Network: Sendable {
  /// The network with its first weights, for inference.
  public var graph: Graph
  /// Its layers in order.
  public var layers: [Layer]
  /// The part of a value's elements that training drops, by the value's name: behind that value
  /// training puts dropout.
  public var dropouts: [String: Float]
  /// How batch normalizations move, by the node's name: the part of a moving statistic that stays at
  /// each step.
  public var momenta: [String: Float]

  /// A layer as people count it: a separable convolution is one layer of several nodes.
  public struct Layer: Sendable, Equatable {
    /// The name, unique in the network.
    public var name: String
    /// What it is, such as `SeparableConv2D`.
    public var kind: String
    /// The shape of what it makes.
    public var output: Shape
    /// Elements of its weights.
    public var parameterCount: Int
    /// Elements of its weights that training changes by their gradients: not a batch normalization's
    /// moving statistics.
    public var trainableCount: Int
  }

  /// Elements of all weights.
  public var parameterCount: Int { layers.reduce(0) { $0 + $1.parameterCount } }
  /// Elements of the weights that training changes by their gradients.
  public var trainableCount: Int { layers.reduce(0) { $0 + $1.trainableCount } }

  /// Builds a network.
  ///
  /// - Parameters:
  ///   - name: its name.
  ///   - seed: of its first weights.
  ///   - body: defines it, from `input` to `output`.
  /// - Throws: `Diagnostic` GRF… with the layer's name where a layer does not fit what it is put on;
  ///   MDL001 where there is no input or output.
  public static func build(
    _ name: String,
    seed: UInt64 = 0,
    _ body: (NetworkBuilder) -> Void
  ) throws -> Network {
    let builder = NetworkBuilder(name: name, seed: seed)
    body(builder)
    return try builder.finish()
  }
}
