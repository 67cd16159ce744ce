import AssayBase
import AssayRate
import AssayRecord
import AssayReport

/// One view of a comparison: a drawing and the figures that it shows.
public struct ComparisonFigure: Sendable {
  /// The name of its files.
  public var name: String
  /// What it shows, in words.
  public var title: String
  /// The figures as CSV, in base units.
  public var csv: String
  let width: Double
  let height: Double
  let body: @Sendable (Canvas) -> Void

  /// The drawing as a file.
  ///
  /// - Throws: `Diagnostic` FIG001 and FIG005.
  public func file(_ format: DrawingFormat, madeAt: Int64 = 0) throws -> [UInt8] {
    try Canvas.draw(format, width: width, height: height, title: title, madeAt: madeAt) { canvas in
      canvas.rectangle(0, 0, width, height)
      canvas.fill(.paper)
      body(canvas)
    }
  }

  /// Every view that the records have figures for.
  public static func all(_ report: ComparisonReport) -> [ComparisonFigure] {
    [
      quality(report), distributions(report), size(report), memory(report), initialization(report),
      grades(report),
    ].compactMap(\.self)
  }

  private static func csv(_ header: [String], _ rows: [[String]]) -> String {
    ([header] + rows).map { $0.map(csvField).joined(separator: ",") }.joined(separator: "\r\n")
      + "\r\n"
  }

  private static func number(_ value: Double?) -> String {
    guard let value, value.isFinite else { return "" }
    return value == value.rounded() && abs(value) < 1e15 ? String(Int64(value)) : "\(value)"
  }

  private static let inks = [
    Ink(0x1F5F8B), Ink(0xC8561B), Ink(0x2C8062), Ink(0x8A5FA8), Ink(0xB8911F), Ink(0x5B6776),
  ]

  // MARK: Views

  /// Median latency against quality, with intervals and the Pareto set.
  private static func quality(_ report: ComparisonReport) -> ComparisonFigure? {
    let quality = Recommendation(report).quality
    let pareto = Set(Recommendation(report).pareto)
    func value(_ record: Record) -> Double? {
      switch quality {
      case .accuracy: record.accuracy.value.map { $0 * 100 }
      case .agreement: record.agreement.value.map { $0 * 100 }
      case .snr: record.snrDb.value.flatMap { $0.isFinite ? $0 : nil }
      case .none: nil
      }
    }
    let points = report.valid.compactMap { record in
      value(record).map { (record: record, x: report.median(record), y: $0) }
    }
    guard points.count > 1 else { return nil }
    @Sendable func reach(_ record: Record) -> ClosedRange<Double>? {
      guard quality == .accuracy, let part = record.accuracy.value, record.accuracyCount > 0 else {
        return nil
      }
      let range = Proportion(fraction: part, of: record.accuracyCount).interval
      return range.lowerBound * 100...range.upperBound * 100
    }
    let ends = points.compactMap { reach($0.record) }.flatMap { [$0.lowerBound, $0.upperBound] }
    let plot = Plot(
      x: Axis(logarithmic: points.map(\.x), air: 0.12),
      y: Axis(linear: points.map(\.y) + ends)
    )
    let runtimes = Set(points.map(\.record.runtime)).sorted()
    let name = ["accuracy": "accuracy, %", "agreement": "agreement, %", "snr": "SNR, dB"]
    let yTitle = name[quality.rawValue] ?? ""
    let rows = points.map { point in
      let range = reach(point.record)
      let spread = report.spread(point.record)
      return [
        point.record.id, point.record.variant, point.record.runtime, "\(point.record.threads)",
        number(point.x), number(spread.map { Double($0.lowerBound) }),
        number(spread.map { Double($0.upperBound) }), number(point.y), number(range?.lowerBound),
        number(range?.upperBound), pareto.contains(point.record.id) ? "1" : "0",
      ]
    }
    return ComparisonFigure(
      name: "latency-quality",
      title: "Latency against \(quality.rawValue)",
      csv: csv(
        [
          "id", "variant", "runtime", "threads", "p50Ns", "p50LowNs", "p50HighNs", quality.rawValue,
          "low", "high", "pareto",
        ],
        rows
      ),
      width: 640,
      height: 424,
      body: { canvas in
        plot.frame(
          canvas,
          title: "Latency against \(quality.rawValue)",
          xTitle: "median latency (logarithmic)",
          yTitle: yTitle,
          xText: { Words.time($0) },
          yText: { Words.short($0) }
        )
        for point in points {
          let ink = inks[(runtimes.firstIndex(of: point.record.runtime) ?? 0) % inks.count]
          let (x, y) = (plot.column(point.x), plot.row(point.y))
          if let range = reach(point.record) {
            canvas.path([(x, plot.row(range.lowerBound)), (x, plot.row(range.upperBound))])
            canvas.stroke(Ink(0x5B6776, alpha: 0.5))
          }
          if let spread = report.spread(point.record) {
            canvas.path([
              (plot.column(Double(spread.lowerBound)), y),
              (plot.column(Double(spread.upperBound)), y),
            ])
            canvas.stroke(Ink(0x5B6776, alpha: 0.5))
          }
          canvas.circle(x, y, 5)
          canvas.fill(ink)
          if pareto.contains(point.record.id) {
            canvas.circle(x, y, 8)
            canvas.stroke(.text, width: 1.2)
            canvas.write(point.record.variant, x + 10, y - 7, size: 9, .text, fitting: 110)
          }
        }
        var left = plot.left
        for (place, runtime) in runtimes.enumerated() {
          canvas.circle(left + 4, 42, 4)
          canvas.fill(inks[place % inks.count])
          let words = report.title(ofRuntime: runtime)
          canvas.write(words, left + 12, 46, size: 10, .soft)
          left += 28 + canvas.width(words, size: 10)
        }
        canvas.write("○ Pareto set", left, 46, size: 10, .soft)
      }
    )
  }

  /// Quantiles of each configuration's samples.
  private static func distributions(_ report: ComparisonReport) -> ComparisonFigure? {
    let shown = report.ordered.filter { $0.samples.count > 1 }
      .sorted { report.median($0) < report.median($1) }
    guard !shown.isEmpty else { return nil }
    let parts = [0.05, 0.25, 0.5, 0.75, 0.95]
    let quantiles = shown.map { record -> [Double] in
      let sorted = record.samples.sorted()
      return parts.map { Double(sorted[Int(Double(sorted.count - 1) * $0)]) }
    }
    let axis = Axis(logarithmic: quantiles.flatMap { [$0[0], $0[4]] }, air: 0.05)
    let height = 76 + Double(shown.count) * 24
    return ComparisonFigure(
      name: "latency-distributions",
      title: "How latency varies",
      csv: csv(
        ["id", "variant", "runtime", "threads", "samples"] + parts.map { "q\(Int($0 * 100))Ns" },
        zip(shown, quantiles).map { record, values in
          [
            record.id, record.variant, record.runtime, "\(record.threads)",
            "\(record.samples.count)",
          ] + values.map { number($0) }
        }
      ),
      width: 640,
      height: height,
      body: { canvas in
        canvas.write("How latency varies", 20, 26, size: 15, isBold: true)
        canvas.write("quantiles 5, 25, 50, 75, 95 %", 20, 42, size: 10, .soft)
        func column(_ value: Double) -> Double { 236 + 384 * axis.place(value) }
        for tick in axis.ticks(4) {
          canvas.path([(column(tick), 50), (column(tick), height - 22)])
          canvas.stroke(.line)
          canvas.write(Words.time(tick), column(tick), height - 8, size: 10, .soft, .middle)
        }
        for (row, (record, values)) in zip(shown, quantiles).enumerated() {
          let y = 62 + Double(row) * 24
          canvas.write(report.title(record), 228, y + 4, size: 10, .text, .end, fitting: 208)
          canvas.path([(column(values[0]), y), (column(values[4]), y)])
          canvas.stroke(.soft, width: 1.2)
          canvas.rectangle(column(values[1]), y - 7, column(values[3]) - column(values[1]), 14)
          canvas.fill(Ink(0x8AA4B8))
          canvas.path([(column(values[2]), y - 8), (column(values[2]), y + 8)])
          canvas.stroke(.text, width: 2)
        }
      }
    )
  }

  private static func bars(
    _ name: String,
    _ title: String,
    _ unit: String,
    _ parts: [String],
    _ rows: [(record: Record, values: [Double], text: String)],
    _ report: ComparisonReport
  ) -> ComparisonFigure? {
    guard !rows.isEmpty else { return nil }
    let sorted = rows.sorted { $0.values.reduce(0, +) < $1.values.reduce(0, +) }
    let chart = BarChart(
      title: title,
      parts: parts,
      bars: sorted.map {
        BarChart.Bar(name: report.title($0.record), parts: $0.values, text: $0.text)
      }
    )
    return ComparisonFigure(
      name: name,
      title: title,
      csv: csv(
        ["id", "variant", "runtime", "threads"] + parts.map { $0 + unit },
        sorted.map { row in
          [row.record.id, row.record.variant, row.record.runtime, "\(row.record.threads)"]
            + row.values.map { number($0) }
        }
      ),
      width: 640,
      height: chart.height,
      body: { chart.draw($0) }
    )
  }

  private static func size(_ report: ComparisonReport) -> ComparisonFigure? {
    bars(
      "size",
      "Size of the file",
      "Bytes",
      ["file"],
      report.ordered.filter { $0.model.byteCount > 0 }.map {
        ($0, [Double($0.model.byteCount)], Words.bytes($0.model.byteCount))
      },
      report
    )
  }

  private static func memory(_ report: ComparisonReport) -> ComparisonFigure? {
    bars(
      "memory",
      "Peak memory above a process that does nothing",
      "Bytes",
      ["peak"],
      report.ordered.compactMap { record in
        record.peakMemoryBytes.value.map { (record, [Double(max($0, 0))], Words.bytes($0)) }
      },
      report
    )
  }

  private static func initialization(_ report: ComparisonReport) -> ComparisonFigure? {
    bars(
      "initialization",
      "Before the first answer",
      "Ns",
      ["read", "compile", "first"],
      report.ordered.compactMap { record in
        let all = record.initialization
        guard let read = all.read.value, let compile = all.compile.value,
          let first = all.first.value
        else { return nil }
        let values = [Double(read), Double(compile), Double(first)]
        return (record, values, Words.time(values.reduce(0, +)))
      },
      report
    )
  }

  /// Probabilities of the letters of each variant against its original.
  private static func grades(_ report: ComparisonReport) -> ComparisonFigure? {
    guard let scale = try? Scale.named("variants") else { return nil }
    let set = ScaleRatings(Subject.of(report.records), by: scale)
    let rows = set.ranking.compactMap { place -> (Record, Grade)? in
      set.ratings[place].compound.map { (report.records[place], $0) }
    }
    guard !rows.isEmpty else { return nil }
    let height = 62 + Double(rows.count) * 24
    return ComparisonFigure(
      name: "grades",
      title: "Grades against the original",
      csv: csv(
        ["id", "variant", "runtime", "threads", "grade", "index", "A", "B", "C", "D", "E"],
        rows.map { record, grade in
          [
            record.id, record.variant, record.runtime, "\(record.threads)", grade.letter.text,
            number(grade.index),
          ] + (grade.probabilities ?? [.nan, .nan, .nan, .nan, .nan]).map { number($0) }
        }
      ),
      width: 640,
      height: height,
      body: { canvas in
        canvas.write("Grades against the original", 20, 26, size: 15, isBold: true)
        canvas.write("scale \(scale.title)", 620, 26, size: 9, .soft, .end)
        for (row, (record, grade)) in rows.enumerated() {
          let y = 44 + Double(row) * 24
          canvas.write(report.title(record), 228, y + 13, size: 10, .text, .end, fitting: 208)
          var parts = Letter.allCases.map { $0 == grade.letter ? 1.0 : 0 }
          if let probabilities = grade.probabilities { parts = probabilities }
          var left = 236.0
          for (letter, part) in zip(Letter.allCases, parts) where part > 0 {
            canvas.rectangle(left, y, 240 * part, 18)
            canvas.fill(letter.ink)
            if part > 0.1 {
              canvas.write(
                letter.text,
                left + 120 * part,
                y + 13,
                size: 11,
                isBold: true,
                letter.onInk,
                .middle
              )
            }
            left += 240 * part
          }
          canvas.write(grade.text, 484, y + 13, size: 10, .soft, fitting: 140)
        }
      }
    )
  }
}
