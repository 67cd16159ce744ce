import AssayBase

/// Carbon dioxide that a kilowatt-hour of electricity stands for, as the user gives it.
///
/// What an inference emits depends on the grid, the hour and what counts: nothing here is measured. It
/// is computed only when a factor was given, says which, and is never kept in a record.
public struct GridFactor: Sendable, Equatable {
  /// Grams of carbon dioxide equivalents for each kilowatt-hour.
  public var gramsPerKilowattHour: Double

  /// Reads `380g/kWh`, `0.38kg/kWh`, or a plain number of grams; `nil` for anything else.
  public init?(parsing text: String) {
    let units: [(String, Double)] = [("kg/kWh", 1000), ("g/kWh", 1), ("", 1)]
    let word = text.filter { $0 != " " }
    guard let (unit, factor) = units.first(where: { word.hasSuffix($0.0) }),
      let value = Double(word.dropLast(unit.count)), value.isFinite, value > 0, value * factor < 1e5
    else { return nil }
    gramsPerKilowattHour = value * factor
  }

  /// The factor with its unit.
  public var text: String { "\(Words.significant(gramsPerKilowattHour)) g/kWh" }

  /// Grams for an energy in joules.
  public func grams(_ joules: Double) -> Double { joules / 3.6e6 * gramsPerKilowattHour }

  /// The emission of an energy as people read it: always an estimate, such as `≈121 ng CO2e est.`.
  public func text(_ joules: Double) -> String {
    let grams = grams(joules)
    let units: [(least: Double, factor: Double, name: String)] = [
      (999.5, 1e3, "kg"), (0.9995, 1, "g"), (0.9995e-3, 1e-3, "mg"), (0.9995e-6, 1e-6, "µg"),
      (0, 1e-9, "ng"),
    ]
    let unit = units.first { abs(grams) >= $0.least } ?? (0, 1e-9, "ng")
    return "≈\(Words.significant(grams / unit.factor)) \(unit.name) CO2e est."
  }

  /// The emission of one inference for scripts; `nil` without an energy.
  public func json(_ energy: Record.Energy?) -> JSON? {
    guard let energy, case .value(let quantity) = energy.perInference else { return nil }
    return .object([
      "gramsPerInference": .number(grams(quantity.value)), "provenance": "estimated",
      "gridFactorGramsPerKilowattHour": .number(gramsPerKilowattHour), "gridFactorSource": "given",
      "ofEnergy": .string(energy.provenance.rawValue),
    ])
  }
}
