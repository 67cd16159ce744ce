import AssayBase
import AssayHost
import AssayRate
import AssayRecord
import AssayStore

extension ExplorerTable {
  /// One property of records: how it is called, and how it is read.
  struct RecordProperty: Sendable {
    var property: Property
    /// Value, lower and upper end; NaN for what is missing.
    var read: @Sendable (Record, Summary) -> (value: Double, low: Double, high: Double)
  }

  static let recordProperties: [RecordProperty] = [
    time("latency", "Latency p50", weight: 0.5) { $1.p50.value },
    time("latency_p90", "Latency p90", weight: 0) { $1.p90.value },
    time("latency_p99", "Latency p99", weight: 0) { $1.p99.value },
    energy(
      "energy",
      "Energy per inference",
      .measured,
      "told by a power meter, idle included; the interval is its uncertainty at 95 %"
    ),
    energy(
      "energy_estimated",
      "Energy per inference (estimated)",
      .estimated,
      "watts that were given or modelled, times time: an estimate, measured by nobody"
    ),
    plain(
      "throughput",
      "Throughput",
      "per second",
      "Resources",
      weight: 0,
      more: true,
      "one second over the mean latency"
    ) { $1.throughput.value ?? .nan },
    plain(
      "initialization",
      "Time to first answer",
      "seconds",
      "Resources",
      weight: 0,
      more: false,
      "reading, compiling and the first inference; measured once for each record"
    ) { record, _ in
      let parts = [
        record.initialization.read, record.initialization.compile, record.initialization.first,
      ].compactMap(\.value)
      return parts.isEmpty ? .nan : Double(parts.reduce(0, +)) / 1e9
    },
    plain(
      "peak_memory",
      "Peak memory",
      "bytes",
      "Resources",
      weight: 0.25,
      more: false,
      "peak resident memory of the worker above a null worker"
    ) { record, _ in record.peakMemoryBytes.value.map { Double($0) } ?? .nan },
    plain(
      "file_size",
      "File size",
      "bytes",
      "Resources",
      weight: 0.25,
      more: false,
      "bytes of the measured file"
    ) { record, _ in record.model.byteCount > 0 ? Double(record.model.byteCount) : .nan },
    RecordProperty(
      property: Property(
        PropertyMeta(
          "accuracy",
          name: "Top-1 accuracy",
          shortName: "Top1",
          unit: "fraction",
          group: "Quality",
          weight: 1,
          isMaximized: true
        ),
        source: "labelled data whose label came first; the interval is Wilson's, 95 %"
      )
    ) { record, _ in
      guard let part = record.accuracy.value else { return (.nan, .nan, .nan) }
      guard record.accuracyCount > 0 else { return (part, .nan, .nan) }
      let proportion = Proportion(fraction: part, of: record.accuracyCount)
      return (part, proportion.interval.lowerBound, proportion.interval.upperBound)
    },
    plain(
      "agreement",
      "Agreement with the original",
      "fraction",
      "Quality",
      weight: 0,
      more: true,
      "data on which the first label is that of the original"
    ) { record, _ in record.agreement.value ?? .nan },
    plain(
      "snr",
      "Signal to quantization noise",
      "decibel",
      "Quality",
      weight: 0,
      more: true,
      "outputs against those of the original"
    ) { record, _ in record.snrDb.value ?? .nan },
  ]

  /// Properties that do not depend on whether a machine is emulated.
  private static let toldByEmulators: Set = ["file_size", "accuracy", "agreement", "snr"]

  private static func time(
    _ key: String,
    _ name: String,
    weight: Double,
    _ read: @escaping @Sendable (Record, Summary) -> Quantile?
  ) -> RecordProperty {
    let meta = PropertyMeta(
      key,
      name: name,
      unit: "seconds",
      group: "Resources",
      weight: weight,
      isMaximized: false
    )
    let source =
      "measured: order statistic of the timed inferences, with its distribution-free 95 % interval"
    return RecordProperty(property: Property(meta, source: source)) { record, summary in
      guard let quantile = read(record, summary) else { return (.nan, .nan, .nan) }
      let interval = quantile.interval.value
      return (
        Double(quantile.value) / 1e9, interval.map { Double($0.lowerBound) / 1e9 } ?? .nan,
        interval.map { Double($0.upperBound) / 1e9 } ?? .nan
      )
    }
  }

  /// Joules of one inference from figures of one provenance; the others are never mixed with them.
  private static func energy(
    _ key: String,
    _ name: String,
    _ provenance: Record.Energy.Provenance,
    _ source: String
  ) -> RecordProperty {
    let meta = PropertyMeta(
      key,
      name: name,
      unit: "joules",
      group: "Resources",
      weight: provenance == .measured ? 0.5 : 0,
      isMaximized: false
    )
    return RecordProperty(property: Property(meta, source: source)) { record, _ in
      let energy = record.energy.first { $0.provenance == provenance }
      guard let quantity = energy?.perInference.value else { return (.nan, .nan, .nan) }
      let reach = quantity.uncertainty ?? .nan
      return (quantity.value, quantity.value - reach, quantity.value + reach)
    }
  }

  private static func plain(
    _ key: String,
    _ name: String,
    _ unit: String,
    _ group: String,
    weight: Double,
    more: Bool,
    _ source: String,
    _ read: @escaping @Sendable (Record, Summary) -> Double
  ) -> RecordProperty {
    let meta = PropertyMeta(
      key,
      name: name,
      unit: unit,
      group: group,
      weight: weight,
      isMaximized: more
    )
    return RecordProperty(property: Property(meta, source: source)) {
      (read($0, $1), .nan, .nan)
    }
  }

  /// A table of records, without rows yet.
  public static var ofRecords: ExplorerTable {
    var table = ExplorerTable(properties: recordProperties.map(\.property))
    table.facts = RatingFacts()
    return table
  }

  /// Adds records that have samples, with what scales rate of them.
  ///
  /// - Parameters:
  ///   - among: records of the same comparisons that need not be rows: a variant is rated against its
  ///     original. `nil` when there are no others.
  /// - Returns: the comparisons whose rows may have another original now.
  /// - Precondition: the table is made by `ofRecords`.
  @discardableResult
  public mutating func append(_ records: [Record], among all: [Record]? = nil) -> Set<String> {
    var changed: Set<String> = []
    for record in all ?? records where facts?.originals.add(record) == true {
      changed.insert(record.session)
    }
    let added = records.filter { !$0.samples.isEmpty }
    let drafts = Host.inParallel(added.count) {
      (Self.row(added[$0]), RatingFacts.Draft(added[$0]))
    }
    for (row, draft) in drafts {
      append(row)
      facts?.append(draft)
    }
    return changed
  }

  private static func row(_ record: Record) -> Row {
    let summary = record.summary
    let figures = recordProperties.map { property in
      // What an emulator takes has no place beside hardware; what it computes has.
      if record.emulator != nil, !toldByEmulators.contains(property.property.meta.key) {
        return (value: Double.nan, low: Double.nan, high: Double.nan)
      }
      return property.read(record, summary)
    }
    func told(_ key: String) -> String? {
      record.extra[key]?.string ?? record.environment[key]?.string
    }
    let threads = record.threads == 1 ? "1 thread" : "\(record.threads) threads"
    return Row(
      id: record.id,
      facets: [
        modelName(record),
        "\(record.device) \(record.runtime) \(record.provider) \(threads)"
          + (record.emulator == nil ? "" : ", emulated"),
        told("task") ?? "not told", told("dataset") ?? "not told", record.device,
        record.runtime, record.variant,
      ],
      values: figures.map(\.value),
      lows: figures.map(\.low),
      highs: figures.map(\.high)
    )
  }

  /// A record's model as people call it: the file's name, and the variant where it has one.
  public static func modelName(_ record: Record) -> String {
    let file = record.model.path.split(separator: "/").last.map { String($0) } ?? "model"
    let dot = file.lastIndex(of: ".")
    let stem = dot.map { $0 == file.startIndex ? file : String(file[..<$0]) } ?? file
    // Files that Assay writes bear their variant in their name already.
    return record.variant == "original" || stem.hasSuffix(record.variant)
      ? stem : "\(stem) \(record.variant)"
  }
}
