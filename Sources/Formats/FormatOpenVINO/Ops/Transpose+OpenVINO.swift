import AssayFormat
import AssayGraph
import AssayTensor

extension Transpose: OpenVINOExportable {
  var keepsQuantizedElements: Bool { true }

  func write(_ node: NodeView, to file: inout IRExporter) throws {
    let input = file.inputLayout(node)
    let output = file.outputLayout(node)
    let physical =
      permutation.count == 4
      ? output.permutation.map { input.position(ofAxis: permutation[$0]) } : permutation
    let source = file.real(node, 0)
    let isIdentity = physical == Array(physical.indices)
    file.finish(node, isIdentity ? source : file.transposed(source, physical))
  }
}
