import AssayBase
import AssayCodec
import AssayFormat
import AssayGraph
import AssayReference
import AssayTensor
import AssayTestSupport
import Testing

@testable import FormatONNX

#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#else
import Darwin
#endif

/// The folder into which networks are written for the real checkers (Tests/Goldens/
/// check_onnx_exports.py); unset in an ordinary run.
private let exportFolder = unsafe getenv("ASSAY_ONNX_EXPORTS").map { unsafe String(cString: $0) }

@Suite struct ExportTests {
  @Test(.enabled(if: exportFolder != nil, "ASSAY_ONNX_EXPORTS names no folder"))
  func writesProblemsForTheRealCheckers() throws {
    for problem in try Problem.floats() {
      let path = "\(exportFolder ?? "")/\(problem.name)"
      do {
        let expected = try ReferenceEvaluator(problem.graph).run(problem.inputs)
        try AtomicFile.write(
          ONNXFormat().exportGraph(problem.graph, options: ExportOptions()),
          to: path + ".onnx"
        )
        let arrays =
          problem.inputs.map { (name: "in/\($0.key)", tensor: $0.value) }
          + expected.map { (name: "out/\($0.name)", tensor: $0.tensor) }
          + [(name: "tolerance", tensor: Tensor([problem.tolerance], []))]
        try AtomicFile.write(NPZ.write(arrays), to: path + ".npz")
      } catch {
        Issue.record("\(problem.name): \(error)")
      }
    }
  }
}
