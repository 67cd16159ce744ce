import AssayBase
import AssayGraph
import AssayTensor

/// An operator that a TensorFlow graph can hold.
protocol TensorFlowExportable: Operator {
  /// Adds the TensorFlow nodes that compute it, and says what its outputs are.
  ///
  /// - Throws: `Diagnostic` TFG1xx when TensorFlow cannot hold this node.
  func write(_ node: TFNodeView, to file: inout TensorFlowExporter) throws -> [String]
}

/// A node with the types of what it reads and makes.
struct TFNodeView {
  /// The node.
  let node: Node
  /// What it reads.
  let inputs: [TensorType?]
  /// What it makes.
  let outputs: [TensorType]
  /// The name that its last TensorFlow node gets.
  let name: String

  /// The type of an input that must be there; `inferTypes` has made sure of it.
  func input(_ index: Int) -> TensorType {
    (inputs.indices.contains(index) ? inputs[index] : nil) ?? TensorType(.float32, [])
  }

  /// Whether an optional input is there.
  func has(_ index: Int) -> Bool { inputs.indices.contains(index) && inputs[index] != nil }

  /// The element type of the first output, as an attribute.
  var type: TFAttribute { .type(TFDataType(outputs[0].dtype)) }

  /// The element type of an input, as an attribute.
  func type(_ index: Int) -> TFAttribute { .type(TFDataType(input(index).dtype)) }

  /// The fault of a node that TensorFlow cannot hold.
  func unsupported(_ what: String) -> Diagnostic {
    Diagnostic("TFG101", "TensorFlow has no \(node.op.name) with \(what)")
  }
}

/// Whether nodes with an operator can be written as TensorFlow nodes, as far as the operator alone
/// decides.
public func canExportToTensorFlow(_ op: any Operator) -> Bool {
  op is any TensorFlowExportable || op is any DecomposableOperator
}
