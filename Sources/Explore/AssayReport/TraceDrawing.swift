import AssayBase
import AssayMeter

/// A trace of power as a drawing: a page, an SVG or a PNG.
///
/// One panel for each quantity: power, of counters their rise, then current and voltage. Where there are
/// more readings than columns each column shows the least and the greatest.
public struct TraceDrawing: Sendable {
  let trace: PowerTrace
  let title: String

  /// Draws a trace.
  public init(_ trace: PowerTrace, title: String) {
    self.trace = trace
    self.title = title
  }

  /// One line: its name and what it shows at each reading.
  struct Line: Sendable {
    var name: String
    var values: [Double]
  }

  /// One panel: lines of one unit.
  struct Panel: Sendable {
    var heading: String
    var lines: [Line]
    var axis: Axis
  }

  /// Lines that a panel shows at most; the rest are parts of what is shown.
  static let lineLimit = 6

  /// The panels, power first.
  var panels: [Panel] {
    let kinds: [(String, Set<MeterChannel.Quantity>)] = [
      ("power, W", [.power, .energy]), ("current, A", [.current]), ("voltage, V", [.voltage]),
    ]
    return kinds.compactMap { heading, quantities in
      let lines = trace.channels.indices.filter { quantities.contains(trace.channels[$0].quantity) }
        .sorted { trace.channels[$0].isPrimary && !trace.channels[$1].isPrimary }
        .prefix(TraceDrawing.lineLimit)
        .map { Line(name: trace.channels[$0].name, values: values($0)) }
        .filter { $0.values.contains(where: \.isFinite) }
      guard !lines.isEmpty else { return nil }
      let all = lines.flatMap(\.values)
      // Power is read from nothing up; a voltage that hardly moves is read closely.
      let ends = heading.hasPrefix("voltage") ? all : all + [0]
      return Panel(heading: heading, lines: Array(lines), axis: Axis(linear: ends))
    }
  }

  /// What a channel shows at each reading: of a counter the watts since some readings before.
  private func values(_ channel: Int) -> [Double] {
    let series = trace.values[channel]
    guard trace.channels[channel].quantity == .energy else { return series }
    // A counter's steps are seen over less than its own time of updates.
    let latency = Double(trace.channels[channel].accuracy.latencyNanoseconds)
    let stride = max(1, Int((5 * latency / Double(max(trace.period, 1))).rounded(.up)))
    return series.indices.map { index in
      guard index >= stride else { return .nan }
      let seconds = Double(trace.times[index] - trace.times[index - stride]) / 1e9
      return seconds > 0 ? (series[index] - series[index - stride]) / seconds : .nan
    }
  }

  /// Where a reading lies across the drawing, 0...1.
  func place(_ row: Int) -> Double {
    guard let first = trace.times.first, let last = trace.times.last, last > first else { return 0 }
    return Double(trace.times[row] - first) / Double(last - first)
  }

  /// Round seconds along the drawing.
  var seconds: [Double] {
    Axis(linear: [0, trace.seconds], air: 0).ticks(8).filter { $0 >= 0 && $0 <= trace.seconds }
  }

  /// What the trace says, in one line.
  var answer: String {
    let summary = TraceSummary(trace)
    let main = summary.rows.first { $0.channel.isPrimary } ?? summary.rows.first
    guard let main else { return "no reading" }
    let mark = trace.identity.isEstimate ? " (estimated by a model)" : ""
    guard let joules = main.joules else { return "\(Words.significant(main.mean))" }
    return "\(main.channel.name): \(Words.significant(main.mean)) W on average, "
      + "\(Words.significant(joules)) J in \(Words.significant(trace.seconds)) s\(mark)"
  }
}
