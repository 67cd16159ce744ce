import AssayFormat
import AssayGraph
import AssayTensor

extension MatMul: OpenVINOExportable {
  func write(_ node: NodeView, to file: inout IRExporter) throws {
    let result = file.result(
      "MatMul",
      [file.real(node, 0), file.real(node, 1)],
      [("transpose_a", "\(transposesA)"), ("transpose_b", "\(transposesB)")],
      for: node
    )
    file.finish(node, result)
  }
}
