import AssayBase
import AssayCatalog
import AssayMeter

let powerListCommand = CommandSpec(
  name: "power list",
  summary: "the power meters, which of them can be used here, and what they tell",
  discussion: """
    For each meter that can be used its channels with their accuracy; for the others the reason and the
    remedy.
    """,
  examples: [("assay power list", "what there is")]
) { _, console in
  let rows = Catalog.meterProbes()
  try console.result(
    .object([
      "schema": "assay.power.meters/1",
      "meters": .array(
        rows.map { meter, probe in
          var object = probe.json
          object["summary"] = .string(meter.summary)
          return object
        }
      ),
    ]),
    text: listText(rows)
  )
  return .done
}

private func listText(_ rows: [(meter: any PowerMeter, probe: Catalog.Probe)]) -> String {
  let width = rows.map(\.meter.id.count).max() ?? 0
  var text = ""
  for (meter, probe) in rows {
    let name = meter.id + String(repeating: " ", count: width - meter.id.count)
    let space = String(repeating: " ", count: width)
    switch probe.availability {
    case .available(let version):
      text += "  ok  \(name)  \(meter.summary)\n      \(space)  \(version)\n"
    case .unavailable(let reason, let remedy):
      text += "  --  \(name)  \(meter.summary)\n      \(space)  \(reason)\n"
      text += "      \(space)  -> \(remedy)\n"
    }
  }
  return text
}

/// The meters that words such as `rapl,nvml:rate=10` name.
func namedMeters(_ words: String) throws -> [(meter: any PowerMeter, options: MeterOptions)] {
  try MeterSpec.list(words).map { (try Catalog.meter($0.driver), $0.options) }
}
