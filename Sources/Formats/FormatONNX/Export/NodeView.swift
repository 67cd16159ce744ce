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

  /// Whether its result is stored as quantized integers.
  var isQuantized: Bool { outputs.first?.isQuantizedInteger ?? false }
}

extension TensorType {
  /// Whether integers stand for reals.
  var isQuantizedInteger: Bool { quantization != nil && dtype.isInteger }
}

/// An operator that ONNX can hold.
protocol ONNXExportable: Operator {
  /// What a node of it asks of the layouts of its images.
  func layoutRule(_ node: NodeView) -> LayoutRule

  /// Adds the ONNX nodes that compute it.
  ///
  /// - Throws: `Diagnostic` ONX1… when ONNX cannot hold this node.
  func write(_ node: NodeView, to file: inout GraphExporter) throws
}
