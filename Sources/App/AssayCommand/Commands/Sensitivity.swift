import AssayBase
import AssayCatalog
import AssayGraph
import AssayQuantize
import AssayRewrite

let sensitivityCommand = CommandSpec(
  name: "sensitivity",
  summary: "which operators a recipe harms, the most harmful first",
  discussion: """
    Quantizes each operator alone, the rest in floats, and compares the network's outputs with what they
    were: on labelled data by accuracy, else by class or by noise. No runtime is needed.
    assay convert --max-drop keeps the fewest operators in higher precision that hold a bound.
    """,
  operands: [Operand(word: "MODEL", help: "a network in any format that is read")],
  options: [
    Quantizing.recipe, Quantizing.skip, Quantizing.keepFloat, Quantizing.calibration,
    Shared.representative, Shared.preprocess,
  ] + Quantizing.labelling + [
    Shared.limit,
    Option("--samples", .value("N"), "judge each operator by N samples (default: 16)"),
    Option("--top", .value("N"), "show N operators in the table (default: 20)"),
  ] + Shared.importing,
  examples: [
    ("assay sensitivity model.h5 -r images/ -p mobilenet", "of static_int8"),
    ("assay sensitivity model.h5 -r in.npz --recipe int16x8 --json -", "for a script"),
  ]
) { arguments, console in
  let recipe = try Quantizing.recipe(arguments, default: "static_int8")
  let model = try Shared.model(arguments.operands[0], arguments, console)
  let canonical = try canonicalized(model.graph)
  let maker = try Quantizing.maker(canonical, arguments, console)
  let count = try arguments.integer("--samples") ?? 16
  let validation = try Quantizing.validation(canonical, arguments, count: count, console)
  let report = try AssayQuantize.Sensitivity(
    recipe,
    of: try maker.prepared(recipe).graph,
    calibration: try maker.calibration(recipe),
    validation: validation
  ) { console.progress("operator \($0)/\($1)") }
  console.endProgress()
  let shown = report.entries.prefix(try arguments.integer("--top") ?? 20)
  try console.result(report.json, text: sensitivityTable(report, shown))
  return .done
}

private func sensitivityTable(
  _ report: AssayQuantize.Sensitivity,
  _ shown: ArraySlice<AssayQuantize.Sensitivity.Entry>
) -> String {
  let rows = shown.map { entry in
    [
      entry.node, entry.op, sensitivityDecibels(entry.quality.snrDb),
      Text.fixed(entry.quality.drop * 100, 2) + " %", Text.count(entry.macs),
    ]
  }
  let rest = report.entries.count - shown.count
  return "\(report.recipe), each operator alone, \(report.sampleCount) samples; drop: "
    + "\(report.criterion.text)\n\n"
    + Text.table(
      ["node", "operator", "SNR", "drop", "MACs"],
      Array(rows),
      numeric: [2, 3, 4]
    ) + (rest > 0 ? "and \(rest) less harmful ones (--top)\n" : "")
}

/// A signal-to-noise ratio for tables.
func sensitivityDecibels(_ value: Double) -> String {
  value.isFinite ? Text.fixed(value, 1) + " dB" : "exact"
}
