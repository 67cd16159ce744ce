import AssayBase
import AssayGraph
import AssayModels

let zooListCommand = CommandSpec(
  name: "zoo list",
  summary: "the networks that Assay can build by itself",
  discussion: """
    Every network is defined in Assay and built with seeded random weights that keep its numbers alive,
    so that it can be converted, quantized and measured at once; published weights are loaded into it
    where they are at hand. Names are those of the frameworks.
    """,
  operands: [Operand(word: "PART", help: "only names that contain this", isOptional: true)],
  options: ZooArguments.filters,
  examples: [
    ("assay zoo list", "all"), ("assay zoo list mobilenet", "those whose names contain it"),
    ("assay zoo list --task detection", "those for a task"),
  ]
) { arguments, console in
  let entries = try ZooArguments.entries(arguments, named: arguments.operand(0))
  let rows = try entries.map { entry in
    let outline = try entry.outline()
    return (entry: entry, parameters: outline.parameterCount, macs: outline.cost.macs)
  }
  let families = Set(entries.map(\.family)).count
  try console.result(
    .object([
      "schema": "assay.zoo/1",
      "networks": .array(
        rows.map {
          .object([
            "name": .string($0.entry.name), "family": .string($0.entry.family),
            "task": .string($0.entry.task.rawValue), "source": .string($0.entry.source),
            "input": .string($0.entry.input.text), "pixels": .string($0.entry.input.meaning),
            "parameters": JSON($0.parameters), "macs": JSON($0.macs),
          ])
        }
      ),
    ]),
    text: "\(entries.count) networks of \(families) families\n\n"
      + Text.table(
        ["network", "parameters", "MACs", "input", "task", "as in"],
        rows.map {
          [
            $0.entry.name, Text.count($0.parameters), Text.count($0.macs), $0.entry.input.text,
            $0.entry.task.rawValue, $0.entry.source,
          ]
        },
        numeric: [1, 2]
      )
      + "\nassay zoo show NAME tells more of one, assay zoo build NAME -o FILE makes it; every command "
      + "that\ntakes a model takes zoo:NAME\n"
  )
  return .done
}
