import AssayBase
import AssayCatalog
import AssayCompress
import AssayFormat
import AssayGraph
import AssayHost
import AssayQuantize
import AssayRewrite
import AssayTensor

let optimizeCommand = CommandSpec(
  name: "optimize",
  summary: "prune, cluster and train a model for its integers, and compare what comes out",
  discussion: """
    Changes the weights of a network by the steps of a recipe, trains it on after each (--epochs), and
    writes the variant without anything of the training. Steps: pruneN (N % of the weights zero),
    pruneN_AxB (A of each B), pruneN_blockRxC, pruneN_channels (whole channels leave the network),
    clusterK (K values for each layer; _linear, _density, _per_channel), qat (trained with the rounding
    of static_int8; qat_learned). Joined by +, each keeps what the one before has made. Without --epochs
    weights change at once, and accuracy suffers. A run that was killed goes on where it was.
    """,
  operands: [Operand(word: "MODEL", help: "a float network in any format that is read")],
  options: [
    Option(
      "--recipe",
      .repeated("STEPS"),
      "steps joined by +, such as prune50+qat; given several times, several variants"
    ),
    Option(
      "--output",
      short: "-o",
      .repeated("OUT"),
      "the file to write, or a folder; one for each recipe"
    ),
    Option(
      "--data",
      .value("PATH"),
      "training data: a folder of a folder for each class, a CSV of file,label, or an .npz of x and y"
    ),
    Option("--labels", short: "-l", .value("FILE"), "labels of --data that has none of its own"),
    Option("--label-names", .value("FILE"), "one class name a line, in the model's order"),
    Option("--test", .value("PATH"), "data to judge by (default: a part of --data)"),
    Option("--test-labels", .value("FILE"), "labels of --test that has none of its own"),
    Option("--holdout", .value("PART"), "the part of --data that is judged by (default: 20%)"),
    Shared.preprocess,
    Option("--epochs", .value("N"), "passes over the data for each step (default: 0, no training)"),
    Option("--batch", .value("N"), "samples in a step of training (default: 32)"),
    Option("--learning-rate", .value("X"), "the greatest one; Adam, cosine decay (default: 0.001)"),
    Option(
      "--augment",
      .value("SPEC"),
      "vary pictures: none (default), standard, or flip,crop=0.2,…"
    ),
    Option("--seed", .value("N"), "of all draws (default: 1)"),
    Option(
      "--schedule",
      .choice(["polynomial", "constant"]),
      "how zeros grow (default: polynomial)"
    ),
    Option("--begin", .value("STEP"), "when pruning begins: a step or a part such as 10%"),
    Option("--end", .value("STEP"), "when the last weights fall (default: 60%)"),
    Option("--frequency", .value("N"), "steps between choices of weights (default: 20)"),
    Option(
      "--only",
      .repeated("PATTERN"),
      "only layers with such names; * stands for any characters"
    ),
    Option("--spare", .repeated("PATTERN"), "no layers with such names"),
    Option("--spare-first", .flag, "leave the first layer as it is"),
    Option("--spare-last", .flag, "leave the last layer as it is"),
    Option("--no-resume", .flag, "begin anew, whatever a killed run has left"),
  ] + Shared.importing,
  examples: [
    (
      "assay optimize model.h5 --recipe prune50 --data images/ --epochs 10 -o pruned.tflite",
      "half of the weights zero"
    ),
    (
      "assay optimize model.h5 --recipe prune50+cluster16+qat --data images/ --epochs 10 -o out/",
      "all three, each keeping what the one before made"
    ),
  ]
) { arguments, console in
  let plan = try OptimizePlan(arguments)
  let start = Host.monotonicNanoseconds()
  var model = try Shared.model(plan.model, arguments, console)
  let normalized = model.graph.normalizedLayers()
  let canonical = try canonicalized(model.takeGraph())
  let data = try OptimizeData(canonical, plan, arguments, console)
  for id in canonical.values.indices {
    if canonical.values[id].type.quantization != nil {
      throw Diagnostic(
        "QNT007",
        "the network is quantized already",
        at: [plan.model],
        remedy: "start from the float32 network"
      )
    }
  }
  let scratch = try Scratch()
  defer { scratch.remove() }
  let plain = Host.join(scratch.path, "original\(suffix(plan.wishes[0].files[0]))")
  try exportModel(canonical, to: plain, description: "assay \(assayVersion) float32")
  let original = try OptimizeRow(
    "original",
    at: plain,
    file: nil,
    score: try data?.judge(canonical),
    weights: canonical,
    variant: canonical
  )
  var rows: [OptimizeRow] = []
  var diagnostics = model.diagnostics
  for wish in plan.wishes {
    let run = OptimizeRun(
      plan,
      wish,
      canonical,
      normalized: normalized,
      modelHash: sha256(model.bytes),
      data,
      console
    )
    let made = try run.run(isFresh: arguments.has("--no-resume"))
    for finding in made.diagnostics { console.report(finding) }
    diagnostics += made.diagnostics
    for file in wish.files {
      try Host.makeFolders(Host.folder(of: file))
      try exportModel(
        made.variant,
        to: file,
        options: ExportOptions(description: "assay \(assayVersion) \(wish.recipe.name)"),
        report: { console.report($0) }
      )
    }
    var row = try OptimizeRow(
      wish.recipe.name,
      at: wish.files[0],
      file: wish.files[0],
      score: try data?.judge(made.variant),
      weights: made.weights,
      variant: made.variant
    )
    run.clear()
    row.losses = made.losses
    row.steps = made.steps
    rows.append(row)
  }
  let result = OptimizeResult(
    model: plan.model,
    original: original,
    variants: rows,
    source: data?.source,
    diagnostics: diagnostics,
    seconds: Double(Host.monotonicNanoseconds() - start) / 1e9
  )
  try console.result(result.json, text: result.text)
  return .done
}

/// The extension of a path, with its dot.
private func suffix(_ path: String) -> String {
  let name = Host.name(of: path)
  return name.lastIndex(of: ".").map { String(name[$0...]) } ?? ".tflite"
}
