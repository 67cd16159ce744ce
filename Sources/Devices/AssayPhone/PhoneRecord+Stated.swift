import AssayBase
import AssayDevice
import AssayHost
import AssayRecord
import VendorPhone

extension PhoneRecord {
  /// Keeps what the tool stated in the place of samples, which it does not give.
  func state(_ run: BenchmarkModelRun, in record: inout Record) {
    var imported = Record.Imported(
      format: "benchmark_model",
      tool: tool.tool.kind.rawValue,
      toolVersion: tool.tool.version,
      file: "\(session.device.address.text): what the tool printed",
      fileSHA256: sha256(raw.text),
      by: "assay",
      at: Host.wallNanoseconds(),
      origin: .measured
    )
    let place = "the tool's output"
    imported.figures = run.stated.map {
      Record.Imported.Stated($0.name, $0.figure.value, $0.unit, at: place)
    }
    if let count = run.measured?.count {
      imported.figures.append(Record.Imported.Stated("runs", Double(count), "1", at: place))
    }
    if let count = run.warmup?.count {
      imported.figures.append(Record.Imported.Stated("warmup.runs", Double(count), "1", at: place))
    }
    imported.gaps = [
      Record.Imported.Gap("samples", "\(tool.tool.kind.rawValue) gives no single latencies")
    ]
    record.imported = imported
  }
}
