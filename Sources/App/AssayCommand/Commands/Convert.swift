import AssayBase
import AssayCatalog
import AssayFormat
import AssayGraph
import AssayHost
import AssayQuantize
import AssayRewrite

let convertCommand = CommandSpec(
  name: "convert",
  summary: "write a model in another format, quantized if asked",
  discussion: """
    Reads a model, brings it into canonical form (normalization folded, activations and padding fused),
    applies the recipe and writes the format that the output's name asks for. The static recipes need
    representative data. The output is whole or not there.
    """,
  operands: [Operand(word: "MODEL", help: "a network in any format that is read")],
  options: [
    Option("--output", short: "-o", .value("FILE"), "the file to write; its name tells the format"),
    Option("--recipe", .value("NAME"), "\(recipeNames) (default: float32)"),
    Shared.representative, Shared.preprocess, Shared.limit, Shared.threads,
    Option("--opset", .value("N"), "the operator set of a written .onnx"),
    Option("--ir-version", .choice(["10", "11"]), "the version of a written OpenVINO IR"),
    Option("--allow-custom", .flag, "keep operators that the format has not as custom ones"),
  ] + Shared.importing,
  examples: [
    ("assay convert model.h5 -o model.tflite", "float32, as the model is"),
    (
      "assay convert model.h5 -o small.tflite --recipe static_int8 -r images/ -p mobilenet",
      "8-bit integers, calibrated on a folder of images"
    ),
    ("assay convert model.tflite -o model.onnx", "between formats"),
  ]
) { arguments, console in
  guard let output = arguments.value("--output") else {
    throw Diagnostic("CLI005", "--output is missing: the file to write", remedy: "-o model.tflite")
  }
  _ = try exportFormat(for: output)
  let recipe = try Recipe.parse(arguments.value("--recipe") ?? "float32")
  let start = Host.monotonicNanoseconds()
  let model = try Shared.model(arguments.operands[0], arguments, console)
  let canonical = try canonicalized(model.graph)
  var calibration: Calibration?
  if recipe.needsCalibration {
    calibration = try calibrated(canonical, recipe, arguments, console)
  }
  let variant = try Quantizer().apply(recipe, to: canonical, calibration: calibration)
  for finding in variant.diagnostics { console.report(finding) }
  let count = try exportModel(
    variant.graph,
    to: output,
    options: ExportOptions(
      description: "assay \(assayVersion) \(recipe.name)",
      opset: try arguments.integer("--opset"),
      irVersion: try arguments.integer("--ir-version"),
      allowsCustom: arguments.has("--allow-custom")
    ),
    report: { console.report($0) }
  )
  let elapsed = Double(Host.monotonicNanoseconds() - start)
  try console.result(
    .object([
      "schema": "assay.convert/1", "model": .string(arguments.operands[0]),
      "output": .string(output), "recipe": .string(recipe.name), "bytes": JSON(count),
      "operators": JSON(variant.graph.nodes.count), "macs": JSON(variant.graph.cost.macs),
      "seconds": JSON(elapsed / 1e9),
      "diagnostics": .array((model.diagnostics + variant.diagnostics).map(\.json)),
    ]),
    text: """
      \(output): \(recipe.name), \(Text.bytes(count)), \(variant.graph.nodes.count) operators, \
      \(Text.count(variant.graph.cost.macs)) multiply-accumulates, written in \(Text.time(elapsed))

      """
  )
  return .done
}

/// The recipes that need no training, as help lists them.
private let recipeNames = Recipe.all.map(\.name).joined(separator: ", ")
