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
    records.contains { !$0.energy.isEmpty } ? Column.all + Column.energy : Column.all
  }
}
