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
    representative data. With --max-drop the fewest operators that hold the bound are kept in higher
    precision: the loss is of accuracy on --labels, else of agreement or signal on --representative.
    The output is whole or not there. The written file is read again and compared with the model on one
    input; --certificate looks at every operator.
    """,
  operands: [Operand(word: "MODEL", help: "a network in any format that is read")],
  options: [
    Option("--output", short: "-o", .value("FILE"), "the file to write; its name tells the format")
  ] + Quantizing.shaping + [
    Shared.representative, Shared.preprocess, Shared.limit,
    Option("--max-drop", .value("PART"), "keep what must be kept to lose at most this, such as 1%"),
  ] + Quantizing.labelling + [
    Option(
      "--validation-limit",
      .value("N"),
      "judge --max-drop by at most N samples (default: 500)"
    ),
    Shared.threads,
    Option(
      "--io-layout",
      .choice(BoundaryLayout.allCases.map(\.rawValue)),
      "where the channels of images lie at inputs and outputs (default: keep)"
    ),
    Option("--opset", .value("N"), "the operator set of a written .onnx"),
    Option("--ir-version", .choice(["10", "11"]), "the version of a written OpenVINO IR"),
    Option("--allow-custom", .flag, "keep operators that the format has not as custom ones"),
  ] + ConversionCheck.options + Shared.importing,
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
  let format = try exportFormat(for: output)
  try refuseOptionsOfOthers(format, arguments)
  var recipe = try Quantizing.recipe(arguments)
  let maxDrop = try maxDrop(arguments, recipe)
  let start = Host.monotonicNanoseconds()
  Host.returnLargeBlocks()
  var model = try Shared.model(arguments.operands[0], arguments, console)
  // A network that goes back to its owner keeps the layers that it came with.
  let isReturning = format.keepsLayers && format.id == model.format && recipe.name == "float32"
  let layout = arguments.value("--io-layout").flatMap(BoundaryLayout.init) ?? .keep
  let isQuantized = model.graph.values.contains { $0.type.isQuantizedInteger }
  let canonical =
    isReturning
    ? model.takeGraph().withImages(layout)
    : try canonicalized(model.takeGraph().withImages(layout))
  let maker = try Quantizing.maker(canonical, arguments, console)
  var choice: MixedChoice?
  if let maxDrop {
    let made = try mixedChoice(maxDrop, recipe, maker, arguments, console)
    recipe = made.recipe
    choice = made
  }
  let variant = try maker.make(recipe)
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
  // What the check does not need is let go before it: both networks in memory would be one too many.
  let (operatorCount, macCount) = (variant.graph.nodes.count, variant.graph.cost.macs)
  let diagnostics = model.diagnostics + variant.diagnostics
  let check = try ConversionCheck.run(
    arguments,
    output: output,
    scheme: recipe.scheme,
    console
  )
  if let finding = check.finding { console.report(finding) }
  var result: JSON = .object([
    "schema": "assay.convert/1", "model": .string(arguments.operands[0]),
    "output": .string(output), "recipe": .string(recipe.name), "bytes": JSON(count),
    "operators": JSON(operatorCount), "macs": JSON(macCount),
    "seconds": JSON(elapsed / 1e9), "certificate": check.json,
    "diagnostics": .array(diagnostics.map(\.json)),
  ])
  if let choice {
    result["mixed"] = choice.json
    result["recipeParameters"] = recipe.json
  }
  try console.result(
    result,
    text: (choice.map(mixedText) ?? "") + """
      \(output): \(isQuantized && recipe.scheme == .float32 ? "quantized as it was" : recipe.name), \
      \(Text.bytes(count)), \(operatorCount) operators, \
      \(Text.count(macCount)) multiply-accumulates, written in \(Text.time(elapsed))
      \(check.text)
      """
  )
  return check.finding?.severity == .error ? .finding : .done
}

/// Throws for an option that says something of another format than the one that is written.
private func refuseOptionsOfOthers(_ format: any ModelFormat, _ arguments: Arguments) throws {
  let owners = [("--opset", "onnx"), ("--ir-version", "openvino"), ("--allow-custom", "tflite")]
  for (option, owner) in owners where format.id != owner {
    guard arguments.value(option) != nil || arguments.has(option) else { continue }
    let ending = Catalog.formats.first { $0.id == owner }?.extensions.first ?? owner
    throw Diagnostic(
      "CLI006",
      "\(option) goes with .\(ending) files, and this is a .\(format.extensions.first ?? "") file",
      at: [arguments.value("--output") ?? ""],
      remedy: "leave it out"
    )
  }
}

/// The bound of `--max-drop` as a part of 1.
private func maxDrop(_ arguments: Arguments, _ recipe: Recipe) throws -> Double? {
  guard let value = try arguments.part("--max-drop") else { return nil }
  guard recipe.scheme != .float32 else {
    throw Diagnostic(
      "CLI006",
      "--max-drop chooses what a recipe leaves in higher precision, and float32 is that already",
      remedy: "--recipe static_int8"
    )
  }
  return value
}

/// The fewest operators in higher precision that hold the bound.
private func mixedChoice(
  _ maxDrop: Double,
  _ recipe: Recipe,
  _ maker: VariantMaker,
  _ arguments: Arguments,
  _ console: Console
) throws -> MixedChoice {
  let validation = try Quantizing.validation(
    maker.graph,
    arguments,
    count: try arguments.integer("--validation-limit") ?? 500,
    console
  )
  defer { console.endProgress() }
  return try MixedChoice(
    maxDrop: maxDrop,
    recipe,
    of: try maker.prepared(recipe).graph,
    calibration: try maker.calibration(recipe),
    validation: validation,
    progress: { console.progress($0) }
  )
}

/// What the search for a mixed choice found and tried.
private func mixedText(_ choice: MixedChoice) -> String {
  func percent(_ part: Double) -> String { Text.fixed(part * 100, 2) + " %" }
  var text = "loss: \(choice.criterion.text); at most \(percent(choice.maxDrop))\n\n"
  text += Text.table(
    ["kept", "loss", "SNR", ""],
    choice.trials.map {
      [
        "\($0.keptCount)", percent($0.quality.drop), sensitivityDecibels($0.quality.snrDb),
        $0.holds ? "holds" : "too much",
      ]
    },
    numeric: [0, 1, 2]
  )
  if choice.kept.isEmpty { return text + "\nnothing has to be kept in higher precision\n" }
  return text + "\nkept in higher precision (\(choice.kept.count)): "
    + choice.kept.joined(separator: ", ") + "\n"
}
