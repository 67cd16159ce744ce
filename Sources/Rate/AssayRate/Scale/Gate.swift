import AssayBase
import AssayStatistics

/// What a model must hold to be rated over all, such as 99 % of the original's accuracy.
public struct Gate: Sendable, Equatable {
  /// Which side is good.
  public enum Side: String, Sendable { case atLeast = ">=", atMost = "<=" }
  /// What it is held against.
  public enum Bound: Sendable, Equatable {
    /// A figure in the property's unit.
    case figure(Double)
    /// So much of the original's figure.
    case ofOriginal(Double)
  }

  /// The property.
  public var property: Scale.Property
  /// Which side is good.
  public var side: Side
  /// What it is held against.
  public var bound: Bound

  /// Makes a gate.
  public init(_ property: Scale.Property, _ side: Side, _ bound: Bound) {
    self.property = property
    self.side = side
    self.bound = bound
  }

  /// Reads `accuracy>=99%original`, `accuracy>=0.7`, `latency<=20ms` or `size<=5MB`.
  ///
  /// - Throws: `Diagnostic` RAT040 for anything else.
  public init(_ text: String, among properties: [Scale.Property] = Scale.Property.known) throws {
    func fault(_ what: String) -> Diagnostic {
      Diagnostic(
        "RAT040",
        "'\(text)' is no gate: \(what)",
        remedy: "such as accuracy>=99%original, latency<=20ms or size<=5MB"
      )
    }
    let compact = text.filter { !$0.isWhitespace }
    guard let sign = compact.firstIndex(where: { $0 == "<" || $0 == ">" }) else {
      throw fault("it has neither >= nor <=")
    }
    let rest = compact[sign...]
    guard let side = Side(rawValue: String(rest.prefix(2))) else {
      throw fault("write >= or <=")
    }
    let key = String(compact[..<sign])
    guard let property = properties.first(where: { $0.key == key }) else {
      throw fault("'\(key)' is none of \(properties.map(\.key).joined(separator: ", "))")
    }
    var word = String(rest.dropFirst(2))
    var isOfOriginal = false
    for end in ["ofthe", "of", "*", ""] where !isOfOriginal && word.hasSuffix(end + "original") {
      word.removeLast(end.count + "original".count)
      isOfOriginal = true
    }
    guard let (number, factor) = Self.number(word, isOfOriginal ? .fraction : property.unit) else {
      throw fault(
        "'\(word)' is no \(isOfOriginal ? "part" : "figure in \(property.unit.rawValue)")"
      )
    }
    let value = number * factor
    guard value.isFinite, value >= 0 else { throw fault("'\(word)' is no number from 0 on") }
    // What was meant without its unit would be a gate that lets everything pass, or nothing.
    let unit = isOfOriginal ? .fraction : property.unit
    if unit == .fraction, value > 1, !isOfOriginal {
      throw fault("'\(word)' is above the whole; was \(word)% meant?")
    }
    if [.seconds, .joules, .bytes].contains(unit), Double(word) != nil, value > 0 {
      let usual = unit == .seconds ? "ms" : unit == .joules ? "mJ" : "MB"
      throw fault("'\(word)' has no unit, such as \(usual)")
    }
    self.init(property, side, isOfOriginal ? .ofOriginal(value) : .figure(value))
  }

  /// A number with a unit, and what the unit comes to.
  private static func number(_ word: String, _ unit: Scale.Unit) -> (Double, Double)? {
    let units: [(String, Double)] =
      switch unit {
      case .seconds: [("ns", 1e-9), ("µs", 1e-6), ("us", 1e-6), ("ms", 1e-3), ("s", 1)]
      case .joules: [("µJ", 1e-6), ("uJ", 1e-6), ("mJ", 1e-3), ("kJ", 1e3), ("J", 1)]
      case .bytes:
        [
          ("KiB", 1024), ("MiB", 1_048_576), ("GiB", 1_073_741_824), ("kB", 1e3), ("MB", 1e6),
          ("GB", 1e9), ("B", 1),
        ]
      case .fraction: [("%", 0.01)]
      case .count: [("k", 1e3), ("M", 1e6)]
      case .number: []
      }
    for (name, factor) in units where word.hasSuffix(name) {
      if let number = Double(word.dropLast(name.count)) { return (number, factor) }
    }
    return Double(word).map { ($0, 1) }
  }

  /// The gate as it is written.
  public var text: String {
    switch bound {
    case .figure(let value): "\(property.key) \(side.rawValue) \(property.text(value))"
    case .ofOriginal(let part):
      "\(property.key) \(side.rawValue) \(Words.short(part * 100)) % of the original's"
    }
  }

  /// Whether a subject holds it, and how sure that is.
  func judge(_ subject: Subject) -> GateResult {
    guard let figure = subject.values[property.key] else {
      return GateResult(gate: self, holds: false, reason: "not measured")
    }
    var limit: Double
    var other: Measured?
    switch bound {
    case .figure(let value): limit = value
    case .ofOriginal(let part):
      if subject.isOriginal {
        return GateResult(gate: self, holds: true, value: figure.value, probability: 1)
      }
      guard let original = subject.original[property.key] else {
        return GateResult(gate: self, value: figure.value, reason: "its original is not there")
      }
      limit = part * original.value
      other = original
      other?.value = limit
    }
    // A little slack, so that 0.99 of 0.7 is not missed by rounding.
    let slack = abs(limit) * 1e-12
    let holds =
      side == .atLeast ? figure.value >= limit - slack : figure.value <= limit + slack
    var probability: Double?
    if let own = deviation(figure), let theirs = other.map({ deviation($0) }) ?? 0 {
      let error = (own * own + theirs * theirs).squareRoot()
      let distance = side == .atLeast ? figure.value - limit : limit - figure.value
      probability = error > 0 ? Normal.cumulative(distance / error) : holds ? 1 : 0
    }
    return GateResult(
      gate: self,
      holds: holds,
      value: figure.value,
      limit: limit,
      probability: probability
    )
  }

  /// The standard deviation of what a figure may be; `nil` when it is not known.
  private func deviation(_ figure: Measured) -> Double? {
    switch figure.uncertainty {
    case .exact: return 0
    case .unknown: return nil
    case .relative(let error, _): return abs(figure.value) * error
    case .counted(let count):
      guard count > 0 else { return nil }
      // Of the beta distribution with Jeffreys' prior.
      let (a, n) = (figure.value * Double(count) + 0.5, Double(count) + 1)
      return (a * (n - a) / (n * n * (n + 1))).squareRoot()
    }
  }
}

/// Whether a subject holds a gate.
public struct GateResult: Sendable, Equatable {
  /// The gate.
  public var gate: Gate
  /// Whether it holds; `nil` when it cannot be told.
  public var holds: Bool?
  /// The figure.
  public var value: Double?
  /// What it is held against.
  public var limit: Double?
  /// How probable it is that the true figure holds it; `nil` when that is not known.
  public var probability: Double?
  /// Why it cannot be told.
  public var reason: String?

  /// The gate, the figure and the probability in words.
  public var text: String {
    var words = gate.text
    if let value { words += ": \(gate.property.text(value))" }
    if let limit, case .ofOriginal = gate.bound { words += " against \(gate.property.text(limit))" }
    if let reason { words += ": \(reason)" }
    if let probability { words += ", holds with \(Words.percent(probability, 0))" }
    return words
  }
}

extension Scale.Property {
  /// A figure with its unit, as people read it.
  public func text(_ value: Double) -> String {
    guard value.isFinite else { return "-" }
    return switch unit {
    case .seconds: Words.time(value * 1e9)
    case .joules:
      switch abs(value) {
      case ..<999.5e-6: Words.significant(value * 1e6) + " µJ"
      case ..<0.9995: Words.significant(value * 1e3) + " mJ"
      case ..<999.5: Words.significant(value) + " J"
      default: Words.significant(value / 1e3) + " kJ"
      }
    case .bytes: Words.bytes(Int(exactly: value.rounded()) ?? 0)
    case .count: Words.count(Int(exactly: value.rounded()) ?? 0)
    case .fraction: Words.percent(value)
    case .number: Words.significant(value)
    }
  }
}
