import AssayBase

/// An energy as people read it: `12.3 mJ ±2.1 %`; an estimate as `≈12.3 mJ est.`, what a meter tells
/// whatever runs as `12.3 mJ const.`.
public func energyText(
  _ quantity: Record.Energy.Quantity,
  _ provenance: Record.Energy.Provenance
) -> String {
  switch provenance {
  case .measured: scaled(quantity.value, "J") + spread(quantity)
  case .estimated: "≈" + scaled(quantity.value, "J") + " est."
  case .constant: scaled(quantity.value, "J") + " const."
  }
}

/// A power as people read it: `2.50 W ±1.2 %`.
public func powerText(_ quantity: Record.Energy.Quantity) -> String {
  scaled(quantity.value, "W") + spread(quantity)
}

private func scaled(_ value: Double, _ unit: String) -> String {
  let size = abs(value)
  let (factor, prefix): (Double, String) =
    switch size {
    case 0: (1, "")
    case ..<0.999_5e-6: (1e-9, "n")
    case ..<0.999_5e-3: (1e-6, "µ")
    case ..<0.999_5: (1e-3, "m")
    case ..<999.5: (1, "")
    default: (1e3, "k")
    }
  return Words.significant(value / factor) + " \(prefix)\(unit)"
}

private func spread(_ quantity: Record.Energy.Quantity) -> String {
  guard let uncertainty = quantity.uncertainty, uncertainty > 0, quantity.value != 0 else {
    return ""
  }
  let percent = uncertainty / abs(quantity.value) * 100
  if percent > 100 { return " ±>100 %" }
  return " ±" + Words.significant(percent, 2) + " %"
}
