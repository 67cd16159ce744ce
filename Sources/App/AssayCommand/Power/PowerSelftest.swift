import AssayBase
import AssayHost
import AssayMeter
import AssayRecord

let powerSelftestCommand = CommandSpec(
  name: "power selftest",
  summary:
    "whether energies lie within their stated uncertainty, on virtual meters with known faults",
  discussion: """
    Each trial plays a whole measurement on a meter that exists only as numbers, with a gain, an offset, a
    clock and a noise drawn from within what it states: idle, coded marker, rounds of inferences, marker,
    idle. The joined result is compared with what is known. Ends with status 1 when fewer than 95 % of the
    energies lie within their uncertainty or a clock is off by more than a reading.
    """,
  options: [
    Option("--trials", .value("N"), "trials for each kind of meter (default: 200)"),
    Option("--seed", .value("K"), "of the first trial (default: 1)"),
  ],
  examples: [("assay power selftest --trials 1000", "the whole chain, a thousand times")]
) { arguments, console in
  let count = try arguments.integer("--trials") ?? 200
  let seed = try arguments.integer("--seed", minimum: 0) ?? 1
  guard count <= 100_000 else {
    throw Diagnostic("CLI006", "--trials is at most 100000")
  }
  var rows: [[String]] = []
  var kinds: [JSON] = []
  var isGood = true
  for kind in VirtualTrial.Kind.allCases {
    var (total, net, failures) = (0, 0, 0)
    var worst = 0.0
    var widest = 0.0
    for trial in 0..<count {
      if trial % 16 == 0 {
        console.progress("\(kind.rawValue): \(Text.percentDone(trial, of: count))")
      }
      do {
        let outcome = try VirtualTrial.run(kind, seed: UInt64(seed &+ trial))
        if outcome.totalIsWithin { total += 1 }
        if outcome.netIsWithin { net += 1 }
        worst = max(worst, outcome.skewError)
        if let figure = outcome.energy.primary?.total.value, let u = figure.uncertainty {
          widest = max(widest, u / figure.value)
        }
      } catch {
        failures += 1
      }
    }
    let isKindGood = total * 100 >= count * 95 && net * 100 >= count * 95 && worst <= 1
    isGood = isGood && isKindGood && failures == 0
    rows.append([
      kind.rawValue, Words.percent(Double(total) / Double(count)),
      Words.percent(Double(net) / Double(count)), "\(Words.fixed(worst, 2)) readings",
      Words.percent(widest), isKindGood && failures == 0 ? "ok" : "FAILED",
    ])
    kinds.append(
      .object([
        "kind": .string(kind.rawValue), "trials": JSON(count), "totalWithin": JSON(total),
        "netWithin": JSON(net), "greatestSkewError": JSON(worst), "greatestU95": JSON(widest),
        "markersNotFound": JSON(failures),
      ])
    )
  }
  console.endProgress()
  try console.result(
    .object(["schema": "assay.power.selftest/1", "kinds": .array(kinds), "ok": .bool(isGood)]),
    text: Text.table(
      ["meter", "total within", "above idle within", "worst skew", "widest u95", ""],
      rows,
      numeric: [1, 2, 3, 4]
    )
  )
  return isGood ? .done : .finding
}
