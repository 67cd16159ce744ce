import AssayBase
import AssayRecord

/// What the pick of a comparison must hold; what is `nil` does not matter.
public struct Constraint: Sendable, Equatable {
  /// The greatest part of accuracy that may be lost against the original, 0.01 for one point.
  public var maxDrop: Double?
  /// The greatest median latency.
  public var maxLatencyNanoseconds: Double?
  /// The greatest size of the file.
  public var maxByteCount: Int?

  /// Asks for nothing.
  public init() {}

  /// Whether nothing is asked for.
  public var isEmpty: Bool {
    maxDrop == nil && maxLatencyNanoseconds == nil && maxByteCount == nil
  }
}

/// Everything that a comparison's page, table and recommendation are made of.
public struct ComparisonReport: Sendable {
  /// The network that the variants were made from.
  public struct Original: Sendable {
    /// Its path, as the user gave it.
    public var path: String
    /// SHA-256 of the file, hexadecimal; empty when not known.
    public var sha256: String
    /// Bytes of the file; 0 when not known.
    public var byteCount: Int
    /// What wrote it, such as `Keras 3.15`.
    public var producer: String?
    /// The number of its parameters.
    public var parameterCount: Int?
    /// Multiply-accumulates of one inference.
    public var macCount: Int?
    /// How many of the labelled data it gets right by itself, in float32.
    public var accuracy: Proportion?

    /// Makes an original.
    public init(path: String, sha256: String = "", byteCount: Int = 0) {
      self.path = path
      self.sha256 = sha256
      self.byteCount = byteCount
    }
  }

  /// What is known of a variant beside its records.
  public struct Variant: Sendable {
    /// Its recipe, as in the records.
    public var name: String
    /// The number of its operators.
    public var operatorCount: Int?
    /// What the comparison with the original said, in a sentence.
    public var certificate: String?
    /// The whole comparison, as `assay.certificate/1`.
    public var certificateJSON: JSON?
    /// Why it could not be made.
    public var failure: Diagnostic?

    /// Makes a variant.
    public init(
      name: String,
      operatorCount: Int? = nil,
      certificate: String? = nil,
      certificateJSON: JSON? = nil,
      failure: Diagnostic? = nil
    ) {
      self.name = name
      self.operatorCount = operatorCount
      self.certificate = certificate
      self.certificateJSON = certificateJSON
      self.failure = failure
    }
  }

  /// The network that the variants were made from.
  public var original: Original
  /// The variants, in the order of the table.
  public var variants: [Variant]
  /// The measurements, valid or not, in any order; each has an id of its own.
  public var records: [Record] {
    didSet { summaries = ComparisonReport.summaries(of: records) }
  }
  private var summaries: [String: Summary]
  /// What the pick must hold.
  public var constraint: Constraint
  /// The data that accuracy, agreement and noise are of, in words; `nil` when there were none.
  public var data: String?
  /// The data that the integer variants were calibrated on, in words.
  public var calibration: String?
  /// The preprocessing, as its canonical text.
  public var preprocessing: String?
  /// The command line that made it.
  public var command: [String]
  /// The program's version.
  public var version: String
  /// How many networks the records are of: of several none is picked.
  public var networkCount = 1
  /// Where the records are kept.
  public var store: String?
  /// When it was made, nanoseconds since 1970 (UTC).
  public var madeAt: Int64
  /// Grams of carbon dioxide for a kilowatt-hour, where the reader wants an estimate.
  public var gridFactor: GridFactor?
  /// Findings that the reader should know of.
  public var notes: [Diagnostic]
  /// What runtimes are called, by their ids.
  public var runtimeTitles: [String: String]

  /// Makes a report of records; what else is known is filled in.
  public init(original: Original, records: [Record], constraint: Constraint = Constraint()) {
    self.original = original
    self.records = records
    summaries = ComparisonReport.summaries(of: records)
    self.constraint = constraint
    variants = []
    command = records.first?.command ?? []
    version = ""
    madeAt = records.map(\.finishedAt).max() ?? 0
    notes = []
    runtimeTitles = [
      "litert": "LiteRT", "onnxruntime": "ONNX Runtime", "openvino": "OpenVINO",
      "reference": "Reference",
    ]
  }

  private static func summaries(of records: [Record]) -> [String: Summary] {
    Dictionary(records.map { ($0.id, $0.summary) }) { first, _ in first }
  }

  /// What a record's samples say.
  func summary(_ record: Record) -> Summary { summaries[record.id] ?? record.summary }

  /// A record's median latency, nanoseconds; infinite when there is none.
  package func median(_ record: Record) -> Double {
    summary(record).p50.value.map { Double($0.value) } ?? .infinity
  }

  /// How well a median is known: its 95 % interval and the medians of the rounds, whichever reaches
  /// further; `nil` when neither is there.
  ///
  /// With many samples the interval of one run is narrow while the machine drifts from round to
  /// round; the rounds show what another run might give.
  package func spread(_ record: Record) -> ClosedRange<Int64>? {
    let summary = summary(record)
    let interval = summary.p50.value?.interval.value
    let ends =
      (interval.map { [$0.lowerBound, $0.upperBound] } ?? []) + summary.roundMedians
    guard let low = ends.min(), let high = ends.max() else { return nil }
    return low...high
  }

  /// Whether the spreads of two medians overlap, so that neither is known to be faster.
  func areAsFast(_ a: Record, _ b: Record) -> Bool {
    guard let x = summary(a).p50.value, let y = summary(b).p50.value else { return false }
    return (spread(a) ?? x.value...x.value).overlaps(spread(b) ?? y.value...y.value)
  }

  /// What a runtime is called.
  package func title(ofRuntime id: String) -> String { runtimeTitles[id] ?? id }

  /// A configuration in words, such as `static_int8 on LiteRT, 1 thread`.
  package func title(_ record: Record) -> String { "\(record.variant) on \(place(record))" }

  /// Where a record was measured, in words, such as `LiteRT, 1 thread`.
  func place(_ record: Record) -> String {
    let provider = record.provider == "cpu" ? "" : " (\(record.provider))"
    let threads = record.threads == 1 ? "1 thread" : "\(record.threads) threads"
    let mark = record.imported.map { ", \($0.mark)" } ?? ""
    return "\(title(ofRuntime: record.runtime))\(provider), \(threads)\(mark)"
  }

  /// The records in the order of the tables: by variant as listed, then runtime, then threads.
  package var ordered: [Record] {
    let names = variants.map(\.name)
    var seen = names
    for record in records where !seen.contains(record.variant) { seen.append(record.variant) }
    let rank = Dictionary(uniqueKeysWithValues: seen.uniqued().enumerated().map { ($1, $0) })
    return records.enumerated().sorted { a, b in
      let x = (rank[a.element.variant] ?? 0, a.element.runtime, a.element.threads, a.offset)
      let y = (rank[b.element.variant] ?? 0, b.element.runtime, b.element.threads, b.offset)
      return x < y
    }.map(\.element)
  }

  /// The records whose figures hold, in order; emulators only where there is no hardware, since one is
  /// never ranked with the other.
  package var valid: [Record] {
    let all = ordered.filter { $0.verdict == .valid && summary($0).p50.value != nil }
    let hardware = all.filter { $0.emulator == nil }
    return hardware.isEmpty ? all : hardware
  }

  /// Records of emulators that are left out because there is hardware.
  var emulated: [Record] {
    guard valid.contains(where: { $0.emulator == nil }) else { return [] }
    return ordered.filter { $0.verdict == .valid && $0.emulator != nil }
  }
}

extension Array where Element: Hashable {
  /// The elements without repetitions, in order of first appearance.
  func uniqued() -> [Element] {
    var seen: Set<Element> = []
    return filter { seen.insert($0).inserted }
  }
}
