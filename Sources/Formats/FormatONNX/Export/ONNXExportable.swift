import AssayFormat
import AssayGraph

/// An operator that ONNX can hold.
protocol ONNXExportable: Operator {
  /// What a node of it asks of the layouts of its images.
  func layoutRule(_ node: NodeView) -> LayoutRule

  /// Adds the ONNX nodes that compute it.
  ///
  /// - Throws: `Diagnostic` ONX1… when ONNX cannot hold this node.
  func write(_ node: NodeView, to file: inout GraphExporter) throws
}

extension ONNXExportable {
  func layoutRule(_ node: NodeView) -> LayoutRule { .usual(node) }
}
