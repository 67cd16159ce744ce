import AssayBase
import AssayBench
import AssayCatalog
import AssayDevice
import AssayHost
import AssayRecord
import AssayReport
import AssayRuntime
import AssayStatistics

/// What a record calls the device that the arguments name.
func benchmarkedDevice(_ arguments: Arguments) throws -> String {
  guard let word = arguments.value("--device"), word != "local" else { return "local" }
  return try DeviceBook.read().entry(word).address.text
}

/// What `bench` is to be held against.
struct BenchBaseline {
  /// The baseline's record.
  var record: Record
  /// The side to measure again; `nil` when only the record is there.
  var side: CompareSide?

  /// The baseline that `--baseline` names; `nil` when none is named.
  ///
  /// Its file is measured again, side by side, where it is still there unchanged: samples of another day
  /// tell of that day's machine too.
  init?(_ arguments: Arguments) throws {
    guard let word = arguments.value("--baseline") else {
      for option in ["--max-regression", "--junit", "--markdown", "--as-recorded"]
      where arguments.has(option) {
        throw Diagnostic("CLI008", "\(option) needs --baseline RECORD")
      }
      return nil
    }
    let record = try storedRecord(word, arguments)
    self.record = record
    guard !arguments.has("--as-recorded"),
      Host.kind(of: record.model.path) == .file,
      (try? modelHash(record.model.path)) == record.model.sha256,
      let runtime = try? Catalog.runtime(record.runtime),
      // A record of another device cannot be measured again on this one.
      try record.device == benchmarkedDevice(arguments),
      !isLocal(arguments) || runtime.probe().isAvailable
    else { return }
    side = CompareSide(
      path: record.model.path,
      runtime: runtime,
      threads: record.threads,
      provider: Provider(rawValue: record.provider) ?? .cpu,
      variant: record.variant
    )
  }

  /// Options of `bench` that speak of a baseline.
  static let options =
    [
      Option(
        "--baseline",
        .value("RECORD"),
        "compare with a record: id, JSON file, latest or query"
      ),
      Option("--as-recorded", .flag, "take the baseline's samples, do not measure its file again"),
    ] + DifferenceOptions.options

  /// What the baseline is called.
  var name: String { "the baseline" }

  /// The report on a measurement that stands beside the baseline's samples.
  func report(_ measured: Record, _ options: DifferenceOptions) -> DifferenceReport {
    DifferenceReport(
      .init(name: name, record: record),
      .init(name: Host.name(of: measured.model.path), record: measured),
      percentile: options.percentile ?? measured.scenario?.percentile ?? .p50,
      limit: options.limit
    )
  }
}
