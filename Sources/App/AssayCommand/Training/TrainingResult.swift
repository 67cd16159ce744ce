import AssayBase
import AssayData
import AssayHost
import AssayQuantize
import AssayRecord
import AssayReport

/// What a training command tells at its end: the answer, the table of variants, what was mistaken for
/// what.
struct TrainingResult {
  var name: String
  var plan: TrainingPlan
  var sets: TrainingSets
  var run: TrainingRun.Result
  var variants: [TrainedVariant]
  var history: TrainingHistory
  /// More facts of the network, such as its parameters.
  var facts: [String]
  /// Words that must be said with the figures.
  var cautions: [String]
  var seconds: Double

  private var baseline: TrainedVariant? { variants.first }

  /// The samples that the table is by, in words.
  private var judgedBy: String {
    sets.test != nil
      ? "\(Text.count(sets.judging.count)) samples of \(sets.judging.dataset.path)"
      : "\(Text.count(sets.judging.count)) samples held back from \(plan.data)"
  }

  /// The answer in one sentence.
  var headline: String {
    guard let accuracy = baseline?.report.accuracy, let fraction = accuracy.fraction else {
      return "\(name): nothing was judged"
    }
    let range = accuracy.interval
    return "\(name) is right on \(Words.percent(fraction)) of \(judgedBy) (95 % interval "
      + "\(Words.fixed(range.lowerBound * 100, 1)) to \(Words.fixed(range.upperBound * 100, 1)))"
  }

  /// Variants that lose more than a point.
  private var losers: [String] {
    guard let best = baseline?.report.accuracy.fraction else { return [] }
    // A point exactly is none too many, whatever the difference of two fractions rounds to.
    return variants.filter { best - ($0.report.accuracy.fraction ?? best) > 0.01 + 1e-9 }.map(
      \.recipe.name
    )
  }

  private var details: [String] {
    var lines = cautions
    if let small = variants.min(by: { $0.deflatedByteCount < $1.deflatedByteCount }),
      let baseline, small.recipe.name != baseline.recipe.name
    {
      let ratio = Double(baseline.deflatedByteCount) / Double(max(small.deflatedByteCount, 1))
      lines.append(
        "\(small.recipe.name) is the smallest to download: \(Text.bytes(small.deflatedByteCount)) "
          + "deflated, \(Words.significant(ratio, 2)) times less than float32"
      )
    }
    if losers.isEmpty, variants.count > 1 {
      lines.append("no variant loses more than one point of accuracy")
    } else if !losers.isEmpty {
      lines.append("more than one point of accuracy is lost by " + losers.joined(separator: ", "))
    }
    let epochs = history.rows.count { $0.phase.isEmpty }
    lines.append(
      "the weights are those of epoch \(run.bestEpoch) of \(epochs), the best on held back data"
    )
    if sets.test == nil {
      lines.append(
        "the same held back data chose the epoch, so the figures are a little too good; --test judges "
          + "by others"
      )
    }
    return lines
  }

  // MARK: The table

  private static let header = [
    "variant", "accuracy", "95 % interval", "change", "size", "deflated", "latency",
  ]

  private var rows: [[String]] {
    let best = baseline?.report.accuracy.fraction
    return variants.map { variant in
      let accuracy = variant.report.accuracy
      let range = accuracy.interval
      var change = "-"
      if let best, let own = accuracy.fraction, variant.recipe.name != baseline?.recipe.name {
        change = (own >= best ? "+" : "") + Words.fixed((own - best) * 100, 1)
      }
      return [
        variant.title, accuracy.fraction.map { Words.percent($0) } ?? "-",
        "\(Words.fixed(range.lowerBound * 100, 1)) to \(Words.fixed(range.upperBound * 100, 1))",
        change, Text.bytes(variant.byteCount), Text.bytes(variant.deflatedByteCount),
        Self.latency(variant),
      ]
    }
  }

  private static func latency(_ variant: TrainedVariant) -> String {
    guard let record = variant.records.first, !record.samples.isEmpty,
      let median = Summary(samples: record.samples).p50.value?.value
    else { return "-" }
    return Text.time(Double(median)) + (record.verdict == .valid ? "" : " (invalid)")
  }

  private var latencyNote: String {
    guard let record = variants.compactMap(\.records.first).first else {
      return plan.measuresLatency
        ? "latency was not measured: LiteRT is not installed (assay doctor)"
        : "latency was not measured (--no-latency)"
    }
    let isNoisy = variants.contains { $0.records.contains { $0.verdict != .valid } }
    return
      "latency: median of one inference on LiteRT \(record.version), 1 thread, quick; assay bench "
      + "measures it thoroughly"
      + (isNoisy ? "; invalid ones varied too much to count, as on a busy machine" : "")
  }

  /// The classes of the trained network and what they were taken for.
  private var confusion: (header: [String], rows: [[String]]) {
    guard let report = baseline?.report else { return ([], []) }
    let shown = report.names.count <= 12
    let header =
      ["class", "precision", "recall", "F1", "samples"]
      + (shown ? report.names.map { "as \($0)" } : [])
    let rows = report.rows.enumerated().map { index, row in
      [
        row.name, row.precision.fraction.map { Words.fixed($0, 3) } ?? "-",
        row.recall.fraction.map { Words.fixed($0, 3) } ?? "-",
        row.f1.map { Words.fixed($0, 3) } ?? "-", "\(row.recall.count)",
      ] + (shown ? report.confusion[index].map(String.init) : [])
    }
    return (header, rows)
  }

  // MARK: Output

  /// The answer first, then the tables.
  var text: String {
    let (header, classes) = confusion
    var text = headline + "\n" + details.map { "- \($0)\n" }.joined() + "\n"
    text += Text.table(Self.header, rows, numeric: [1, 2, 3, 4, 5, 6])
    text += "accuracy: of the written file, on \(judgedBy)\n\(latencyNote)\n\n"
    text += "classes of float32:\n"
    text += Text.table(header, classes, numeric: Set(1..<max(header.count, 2)))
    text += "\npage: \(Host.join(plan.folder, "report.html"))\nmodels: \(plan.modelFolder)\n"
    if let path = variants.first?.path {
      text += "try one: assay classify \(path) --images PHOTOS --label-names "
      text += Host.join(plan.folder, "labels.txt")
      text += plan.preprocessingWords.isEmpty ? "\n" : " -p \(plan.preprocessingWords)\n"
    }
    return text
  }

  var json: JSON {
    .object([
      "schema": "assay.train/1", "network": .string(name), "data": .string(plan.data),
      "folder": .string(plan.folder), "trainingSamples": JSON(sets.training.count),
      "judgedBy": .string(judgedBy), "classes": .array(sets.names.map { .string($0) }),
      "epochs": JSON(history.rows.count { $0.phase.isEmpty }), "bestEpoch": JSON(run.bestEpoch),
      "seed": JSON(Int(clamping: plan.seed)), "seconds": JSON(seconds),
      "variants": .array(variants.map(\.json)), "history": history.json,
      "cautions": .array(cautions.map { .string($0) }),
      "skipped": .array(sets.skipped.map(\.json)),
    ])
  }

  /// The page.
  var page: String {
    let (header, classes) = confusion
    let method: [(key: String, value: String)] = [
      ("command", Words.shell(["assay"] + CommandLine.arguments.dropFirst())),
      ("data", sets.summary), ("judged by", judgedBy),
      ("preprocessing", plan.preprocessing.text), ("pictures varied by", plan.augmentation.text),
      ("batch", "\(plan.batch)"), ("optimizer", "Adam, learning rate \(plan.learningRate)"),
      ("seed", "\(plan.seed)"), ("threads", "\(plan.threads)"),
      ("time", Text.duration(seconds * 1e9)),
    ]
    return renderTraining(
      TrainingReport(
        name: name,
        headline: headline,
        facts: facts,
        details: details,
        history: history,
        tables: [
          .init(
            title: "Variants",
            lead:
              "Accuracy is that of the written file on \(judgedBy). L\(latencyNote.dropFirst()).",
            header: Self.header,
            rows: rows,
            numeric: [1, 2, 3, 4, 5, 6]
          ),
          .init(
            title: "Classes",
            lead:
              "Of the network as trained: rows are what pictures show, the last columns what they "
              + "were taken for.",
            header: header,
            rows: classes,
            numeric: Set(1..<max(header.count, 2))
          ),
        ],
        method: method,
        version: assayVersion,
        madeAt: Host.wallNanoseconds()
      )
    )
  }

  /// Writes page, labels and result into the folder.
  func write() throws {
    try AtomicFile.write(page, to: Host.join(plan.folder, "report.html"))
    try writeJSON(json, to: Host.join(plan.folder, "result.json"))
    try AtomicFile.write(
      sets.names.map { $0 + "\n" }.joined(),
      to: Host.join(plan.folder, "labels.txt")
    )
  }
}
