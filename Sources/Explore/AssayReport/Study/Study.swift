import AssayBase

/// One model measured with one setting varied: threads, batch, or the processors that it is bound to.
public struct Study: Sendable, Equatable {
  /// What is varied.
  public enum Subject: String, Sendable {
    case threads, batch, affinity
  }

  /// One setting.
  public struct Point: Sendable, Equatable {
    /// The setting in words, such as `4 threads`.
    public var label: String
    /// The setting as a number: threads, items of a batch; for processors their place in the list.
    public var value: Int
    /// Median latency of one run, nanoseconds; `nil` when it was not measured.
    public var median: Double?
    /// 95 % interval of the median.
    public var interval: ClosedRange<Double>?
    /// Items that one run computes.
    public var items: Int
    /// Whether the figures hold.
    public var isValid: Bool
    /// Why there are none, or why they do not hold.
    public var reason: String?

    /// Makes a point.
    public init(
      label: String,
      value: Int,
      median: Double?,
      interval: ClosedRange<Double>?,
      items: Int = 1,
      isValid: Bool = true,
      reason: String? = nil
    ) {
      self.label = label
      self.value = value
      self.median = median
      self.interval = interval
      self.items = items
      self.isValid = isValid
      self.reason = reason
    }

    /// Items a second.
    public var throughput: Double? {
      median.flatMap { $0 > 0 ? Double(items) / $0 * 1e9 : nil }
    }
  }

  /// A ratio with the bounds that both intervals allow it.
  public struct Ratio: Sendable, Equatable {
    public var value: Double
    public var low: Double
    public var high: Double
  }

  /// What is varied.
  public var subject: Subject
  /// What is measured, such as the model and the runtime.
  public var title: String
  /// The settings in order; ratios are to the first.
  public var points: [Point]
  /// What is worth knowing beside the figures.
  public var notes: [String]

  /// Makes a study.
  public init(subject: Subject, title: String, points: [Point], notes: [String] = []) {
    self.subject = subject
    self.title = title
    self.points = points
    self.notes = notes
  }

  /// How many times the first setting's items a second a setting computes.
  ///
  /// The bounds are those of the two medians' intervals against each other, which is wider than need
  /// be and never too narrow.
  public func speedUp(_ index: Int) -> Ratio? {
    guard let first = points.first, let base = first.median, base > 0,
      let median = points[index].median, median > 0, first.items > 0
    else { return nil }
    let items = Double(points[index].items) / Double(first.items)
    let own = points[index].interval ?? median...median
    let other = first.interval ?? base...base
    if index == 0 { return Ratio(value: 1, low: 1, high: 1) }
    return Ratio(
      value: base / median * items,
      low: other.lowerBound / max(own.upperBound, 1) * items,
      high: other.upperBound / max(own.lowerBound, 1) * items
    )
  }

  /// The speed-up as a part of what the setting could give at best; for threads only.
  public func efficiency(_ index: Int) -> Double? {
    guard subject == .threads, let first = points.first, first.value > 0,
      let ratio = speedUp(index)
    else { return nil }
    return ratio.value / (Double(points[index].value) / Double(first.value))
  }

  /// The setting to take: the first whose throughput is within 5 % of the best.
  public var pick: Int? {
    let ratios = points.indices.map { speedUp($0)?.value ?? 0 }
    guard let best = ratios.max(), best > 0 else { return nil }
    return ratios.firstIndex { $0 >= 0.95 * best }
  }

  /// What the study found, in a sentence.
  public var answer: String {
    guard let pick, let ratio = speedUp(pick) else { return "nothing could be measured" }
    let times = "\(Words.fixed(ratio.value, ratio.value < 10 ? 2 : 1))x"
    let isLast = pick == points.count - 1
    let doubt =
      points[pick].isValid && points[0].isValid ? "" : " (INVALID: see the reasons)"
    switch subject {
    case .threads:
      if pick == 0 { return "\(points[0].label): more do not help" + doubt }
      let rest = isLast ? "" : "; more do not help"
      return "\(points[pick].label): \(times)\(rest)" + doubt
    case .batch:
      if pick == 0 { return "\(points[0].label): larger batches do not help" + doubt }
      let wait = points[pick].median.map { ", \(Words.time($0)) for the whole batch" } ?? ""
      let rest = isLast ? "" : "; larger ones do not help"
      return "\(points[pick].label): \(times) as many items a second\(wait)\(rest)" + doubt
    case .affinity: return affinityAnswer + doubt
    }
  }

  private var affinityAnswer: String {
    let rated = points.indices.dropFirst().compactMap { index in
      speedUp(index).map { (index: index, ratio: $0) }
    }
    guard let best = rated.max(by: { $0.ratio.value < $1.ratio.value }) else {
      return "nothing could be compared"
    }
    if best.ratio.low > 1 {
      return "\(points[best.index].label): "
        + "\(Words.percent(best.ratio.value - 1)) more a second than \(points[0].label)"
    }
    let reach = max(abs(best.ratio.high - 1), abs(1 - best.ratio.low))
    if rated.allSatisfy({ $0.ratio.high < 1 }) {
      return "\(points[0].label) is best: binding costs at least "
        + Words.percent(1 - (rated.map(\.ratio.high).max() ?? 1))
    }
    return "binding makes no difference that these figures show: "
      + "one below \(Words.percent(reach)) could be missed"
  }

  /// The study as JSON, `assay.study/1` without the records.
  public var json: JSON {
    .object([
      "schema": "assay.study/1", "subject": .string(subject.rawValue), "title": .string(title),
      "answer": .string(answer), "pick": pick.map { .string(points[$0].label) } ?? .null,
      "points": .array(points.indices.map(pointJSON)),
      "notes": .array(notes.map { .string($0) }),
    ])
  }

  private func pointJSON(_ index: Int) -> JSON {
    let point = points[index]
    func number(_ value: Double?) -> JSON { value.map { JSON($0) } ?? .null }
    func bounds(_ low: Double?, _ high: Double?) -> JSON {
      guard let low, let high else { return .null }
      return .array([JSON(low), JSON(high)])
    }
    let ratio = speedUp(index)
    var object = JSON.object([
      "label": .string(point.label), "value": JSON(point.value), "items": JSON(point.items),
    ])
    object["medianNs"] = number(point.median)
    object["ci95Ns"] = bounds(point.interval?.lowerBound, point.interval?.upperBound)
    object["itemsPerSecond"] = number(point.throughput)
    object["speedUp"] = number(ratio?.value)
    object["speedUpBounds"] = bounds(ratio?.low, ratio?.high)
    object["efficiency"] = number(efficiency(index))
    object["valid"] = .bool(point.isValid)
    object["reason"] = JSON(point.reason)
    return object
  }
}
