import AssayBase

/// A threshold of current or power above which a trace is of interest.
public struct TriggerLevel: Sendable, Equatable {
  /// Current or power.
  public let quantity: MeterChannel.Quantity
  /// Amperes or watts.
  public let value: Double
  /// As the user gave it.
  public let text: String
  /// The time whose mean is compared, nanoseconds.
  static let window: Int64 = 20_000_000

  /// Reads `500mA` or `2W`; a bare number is milliamperes, as Monsoon's own program takes it.
  ///
  /// - Throws: `Diagnostic` MTR071.
  public init(parsing text: String) throws {
    let (number, unit) = LineParser.leadingNumber(text[...])
    let known = LineParser.units[unit.isEmpty ? "mA" : String(unit)]
    guard let number, number > 0, let known,
      known.quantity == .current || known.quantity == .power
    else {
      throw Diagnostic(
        "MTR071",
        "a threshold is a current or a power, not '\(text)'",
        remedy: "--trigger 500mA or --trigger 2W"
      )
    }
    quantity = known.quantity
    value = number * known.factor
    self.text = text
  }

  /// The channel that it applies to.
  private func channel(_ channels: [MeterChannel]) -> Int? {
    channels.firstIndex { $0.quantity == quantity && $0.isPrimary }
      ?? channels.firstIndex { $0.quantity == quantity }
  }

  /// Whether one reading lies above; never for a meter without such a channel.
  public func isAbove(_ row: [Double], _ channels: [MeterChannel]) -> Bool {
    guard let index = channel(channels), row.indices.contains(index) else { return false }
    return row[index] > value
  }

  /// The rows of the stretches that lie above: from where the mean of 20 ms rises over the
  /// threshold to where it falls under it.
  public func spans(in trace: PowerTrace) -> [Range<Int>] {
    guard let series = series(trace), trace.count > 1 else { return [] }
    var spans: [Range<Int>] = []
    var start: Int?
    var first = 0
    while first < trace.count {
      var end = first
      var sum = 0.0
      while end < trace.count,
        end == first || trace.times[end] - trace.times[first] < TriggerLevel.window
      {
        sum += series[end].isFinite ? series[end] : 0
        end += 1
      }
      let isAbove = sum / Double(end - first) > value
      if isAbove, start == nil { start = first }
      if !isAbove, let begin = start {
        spans.append(begin..<first)
        start = nil
      }
      first = end
    }
    if let start { spans.append(start..<trace.count) }
    return spans
  }

  /// The greatest reading, in words.
  public func greatest(in trace: PowerTrace) -> String {
    guard let series = series(trace), let most = series.filter(\.isFinite).max() else {
      return "not there: the meter tells no \(quantity.rawValue)"
    }
    return "\(Words.significant(most)) \(quantity.unit)"
  }

  /// The numbers compared; of a counter its rise, when power is asked for.
  private func series(_ trace: PowerTrace) -> [Double]? {
    if let index = channel(trace.channels) { return trace.values[index] }
    guard quantity == .power, let primary = trace.primary else { return nil }
    let joules = trace.values[primary]
    var watts = [Double](repeating: .nan, count: joules.count)
    for index in joules.indices.dropFirst() {
      let seconds = Double(trace.times[index] - trace.times[index - 1]) / 1e9
      if seconds > 0 { watts[index] = (joules[index] - joules[index - 1]) / seconds }
    }
    return watts
  }
}
