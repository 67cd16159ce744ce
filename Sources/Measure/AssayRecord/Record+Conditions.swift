import AssayBase

extension Record {
  /// The state of the machine around a measurement.
  public struct Conditions: Sendable, Equatable {
    /// What was done about a bad state: `strict` or `tag`.
    public var policy: String
    /// The state before the first worker was started, and after this one had ended.
    public var before: JSON
    public var after: JSON
    /// Between turns: the least and the greatest frequency seen, kHz.
    public var frequencyKHz: ClosedRange<Int>?
    /// Part of the processors' time that the host of this virtual machine gave to others.
    public var stealShare: Figure<Double>

    /// Makes conditions.
    public init(
      policy: String,
      before: JSON,
      after: JSON = .null,
      frequencyKHz: ClosedRange<Int>? = nil,
      stealShare: Figure<Double> = .missing(reason: "not measured")
    ) {
      self.policy = policy
      self.before = before
      self.after = after
      self.frequencyKHz = frequencyKHz
      self.stealShare = stealShare
    }

    /// The conditions as a record keeps them.
    var json: JSON {
      var object = JSON.object([
        "policy": .string(policy), "stealShare": stealShare.json, "before": before,
        "after": after,
      ])
      if let range = frequencyKHz {
        object["frequencyKHz"] = .array([JSON(range.lowerBound), JSON(range.upperBound)])
      }
      return object
    }

    /// Reads conditions; `nil` when these are none.
    init?(json: JSON) {
      guard let policy = json["policy"]?.string, let before = json["before"] else { return nil }
      self.init(policy: policy, before: before, after: json["after"] ?? .null)
      if let ends = json["frequencyKHz"]?.ints, ends.count == 2, ends[0] <= ends[1] {
        frequencyKHz = ends[0]...ends[1]
      }
      stealShare = Figure(json: json["stealShare"], \.double)
    }
  }
}

extension Figure {
  /// Reads a value or `{"missing": reason}`; what is neither is missing too.
  init(json: JSON?, _ value: (JSON) -> Value?) {
    if let value = json.flatMap(value) {
      self = .value(value)
    } else {
      self = .missing(reason: json?["missing"]?.string ?? "not in the record")
    }
  }
}
