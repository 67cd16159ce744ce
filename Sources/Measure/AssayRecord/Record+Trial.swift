import AssayBase

extension Record {
  /// The trial of a sweep that a record answers.
  public struct Trial: Sendable, Equatable {
    /// The trial's key: what was measured, whoever asked for it.
    public var key: String
    /// The sweep for which it was measured.
    public var sweep: String
    /// Which of the repetitions, from 1.
    public var repetition: Int
    /// How many attempts it took.
    public var attempt: Int
    /// Whether the record says no more than why there is no measurement.
    public var isGivenUp: Bool

    /// Makes a trial's mark.
    public init(
      key: String,
      sweep: String,
      repetition: Int,
      attempt: Int,
      isGivenUp: Bool = false
    ) {
      self.key = key
      self.sweep = sweep
      self.repetition = repetition
      self.attempt = attempt
      self.isGivenUp = isGivenUp
    }

    /// The mark as a JSON object.
    public var json: JSON {
      .object([
        "key": .string(key), "sweep": .string(sweep), "repetition": JSON(repetition),
        "attempt": JSON(attempt), "givenUp": .bool(isGivenUp),
      ])
    }

    /// Reads the form that `json` gives; `nil` when it is something else.
    public init?(json: JSON) {
      guard let key = json["key"]?.string, let sweep = json["sweep"]?.string,
        let repetition = json["repetition"]?.int, let attempt = json["attempt"]?.int,
        let isGivenUp = json["givenUp"]?.bool
      else { return nil }
      self.init(
        key: key,
        sweep: sweep,
        repetition: repetition,
        attempt: attempt,
        isGivenUp: isGivenUp
      )
    }
  }
}
