import AssayBase
import AssayRecord

/// One column of the tables: its heading, its cell, and what it means.
struct Column: Sendable {
  /// A short name, also the name in CSV.
  var key: String
  /// The heading of terminal and Markdown tables.
  var heading: String
  /// The heading's explanation.
  var help: String
  /// Whether cells are numbers, aligned to the right.
  var isNumber: Bool
  /// 0 stays always; the greatest goes first when a terminal is narrow.
  var priority: Int
  /// The cell as people read it, or why there is none.
  var text: @Sendable (Record, Summary, ComparisonReport) -> Figure<String>
  /// The cell's number, to sort by and for CSV.
  var number: @Sendable (Record, Summary) -> Double?

  /// Every column, in order.
  static let all: [Column] = [
    Column(
      key: "variant",
      heading: "variant",
      help: "the recipe that made it",
      isNumber: false,
      priority: 0,
      text: { record, _, _ in .value(record.variant) },
      number: { _, _ in nil }
    ),
    Column(
      key: "runtime",
      heading: "runtime",
      help: "what executed it",
      isNumber: false,
      priority: 0,
      text: { record, _, report in
        let title = report.title(ofRuntime: record.runtime)
        let path = record.provider == "cpu" ? title : "\(title)/\(record.provider)"
        return .value(record.imported.map { "\(path) (\($0.mark))" } ?? path)
      },
      number: { _, _ in nil }
    ),
    Column(
      key: "threads",
      heading: "thr",
      help: "threads of the runtime",
      isNumber: true,
      priority: 0,
      text: { record, _, _ in .value("\(record.threads)") },
      number: { record, _ in Double(record.threads) }
    ),
    Column(
      key: "bytes",
      heading: "size",
      help: "size of the file",
      isNumber: true,
      priority: 0,
      text: { record, _, _ in
        record.model.byteCount > 0
          ? .value(Words.bytes(record.model.byteCount))
          : .missing(reason: "the file is not at hand")
      },
      number: { record, _ in
        record.model.byteCount > 0 ? Double(record.model.byteCount) : nil
      }
    ),
    Column(
      key: "accuracy",
      heading: "accuracy",
      help: "labelled samples whose label came first, with the 95 % interval (Wilson)",
      isNumber: true,
      priority: 0,
      text: { record, _, _ in record.accuracy.map { Words.percent($0) } },
      number: { record, _ in record.accuracy.value }
    ),
    Column(
      key: "agreement",
      heading: "agree",
      help: "samples on which the original gives the same answer",
      isNumber: true,
      priority: 4,
      text: { record, _, _ in record.agreement.map { Words.percent($0) } },
      number: { record, _ in record.agreement.value }
    ),
    Column(
      key: "snrDb",
      heading: "SNR",
      help: "signal to noise of the outputs against the original",
      isNumber: true,
      priority: 3,
      text: { record, _, _ in
        record.snrDb.map { $0.isFinite ? Words.fixed($0, 1) + " dB" : "exact" }
      },
      number: { record, _ in record.snrDb.value }
    ),
    percentile(
      "p50",
      "p50",
      "median latency, ± half of what its 95 % interval and the rounds span",
      0,
      \.p50
    ),
    percentile("p90", "p90", "latency that 90 % of the inferences do not exceed", 9, \.p90),
    percentile("p99", "p99", "latency that 99 % of the inferences do not exceed", 5, \.p99),
    Column(
      key: "throughputPerSecond",
      heading: "rate",
      help: "inferences per second, one after another",
      isNumber: true,
      priority: 10,
      text: { _, summary, _ in summary.throughput.map { Words.rate($0) } },
      number: { _, summary in summary.throughput.value }
    ),
    Column(
      key: "peakMemoryBytes",
      heading: "memory",
      help: "peak memory of the process above one that does nothing",
      isNumber: true,
      priority: 2,
      text: { record, _, _ in record.peakMemoryBytes.map { Words.bytes($0) } },
      number: { record, _ in record.peakMemoryBytes.value.map { Double($0) } }
    ),
    Column(
      key: "initNs",
      heading: "init",
      help: "reading the file and compiling",
      isNumber: true,
      priority: 6,
      text: { record, _, _ in
        let parts = record.initialization
        guard let read = parts.read.value else {
          return .missing(reason: parts.read.missingReason ?? "")
        }
        return parts.compile.map { Words.time(Double(read) + Double($0)) }
      },
      number: { record, _ in
        guard let read = record.initialization.read.value,
          let compile = record.initialization.compile.value
        else { return nil }
        return Double(read) + Double(compile)
      }
    ),
    Column(
      key: "firstNs",
      heading: "first",
      help: "the first inference",
      isNumber: true,
      priority: 7,
      text: { record, _, _ in record.initialization.first.map { Words.time(Double($0)) } },
      number: { record, _ in record.initialization.first.value.map { Double($0) } }
    ),
    Column(
      key: "deflatedBytes",
      heading: "deflated",
      help: "size when deflated, as in an app's package",
      isNumber: true,
      priority: 8,
      text: { record, _, _ in record.model.deflatedByteCount.map { Words.bytes($0) } },
      number: { record, _ in record.model.deflatedByteCount.value.map { Double($0) } }
    ),
  ]

  private static func percentile(
    _ key: String,
    _ heading: String,
    _ help: String,
    _ priority: Int,
    _ path: any KeyPath<Summary, Figure<Quantile>> & Sendable
  ) -> Column {
    Column(
      key: key + "Ns",
      heading: heading,
      help: help,
      isNumber: true,
      priority: priority,
      text: { _, summary, _ in summary[keyPath: path].map { Words.time(Double($0.value)) } },
      number: { _, summary in summary[keyPath: path].value.map { Double($0.value) } }
    )
  }
}
