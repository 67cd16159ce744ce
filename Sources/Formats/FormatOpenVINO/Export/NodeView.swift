import AssayFormat
import AssayGraph
import AssayTensor

/// A node with the types of what it reads and makes.
struct NodeView {
  /// Its index in `Graph.nodes`.
  var index: Int
  /// The node.
  var node: Node
  /// What it reads.
  var inputs: [TensorType?]
  /// What it makes.
  var outputs: [TensorType]
  /// Which inputs are parameters: Constants, or Constants that are dequantized.
  var isParameter: [Bool]

  init(_ index: Int, of graph: Graph, parameters: Set<ValueID>) {
    self.index = index
    node = graph.nodes[index]
    inputs = node.inputs.map { $0.map { graph[$0].type } }
    outputs = node.outputs.map { graph[$0].type }
    isParameter = node.inputs.map { $0.map { parameters.contains($0) } ?? false }
  }

  /// The type of an input that must be there; `inferTypes` has made sure of it.
  func input(_ index: Int) -> TensorType {
    inputs.indices.contains(index) ? inputs[index] ?? TensorType(.float32, []) : .init(.float32, [])
  }

  /// Whether an optional input is there.
  func has(_ index: Int) -> Bool { inputs.indices.contains(index) && inputs[index] != nil }

  /// The rule of operators that work element by element with broadcasting.
  ///
  /// An operand of fewer axes lines up with the last ones, which another layout moves: then only the
  /// Graph's own layout will do, unless the operand is a parameter or one number.
  var broadcastRule: LayoutRule {
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
  var isQuantizedInteger: Bool { quantization != nil && dtype.isInteger }

  /// Whether the range of the quantized integers clamps at least as much as the activation.
  func absorbs(_ activation: Activation) -> Bool {
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

/// An operator that OpenVINO can hold.
protocol OpenVINOExportable: Operator {
  /// What a node of it asks of the layouts of its images.
  func layoutRule(_ node: NodeView) -> LayoutRule

  /// Whether every element of the result is an element of an input (or a bound that the result's
  /// quantization has), so that it needs no rounding when input and result are quantized alike.
  var keepsQuantizedElements: Bool { get }

  /// Adds the layers that compute it.
  ///
  /// - Throws: `Diagnostic` OVI1… when OpenVINO cannot hold this node.
  func write(_ node: NodeView, to file: inout IRExporter) throws
}

extension OpenVINOExportable {
  var keepsQuantizedElements: Bool { false }
}
