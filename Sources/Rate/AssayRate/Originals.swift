import AssayRecord

/// The networks that variants were made from, by session: what a relative scale holds a record against.
///
/// The original of a record is the first `float32` or `original` one of its session that was measured alike;
/// for properties that do not depend on where a model runs, the first of the session.
package struct Originals: Sendable {
  /// One original.
  package struct Entry: Sendable, Equatable {
    /// How it was measured, see `likeness`.
    package var likeness: String
    /// Its figures by property.
    package var figures: [String: Measured]

    /// Makes an entry.
    package init(likeness: String, figures: [String: Measured]) {
      self.likeness = likeness
      self.figures = figures
    }
  }

  /// The originals of each session, in the order in which they were added.
  package private(set) var sessions: [String: [Entry]] = [:]
  private let parameterCounts: [String: Int]

  /// - Parameter parameters: the number of parameters by SHA-256 of the file, where somebody counted them.
  package init(parameters: [String: Int] = [:]) { parameterCounts = parameters }

  /// Originals that were found before.
  package init(sessions: [String: [Entry]]) {
    self.sessions = sessions
    parameterCounts = [:]
  }

  /// Takes note of a record, if it is an original.
  ///
  /// - Returns: whether the records of its session may have another original now.
  @discardableResult
  package mutating func add(_ record: Record) -> Bool {
    guard Subject.isOriginal(record) else { return false }
    let likeness = Self.likeness(record)
    // The first one counts; the session's first also stands for what was measured otherwise.
    if let known = sessions[record.session], known.contains(where: { $0.likeness == likeness }) {
      return false
    }
    var figures = Subject.figures(record)
    figures["parameters"] = parameters(record)
    sessions[record.session, default: []].append(Entry(likeness: likeness, figures: figures))
    return true
  }

  /// The figures that a record of a session is held against.
  package func figures(session: String, likeness: String) -> [String: Measured] {
    let all = sessions[session] ?? []
    if let alike = all.first(where: { $0.likeness == likeness }) { return alike.figures }
    guard let first = all.first else { return [:] }
    // Answers do not depend on where the model runs.
    return first.figures.filter { ["accuracy", "agreement"].contains($0.key) }
  }

  func parameters(_ record: Record) -> Measured? {
    parameterCounts[record.model.sha256].map { Measured(Double($0), .exact) }
  }

  /// How a record was measured: equal for records that differ in the network alone.
  package static func likeness(_ record: Record) -> String {
    [
      record.device, record.runtime, record.provider, String(record.threads),
      record.scenario.map { "\($0)" } ?? "", record.batch.map { String($0) } ?? "",
    ].joined(separator: "\u{1F}")
  }
}
