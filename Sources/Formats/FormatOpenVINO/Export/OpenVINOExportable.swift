import AssayFormat
import AssayGraph

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
  func layoutRule(_ node: NodeView) -> LayoutRule { .usual(node) }
  var keepsQuantizedElements: Bool { false }
}
