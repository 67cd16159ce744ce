import AssayBase
import AssayCatalog
import AssayGraph
import AssayRewrite
import AssayVerify

let diffCommand = CommandSpec(
  name: "diff",
  summary: "what differs between two models: operators, attributes, shapes, quantization, weights",
  discussion: """
    Matches the operators of two models by name and by their place in the network, whatever format each
    has, and tells what was added, removed or set differently, and by how much weights differ. Nothing
    is executed: `assay verify` tells what that does to the outputs. Ends with status 0 when nothing
    differs, 1 when something does.
    """,
  operands: [
    Operand(word: "A", help: "the model before"),
    Operand(word: "B", help: "the model after"),
  ],
  options: [
    Option(
      "--canonical",
      .flag,
      "compare what `convert` sees: normalization folded, activations fused"
    ),
    Option("--limit", .value("N"), "lines of each part at most (default: 40)"),
  ] + Shared.importing,
  examples: [
    ("assay diff before.keras after.keras", "what a training run changed"),
    ("assay diff model.tflite tuned.tflite --json - | jq .weights", "for a script"),
  ]
) { arguments, console in
  let graphs = try arguments.operands.map { path in
    let imported = try Shared.model(path, arguments, console).graph
    return arguments.has("--canonical") ? try canonicalized(imported) : imported
  }
  let diff = GraphDiff(graphs[0], graphs[1])
  let limit = try arguments.integer("--limit") ?? 40
  var json = diff.json
  json["a"] = .string(arguments.operands[0])
  json["b"] = .string(arguments.operands[1])
  try console.result(json, text: diff.text(limit: limit))
  return diff.isEmpty ? .done : .finding
}
