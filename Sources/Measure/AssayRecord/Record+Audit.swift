import AssayBase

extension Record {
  /// Whether the measured session computes what it should while it is timed, and does not answer from
  /// memory.
  ///
  /// As MLPerf's TEST01 and TEST04: outputs of a timed run equal those of a session that was made to
  /// compute only, and giving one sample again and again is not faster than giving different ones.
  public struct Audit: Sendable, Equatable {
    /// Outputs that were compared.
    public var compared: Int
    /// How many of them differed by more than rounding.
    public var differing: Int
    /// Different samples that were given.
    public var samples: Int
    /// By how much one sample again and again is faster than different ones, as a part; negative when it
    /// is slower.
    public var repetitionGain: Figure<Double>
    /// The least that it is faster, with 95 % confidence.
    public var surelyGained: Figure<Double>

    /// Makes an outcome.
    public init(
      compared: Int,
      differing: Int,
      samples: Int,
      repetitionGain: Figure<Double>,
      surelyGained: Figure<Double>
    ) {
      self.compared = compared
      self.differing = differing
      self.samples = samples
      self.repetitionGain = repetitionGain
      self.surelyGained = surelyGained
    }

    /// The outcome as a record keeps it.
    var json: JSON {
      .object([
        "compared": JSON(compared), "differing": JSON(differing), "samples": JSON(samples),
        "repetitionGain": repetitionGain.json, "surelyGained": surelyGained.json,
      ])
    }

    /// Reads an outcome; `nil` when it is none.
    init?(json: JSON) {
      guard let compared = json["compared"]?.int, let differing = json["differing"]?.int,
        let samples = json["samples"]?.int
      else { return nil }
      func figure(_ name: String) -> Figure<Double> {
        json[name]?.double.map { .value($0) }
          ?? .missing(reason: json[name]?["missing"]?.string ?? "not in the record")
      }
      self.init(
        compared: compared,
        differing: differing,
        samples: samples,
        repetitionGain: figure("repetitionGain"),
        surelyGained: figure("surelyGained")
      )
    }
  }
}
