import AssayBase
import AssayRecord

extension Column {
  /// The columns of energy, which are there when some record has one.
  static let energy: [Column] = [
    column(
      "energyJ",
      "energy",
      "joules of one inference, the idle machine included, ± its expanded uncertainty (95 %);"
        + " est.: watts times time, no measurement; const.: a meter that always tells the same",
      1
    ) { $0.perInference },
    column(
      "netEnergyJ",
      "above idle",
      "joules of one inference above what the idle machine takes, ± its expanded uncertainty",
      3
    ) { $0.netPerInference },
  ]

  /// What the energy stands for in carbon dioxide, by a factor that the reader gave.
  static func emission(_ factor: GridFactor) -> Column {
    let joules: @Sendable (Record) -> Double? = { record in
      record.mainEnergy.flatMap { $0.perInference.value?.value }
    }
    return Column(
      key: "co2Grams",
      heading: "CO2e",
      help: "an estimate: the energy of one inference at \(factor.text), the factor that was given",
      isNumber: true,
      priority: 2,
      text: { record, _, _ in
        joules(record).map { .value(factor.text($0)) } ?? .missing(reason: "no energy is known")
      },
      number: { record, _ in joules(record).map { factor.grams($0) } }
    )
  }

  private static func column(
    _ key: String,
    _ heading: String,
    _ help: String,
    _ priority: Int,
    _ figure: @escaping @Sendable (Record.Energy) -> Figure<Record.Energy.Quantity>
  ) -> Column {
    Column(
      key: key,
      heading: heading,
      help: help,
      isNumber: true,
      priority: priority,
      text: { record, _, _ in
        guard let energy = record.mainEnergy else {
          return .missing(reason: "no power meter looked on")
        }
        return figure(energy).map { energyText($0, energy.provenance) }
      },
      number: { record, _ in record.mainEnergy.flatMap { figure($0).value?.value } }
    )
  }
}

extension ComparisonReport {
  /// The columns of its tables.
  var columns: [Column] {
    guard records.contains(where: { !$0.energy.isEmpty }) else { return Column.all }
    return Column.all + Column.energy + (gridFactor.map { [Column.emission($0)] } ?? [])
  }
}
