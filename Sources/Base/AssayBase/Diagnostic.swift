/// One finding about the user's input, environment or command, as data.
///
/// A diagnostic says what is wrong (`code`, `summary`), where (`location`, outermost frame first)
/// and how to mend it (`remedy`). Codes are stable: tests and scripts compare codes, never words.
public struct Diagnostic: Error, Sendable, Equatable {
  /// How much a finding matters.
  public enum Severity: String, Sendable {
    case error, warning, note
  }

  /// A stable code: three letters for the area and three digits, such as `HDF004`.
  public var code: String
  /// Whether the finding ends the work.
  public var severity: Severity
  /// What is wrong, in one sentence without a full stop.
  public var summary: String
  /// Where, outermost first: file, group or subgraph, node, attribute.
  public var location: [String]
  /// What the user can do about it.
  public var remedy: String?
  /// A foreign library's or the system's own words, kept as they came.
  public var cause: String?

  /// Makes a diagnostic.
  public init(
    _ code: String,
    _ summary: String,
    at location: [String] = [],
    remedy: String? = nil,
    cause: String? = nil,
    severity: Severity = .error
  ) {
    self.code = code
    self.severity = severity
    self.summary = summary
    self.location = location
    self.remedy = remedy
    self.cause = cause
  }

  /// The same finding with one more outer frame, added as it rises through its callers.
  public func inside(_ frame: String) -> Diagnostic {
    var copy = self
    copy.location.insert(frame, at: 0)
    return copy
  }

  /// The finding as a JSON object.
  public var json: JSON {
    var object = JSON.object([
      "code": .string(code), "severity": .string(severity.rawValue), "summary": .string(summary),
      "location": .array(location.map { .string($0) }),
    ])
    if let remedy { object["remedy"] = .string(remedy) }
    if let cause { object["cause"] = .string(cause) }
    return object
  }

  /// Reads the form that `json` gives; `nil` when it is something else.
  public init?(json: JSON) {
    guard let code = json["code"]?.string, let summary = json["summary"]?.string,
      let severity = json["severity"]?.string.flatMap(Severity.init(rawValue:))
    else { return nil }
    self.init(
      code,
      summary,
      at: (json["location"]?.array ?? []).compactMap(\.string),
      remedy: json["remedy"]?.string,
      cause: json["cause"]?.string,
      severity: severity
    )
  }
}

extension Diagnostic: CustomStringConvertible {
  /// The finding as the terminal shows it.
  public var description: String {
    var text = "\(severity.rawValue)[\(code)]: \(summary)"
    if !location.isEmpty { text += "\n  where:  \(location.joined(separator: ", "))" }
    if let remedy { text += "\n  remedy: \(remedy)" }
    if let cause, !cause.isEmpty { text += "\n  cause:  \(cause)" }
    return text
  }
}

/// Several findings at once, so that a user mends them in one go.
public struct Diagnostics: Error, Sendable, Equatable, CustomStringConvertible {
  /// The findings, in the order in which they were met.
  public var all: [Diagnostic]

  /// Makes a list of findings.
  public init(_ all: [Diagnostic] = []) { self.all = all }

  /// Whether one of them ends the work.
  public var hasErrors: Bool { all.contains { $0.severity == .error } }

  /// Every finding as the terminal shows it.
  public var description: String { all.map(\.description).joined(separator: "\n") }

  /// Throws when one of the findings is an error: the finding itself if it is alone.
  public func throwIfErrors() throws {
    let errors = all.filter { $0.severity == .error }
    if errors.count == 1 { throw errors[0] }
    if !errors.isEmpty { throw Diagnostics(all) }
  }
}

/// Runs `body` and adds `frame` to the location of a diagnostic that it throws.
public func locating<T>(_ frame: @autoclosure () -> String, _ body: () throws -> T) throws -> T {
  do {
    return try body()
  } catch let error as Diagnostic {
    throw error.inside(frame())
  } catch let error as Diagnostics {
    let place = frame()
    throw Diagnostics(error.all.map { $0.inside(place) })
  }
}

/// How the command ends (style: 0 done, 1 finding, 2 usage, 3 environment, 70 a fault of ours).
public enum ExitStatus: Int32, Sendable {
  case done = 0
  case finding = 1
  case usage = 2
  case environment = 3
  case fault = 70
}
