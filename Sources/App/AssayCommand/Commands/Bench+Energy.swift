import AssayBase
import AssayBench
import AssayCatalog
import AssayMeter
import AssayRecord
import AssayRemote

extension Shared {
  static let meters = Option(
    "--meter",
    short: "-m",
    .value("NAME"),
    "power meters, such as rapl,nvml (see assay power list)"
  )
  static let marker = Option(
    "--marker",
    .flag,
    "a coded load before and after joins a meter's own clock, now or by assay power join"
  )
  static let estimatePower = Option(
    "--estimate-power",
    .value("WATTS"),
    "also estimate energy as watts times time, such as 6W; marked as an estimate everywhere"
  )
  static let gridFactor = Option(
    "--co2",
    .value("FACTOR"),
    "estimate carbon dioxide at this grid factor, such as 380g/kWh; nothing is estimated without"
  )
  static let trace = Option(
    "--trace",
    .value("FILE"),
    "keep the first meter's trace: .csv or .npz"
  )
}

/// What looks at the energy, when the command line asks for it.
///
/// - Throws: what opening a meter throws.
func energyWatcher(
  _ arguments: Arguments,
  threads: Int,
  on session: DeviceSession? = nil,
  _ console: Console
) throws -> EnergyWatcher? {
  let meters =
    try arguments.value("--meter").map { words in
      try session.map { try deviceMeters(words, on: $0) } ?? namedMeters(words)
    } ?? []
  if session != nil, arguments.has("--marker") {
    throw Diagnostic(
      "CLI009",
      "--marker plays its load on this machine, which the meter of a device does not see",
      remedy: "leave it out: the device's clock is joined with this machine's by asking it"
    )
  }
  let watts = try arguments.value("--estimate-power").map { text -> Double in
    guard let value = MeterSpec.watts(text), value > 0 else {
      throw Diagnostic("CLI006", "--estimate-power is a power such as 6W, not '\(text)'")
    }
    return value
  }
  if let path = arguments.value("--trace") {
    try PowerOptions.checkName(path)
    if meters.isEmpty { throw Diagnostic("CLI006", "--trace needs a --meter") }
  }
  guard !meters.isEmpty || watts != nil || arguments.has("--marker") else { return nil }
  let plan = EnergyPlan(
    meters: meters.map { EnergyPlan.Meter($0.meter, $0.options) },
    estimateWatts: watts,
    playsMarkers: arguments.has("--marker"),
    threads: threads
  )
  return try EnergyWatcher(plan) { console.progress($0) }
}

/// The grid factor of `--co2`; `nil` when nobody asks for an estimate.
func gridFactor(_ arguments: Arguments) throws -> GridFactor? {
  guard let text = arguments.value("--co2") else { return nil }
  if let factor = GridFactor(parsing: text) { return factor }
  throw Diagnostic(
    "CLI006",
    "--co2 is grams for a kilowatt-hour, such as 380g/kWh or 0.38kg/kWh, not '\(text)'",
    remedy: "your grid's operator or national agency publishes the factor of your mix"
  )
}

/// What is printed of carbon dioxide where a factor was given.
func emissionLine(_ energy: Record.Energy?, _ factor: GridFactor) -> String {
  guard let quantity = energy?.perInference.value else {
    return "carbon dioxide  -  (no energy is known: --meter or --estimate-power)\n"
  }
  return "carbon dioxide  \(factor.text(quantity.value)) an inference, at \(factor.text) as given\n"
}

/// What `bench` prints of the energy; nothing when no meter looked on.
func energyLines(_ record: Record) -> String {
  record.energy.map { energy in
    var text = ""
    let by = "\(energy.driver)" + (energy.provenance == .measured ? "" : ", not measured")
    switch energy.perInference {
    case .missing(let reason): text += "energy          -  (\(energy.driver): \(reason))\n"
    case .value(let quantity):
      text += "energy          \(energyText(quantity, energy.provenance)) an inference (\(by))\n"
    }
    if case .value(let quantity) = energy.netPerInference {
      text += "  above idle    \(energyText(quantity, energy.provenance))"
      if case .value(let idle)? = energy.primary?.idlePower { text += ", idle \(powerText(idle))" }
      text += "\n"
    }
    if let domain = energy.primary, case .value(let total) = domain.total,
      energy.provenance != .estimated || energy.rate != nil
    {
      text +=
        "  of            \(domain.name): \(Words.significant(total.value)) J in"
        + " \(Words.significant(energy.seconds)) s, \(energy.inferenceCount) inferences,"
        + " \(domain.readingCount) readings\n"
      let budget = domain.budget.filter { $0.total > 0 || $0.net > 0 }
        .sorted { max($0.total, $0.net) > max($1.total, $1.net) }
      if !budget.isEmpty {
        let words = budget.prefix(4).map {
          "\($0.name) \(Words.significant(max($0.total, $0.net) / abs(total.value) * 100, 2)) %"
        }
        text += "  uncertainty   \(words.joined(separator: ", "))\n"
      }
    }
    for domain in energy.domains where !domain.isPrimary {
      if case .value(let total) = domain.total, energy.inferenceCount > 0 {
        text +=
          "  \(domain.name): "
          + energyText(total.divided(by: energy.inferenceCount), energy.provenance) + "\n"
      }
    }
    return text
  }.joined()
}
