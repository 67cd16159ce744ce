import AssayBase
import VendorPhone

extension FuzzTarget {
  /// Takes the bytes for what every tool on phones prints: nothing may crash, and no figure may be told
  /// that is not in the text as it stands there.
  static func readAsPhoneTools(_ bytes: [UInt8]) throws {
    let text = String(decoding: bytes, as: UTF8.self)
    var figures: [Printed] = []
    if let run = try? BenchmarkModelRun(parsing: text) {
      figures += run.figures
      for provider in BenchmarkModelRequest.Provider.allCases {
        let request = BenchmarkModelRequest(provider: provider)
        _ = run.findings(request, end: .exited(0))
        _ = run.placement(request)
      }
    }
    if let run = try? LiteRTBenchmark(parsing: text) { figures += run.milliseconds.values }
    if let diagnosis = try? SNPE.Diagnosis(parsing: text) {
      figures += diagnosis.figures
      _ = diagnosis.operators
    }
    if let run = try? SNPE.Throughput(parsing: text) { figures += run.figures }
    _ = try? SNPE.NetRun(parsing: text)
    if let profile = try? QNN.Profile(parsing: text) {
      figures += profile.figures + profile.operators.map(\.cycles)
    }
    for figure in figures where !text.contains(figure.text) {
      throw Finding("a figure is told that is not in the text: \(figure.text)")
    }
  }
}
