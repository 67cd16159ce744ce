import AssayBase

/// One thing in which two measurements are unlike.
public struct Unlikeness: Sendable, Equatable {
  /// What differs, in a word or two.
  public var what: String
  /// The first record's.
  public var first: String
  /// The second record's.
  public var second: String
  /// Whether a ranking of both would mislead unless it is said: another load, or another machine.
  public var forbidsRanking: Bool

  /// Both in words, such as `batch 1 and 8`.
  public var words: String { "\(what) \(first) and \(second)" }

  /// The difference as a JSON object.
  public var json: JSON {
    .object([
      "what": .string(what), "first": .string(first), "second": .string(second),
      "forbidsRanking": .bool(forbidsRanking),
    ])
  }
}

extension Record {
  /// In what two measurements are unlike, beside the model and its variant.
  ///
  /// A difference of latency says which variant is faster only if the load was the same: the same
  /// batch, threads, element types of the inputs, issue of queries, steps inside the measured time, and
  /// machine. What a record does not tell is not counted.
  public func unlikeness(to other: Record) -> [Unlikeness] {
    var found: [Unlikeness] = []
    func note(_ what: String, _ first: String?, _ second: String?, forbids: Bool = true) {
      guard let first, let second, first != second else { return }
      found.append(
        Unlikeness(what: what, first: first, second: second, forbidsRanking: forbids)
      )
    }
    note("batch", batch.map { "\($0)" }, other.batch.map { "\($0)" })
    note(
      "threads",
      threads > 0 ? "\(threads)" : nil,
      other.threads > 0 ? "\(other.threads)" : nil
    )
    note("precision of the input", inputPrecision, other.inputPrecision)
    let (a, b) = (scenario ?? Scenario(.singleStream), other.scenario ?? Scenario(.singleStream))
    note("scenario", a.kind.rawValue, b.kind.rawValue)
    if a.kind == b.kind {
      note("inputs of a query", "\(a.samplesPerQuery)", "\(b.samplesPerQuery)")
      note("streams", "\(a.streams)", "\(b.streams)")
      note(
        "queries per second",
        a.ratePerSecond.map { Words.short($0) },
        b.ratePerSecond.map { Words.short($0) }
      )
    }
    note("provider", provider, other.provider, forbids: false)
    note("runtime", runtime, other.runtime, forbids: false)
    if runtime == other.runtime {
      note("version of \(runtime)", version, other.version, forbids: false)
    }
    note("device", device, other.device)
    note("clock", accelerator?.clock, other.accelerator?.clock)
    note("link", accelerator?.link, other.accelerator?.link)
    note(
      "source",
      imported.map { "\($0.mark) (\($0.tool))" } ?? "measured here",
      other.imported.map { "\($0.mark) (\($0.tool))" } ?? "measured here"
    )
    note("emulation", emulator ?? "none", other.emulator ?? "none")
    for (key, what) in Record.conditions {
      note(what, word(environment[key]), word(other.environment[key]))
    }
    return found
  }

  /// What emulated the machine that was measured; `nil` for hardware.
  ///
  /// Times, energies and memories of an emulator tell nothing of the hardware that it stands for: such a
  /// record is kept and shown, and never ranked with hardware.
  public var emulator: String? {
    guard let word = environment["emulator"]?.string, !word.isEmpty else { return nil }
    return word
  }

  /// Members of the environment that make measurements unlike.
  private static let conditions = [
    ("host", "host"), ("cpu", "processor"), ("emulated", "emulation"),
    ("api", "way of issuing queries"),
    ("preprocessing", "preprocessing in the measured time"),
    ("postprocessing", "postprocessing in the measured time"),
  ]

  private func word(_ member: JSON?) -> String? {
    guard let member, member != .null else { return nil }
    return member.string ?? member.text()
  }

  /// The element types of the inputs; `nil` when the record does not tell.
  private var inputPrecision: String? {
    inputs.isEmpty ? nil : Set(inputs.map(\.dtype)).sorted().joined(separator: ", ")
  }

  /// In what any two of several records are unlike so that a ranking must say it, each once.
  public static func unlikenesses(among records: [Record]) -> [Unlikeness] {
    var found: [Unlikeness] = []
    guard let first = records.first else { return [] }
    for other in records.dropFirst() {
      for difference in first.unlikeness(to: other)
      where difference.forbidsRanking && !found.contains(where: { $0.what == difference.what }) {
        found.append(difference)
      }
    }
    return found
  }
}
