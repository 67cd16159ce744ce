import AssayBase
import AssayCodec

/// What a plan may name; whoever knows the plug-ins says so.
public struct SweepVocabulary: Sendable {
  /// Ids of runtimes.
  public var runtimes: [String]
  /// Names of providers.
  public var providers: [String]
  /// Names of presets.
  public var presets: [String]
  /// Ids of formats that artefacts are written in.
  public var formats: [String]
  /// Options that tell of data, by their names on the command line.
  public var dataOptions: [String]
  /// What is wrong with a scenario; `nil` when it can be run.
  public var scenarioFault: @Sendable (JSON) -> Diagnostic?
  /// What is wrong with a recipe's name; `nil` when variants can be made by it.
  public var recipeFault: @Sendable (String) -> Diagnostic?

  /// What is wrong with a meter's words; `nil` when there is such a meter.
  public var meterFault: @Sendable (String) -> Diagnostic?

  /// Makes a vocabulary.
  public init(
    runtimes: [String],
    providers: [String],
    presets: [String],
    formats: [String],
    dataOptions: [String] = [],
    scenarioFault: @escaping @Sendable (JSON) -> Diagnostic? = { _ in nil },
    recipeFault: @escaping @Sendable (String) -> Diagnostic? = { _ in nil },
    meterFault: @escaping @Sendable (String) -> Diagnostic? = { _ in nil }
  ) {
    self.runtimes = runtimes
    self.providers = providers
    self.presets = presets
    self.formats = formats
    self.dataOptions = dataOptions
    self.scenarioFault = scenarioFault
    self.recipeFault = recipeFault
    self.meterFault = meterFault
  }
}

/// Reads values by their paths in a document and collects what is wrong, each with its line.
struct PlanReader {
  let document: YAML.Marked
  private(set) var faults: [Diagnostic] = []

  init(_ document: YAML.Marked) { self.document = document }

  /// The line of a path, or of the nearest thing around it.
  func line(_ path: String) -> Int {
    var path = path
    while document.lines[path] == nil, let end = path.lastIndex(where: { $0 == "." || $0 == "[" }) {
      path = String(path[..<end])
    }
    return document.lines[path] ?? document.lines[""] ?? 1
  }

  mutating func fault(
    _ path: String,
    _ summary: String,
    remedy: String? = nil,
    code: String = "JOB001"
  ) {
    faults.append(Diagnostic(code, summary, at: ["line \(line(path))"], remedy: remedy))
  }

  mutating func add(_ fault: Diagnostic, at path: String) {
    faults.append(fault.inside("line \(line(path))"))
  }

  /// Says of every key of a mapping that is not known what was perhaps meant.
  mutating func check(_ value: JSON, at path: String, keys: [String]) {
    for (key, _) in value.pairs ?? [] where !keys.contains(key) {
      let guess = nearest(to: key, among: keys).map { "did you mean '\($0)'?" }
      fault(
        path.isEmpty ? key : "\(path).\(key)",
        "'\(key)' is no setting\(path.isEmpty ? " of a plan" : " of '\(path)'")",
        remedy: guess ?? "settings: \(keys.joined(separator: ", "))"
      )
    }
  }

  /// A value or a list of them, each with its path.
  func elements(_ value: JSON, at path: String) -> [(path: String, value: JSON)] {
    guard let list = value.array else { return [(path, value)] }
    return list.enumerated().map { ("\(path)[\($0)]", $1) }
  }

  /// Texts, one or several; numbers and truth values stand for their words.
  mutating func texts(
    _ value: JSON?,
    at path: String,
    among words: [String]? = nil,
    what: String
  ) -> [String]? {
    guard let value else { return nil }
    var texts: [String] = []
    for (place, element) in elements(value, at: path) {
      guard let text = element.string ?? element.int.map({ "\($0)" }), !text.isEmpty else {
        fault(place, "\(what) is no word")
        continue
      }
      if let words, !words.contains(text) {
        let guess = nearest(to: text, among: words).map { "; did you mean '\($0)'?" } ?? ""
        fault(
          place,
          "there is no \(what) '\(text)'",
          remedy: "one of \(words.joined(separator: ", "))\(guess)"
        )
        continue
      }
      if texts.contains(text) {
        fault(place, "'\(text)' stands twice in '\(path)'")
        continue
      }
      texts.append(text)
    }
    if texts.isEmpty, faults.isEmpty { fault(path, "'\(path)' is empty") }
    return texts
  }

  /// Whole numbers of at least 1, one or several.
  mutating func counts(
    _ value: JSON?,
    at path: String,
    most: Int = 1_000_000
  ) -> [Int]? {
    guard let value else { return nil }
    var counts: [Int] = []
    for (place, element) in elements(value, at: path) {
      guard let count = element.int, (1...most).contains(count) else {
        fault(
          place,
          "'\(path)' holds whole numbers from 1 to \(most), not '\(PlanReader.shown(element))'"
        )
        continue
      }
      if counts.contains(count) {
        fault(place, "\(count) stands twice in '\(path)'")
        continue
      }
      counts.append(count)
    }
    if counts.isEmpty, faults.isEmpty { fault(path, "'\(path)' is empty") }
    return counts
  }

  /// One whole number in a range.
  mutating func count(_ value: JSON?, at path: String, in range: ClosedRange<Int>) -> Int? {
    guard let value else { return nil }
    if let count = value.int, range.contains(count) { return count }
    fault(
      path,
      "'\(path)' is a whole number from \(range.lowerBound) to \(range.upperBound), not "
        + "'\(PlanReader.shown(value))'"
    )
    return nil
  }

  /// One text.
  mutating func text(_ value: JSON?, at path: String) -> String? {
    guard let value else { return nil }
    if let text = value.string, !text.isEmpty { return text }
    fault(path, "'\(path)' is a text, not '\(PlanReader.shown(value))'")
    return nil
  }

  /// A number with one of some units, such as `5min`; a bare number is in the unit of factor 1.
  mutating func quantity(
    _ value: JSON?,
    at path: String,
    units: KeyValuePairs<String, Double>,
    example: String
  ) -> Double? {
    guard let value else { return nil }
    if let number = value.double, number >= 0, number < 1e15 { return number }
    if let text = value.string {
      let unit = String(text.reversed().prefix { $0.isLetter || $0 == "°" }.reversed())
      let digits = text.dropLast(unit.count).filter { $0 != " " }
      if let factor = units.first(where: { $0.key == unit })?.value, let number = Double(digits),
        number >= 0, number * factor < 1e15
      {
        return number * factor
      }
    }
    fault(path, "'\(path)' is such as \(example), not '\(PlanReader.shown(value))'")
    return nil
  }

  mutating func seconds(_ value: JSON?, at path: String) -> Double? {
    let seconds = quantity(
      value,
      at: path,
      units: ["ms": 1e-3, "s": 1, "min": 60, "h": 3600, "d": 86_400],
      example: "90s, 5min or 2h"
    )
    guard let seconds, seconds > PlanReader.longest else { return seconds }
    fault(path, "'\(path)' is longer than three years")
    return nil
  }

  /// Seconds that count as nanoseconds without running over.
  private static let longest = 1e8

  mutating func degrees(_ value: JSON?, at path: String) -> Double? {
    quantity(value, at: path, units: ["C": 1, "°C": 1], example: "70C")
  }

  mutating func bytes(_ value: JSON?, at path: String) -> Int? {
    quantity(
      value,
      at: path,
      units: [
        "B": 1, "kB": 1e3, "MB": 1e6, "GB": 1e9, "KiB": 1024, "MiB": 1_048_576,
        "GiB": 1_073_741_824,
      ],
      example: "500MB or 2GB"
    ).map { Int($0) }
  }

  /// A value as a message shows it.
  static func shown(_ value: JSON) -> String { value.string ?? value.text() }
}
