import AssayGraph
import AssayTensor

/// A node with the types of what it reads and makes.
public struct NodeView {
  /// Its index in `Graph.nodes`.
  public var index: Int
  /// The node.
  public var node: Node
  /// What it reads.
  public var inputs: [TensorType?]
  /// What it makes.
  public var outputs: [TensorType]
  /// Which inputs are parameters: Constants, or Constants that are dequantized.
  public var isParameter: [Bool]

  public init(_ index: Int, of graph: Graph, parameters: Set<ValueID>) {
    self.index = index
    node = graph.nodes[index]
    inputs = node.inputs.map { $0.map { graph[$0].type } }
    outputs = node.outputs.map { graph[$0].type }
    isParameter = node.inputs.map { $0.map { parameters.contains($0) } ?? false }
  }

  /// The type of an input that must be there; `inferTypes` has made sure of it.
  public func input(_ index: Int) -> TensorType {
    inputs.indices.contains(index) ? inputs[index] ?? TensorType(.float32, []) : .init(.float32, [])
  }

  /// Whether its result is stored as quantized integers.
  public var isQuantized: Bool { outputs.first?.isQuantizedInteger ?? false }

  /// Whether an optional input is there.
  public func has(_ index: Int) -> Bool { inputs.indices.contains(index) && inputs[index] != nil }

  /// The rule of operators that work element by element with broadcasting.
  ///
  /// An operand of fewer axes lines up with the last ones, which another layout moves: then only the
  /// Graph's own layout will do, unless the operand is a parameter or one number.
  public var broadcastRule: LayoutRule {
    guard outputs.first?.shape.rank == 4 else { return .ordered }
    for (index, type) in inputs.enumerated() {
      guard let type, !isParameter[index], type.shape.rank < 4, type.shape.count != 1 else {
        continue
      }
      return .ordered
    }
    return .agnostic
  }
}

extension TensorType {
  /// Whether integers stand for reals.
  public var isQuantizedInteger: Bool { quantization != nil && dtype.isInteger }

  /// Whether the range of the quantized integers clamps at least as much as the activation.
  public func absorbs(_ activation: Activation) -> Bool {
    guard activation != .none, let quantization, !quantization.isPerChannel,
      let range = dtype.integerRange
    else { return false }
    let bounds = activation.bounds
    let anywhere = Int.min / 2...Int.max / 2
    return
      (bounds.low == -.infinity
      || quantization.quantize(bounds.low, to: anywhere) <= range.lowerBound)
      && (bounds.high == .infinity
        || quantization.quantize(bounds.high, to: anywhere) >= range.upperBound)
  }
}
