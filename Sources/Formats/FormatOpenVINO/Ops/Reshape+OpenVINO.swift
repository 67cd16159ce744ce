import AssayFormat
import AssayGraph
import AssayTensor

extension Reshape: OpenVINOExportable {
  func layoutRule(_ node: NodeView) -> LayoutRule {
    func port(_ shape: Shape?, _ number: Int) -> LayoutRule.Port {
      shape?.isLayoutFree ?? false ? .free(number) : .fixed(.channelsLast)
    }
    return LayoutRule(
      input: port(node.inputs.first??.shape, 0),
      output: port(node.outputs.first?.shape, 1)
    )
  }

  var keepsQuantizedElements: Bool { true }

  func write(_ node: NodeView, to file: inout IRExporter) throws {
    file.finish(node, file.reshaped(file.real(node, 0), file.outputDims(node)))
  }
}
