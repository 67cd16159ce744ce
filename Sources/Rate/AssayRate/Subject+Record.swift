import AssayBase
import AssayRecord
import AssayStatistics

extension Subject {
  /// Records as subjects, each with the figures of its original.
  ///
  /// The original of a record is the `float32` or `original` one of its session that was measured on
  /// the same device by the same runtime, provider, threads, scenario and batch; for properties that do not
  /// depend on where a model runs, any of the session. It is looked for among all `records`, rated or
  /// not, so that a choice of rows does not change a grade.
  ///
  /// - Parameters:
  ///   - chosen: the records to rate; `nil` for all.
  ///   - parameters: the number of parameters by SHA-256 of the file, where somebody counted them.
  public static func of(
    _ records: [Record],
    chosen: [Record]? = nil,
    task: String = "unknown",
    dataset: String = "unknown",
    parameters: [String: Int] = [:]
  ) -> [Subject] {
    var originals = Originals(parameters: parameters)
    for record in records { originals.add(record) }
    return (chosen ?? records).map { record in
      var subject = Subject(record, task: task, dataset: dataset)
      subject.values["parameters"] = originals.parameters(record)
      subject.original = originals.figures(
        session: record.session,
        likeness: Originals.likeness(record)
      )
      return subject
    }
  }

  static func isOriginal(_ record: Record) -> Bool {
    ["float32", "original"].contains(record.variant)
  }

  /// One record as a subject, without the figures of its original.
  package init(_ record: Record, task: String = "unknown", dataset: String = "unknown") {
    self.init(
      id: record.id,
      model: Subject.name(record),
      variant: record.variant,
      environment: "\(record.device), \(record.runtime) \(record.provider)",
      task: task,
      dataset: dataset,
      conditions: Subject.conditions(record),
      values: Subject.figures(record),
      isOriginal: Subject.isOriginal(record)
    )
  }

  /// How a record was measured, as far as it tells.
  private static func conditions(_ record: Record) -> [String: String] {
    var conditions = ["threads": String(record.threads)]
    // Records without a scenario are of one inference after the other.
    conditions["scenario"] = (record.scenario?.kind ?? .singleStream).rawValue
    conditions["batch"] = record.batch.map { String($0) }
    let types = Set(record.inputs.map(\.dtype))
    conditions["precision"] = types.count == 1 ? types.first : nil
    switch record.environment["emulated"] {
    case .bool(let isEmulated): conditions["emulated"] = isEmulated ? "yes" : "no"
    case .string(let word): conditions["emulated"] = word
    // Our own processor runs our own instructions.
    default: conditions["emulated"] = record.device == "local" ? "no" : nil
    }
    if let emulator = record.emulator { conditions["emulated"] = emulator }
    return conditions
  }

  /// The file's name without its folder, its extension and the recipe.
  public static func name(_ record: Record) -> String {
    var name = String(record.model.path.split(separator: "/").last ?? "model")
    if let dot = name.lastIndex(of: "."), dot != name.startIndex { name = String(name[..<dot]) }
    for sign in [".", "-", "_"] where name.hasSuffix(sign + record.variant) {
      name.removeLast(record.variant.count + 1)
    }
    return name.isEmpty ? "model" : name
  }

  /// The figures of a record; none of time where its verdict is INVALID.
  static func figures(_ record: Record) -> [String: Measured] {
    var values: [String: Measured] = [:]
    // The file of an imported result need not be at hand.
    if record.model.byteCount > 0 {
      values["size"] = Measured(Double(record.model.byteCount), .exact)
    }
    if record.verdict == .valid {
      values["latency"] = latency(record)
    }
    if record.verdict == .valid {
      values["energy"] = energy(record)
    }
    if let bytes = record.peakMemoryBytes.value {
      values["memory"] = Measured(Double(bytes))
    }
    if let accuracy = record.accuracy.value {
      values["accuracy"] = Measured(
        accuracy,
        record.accuracyCount > 0 ? .counted(record.accuracyCount) : .unknown
      )
    }
    if let agreement = record.agreement.value {
      values["agreement"] = Measured(
        agreement,
        record.accuracyCount > 0 ? .counted(record.accuracyCount) : .unknown
      )
    }
    // What an emulator takes is not what hardware would.
    if record.emulator != nil {
      for key in ["latency", "energy", "memory"] { values[key] = nil }
    }
    // What somebody else measured is no measurement of ours.
    if record.imported != nil {
      for key in values.keys where key != "size" {
        values[key]?.provenance = .published
      }
    }
    return values
  }

  /// Joules of one inference, idle included, by the meter that tables show.
  private static func energy(_ record: Record) -> Measured? {
    guard let energy = record.mainEnergy, let quantity = energy.perInference.value,
      quantity.value > 0
    else { return nil }
    let reach = quantity.uncertainty.flatMap { $0.isFinite && $0 >= 0 ? $0 : nil }
    let uncertainty = reach.map {
      Uncertainty.interval(quantity.value - $0...quantity.value + $0)
    }
    // A meter that says the same whatever runs has measured nothing.
    let provenance: Provenance = energy.provenance == .measured ? .measured : .estimated
    return Measured(quantity.value, uncertainty ?? .unknown, provenance)
  }

  /// The median latency in seconds.
  ///
  /// Rounds are repetitions of the measurement: their medians tell how far it may be off, drift of the
  /// machine included. With fewer than three rounds the interval of the median has to do.
  static func latency(_ record: Record) -> Measured? {
    let summary = record.summary
    guard let median = summary.p50.value, median.value > 0 else { return nil }
    let seconds = Double(median.value) / 1e9
    let rounds = summary.roundMedians.filter { $0 > 0 }.map { logarithm(Double($0)) }
    if rounds.count >= 3 {
      let mean = rounds.reduce(0, +) / Double(rounds.count)
      let variance =
        rounds.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / Double(rounds.count - 1)
      let error = (variance / Double(rounds.count)).squareRoot()
      return Measured(
        seconds,
        .relative(standardError: error, freedom: Double(rounds.count - 1))
      )
    }
    guard let range = median.interval.value else { return Measured(seconds, .unknown) }
    return Measured(seconds, .interval(Double(range.lowerBound)...Double(range.upperBound)))
  }
}
