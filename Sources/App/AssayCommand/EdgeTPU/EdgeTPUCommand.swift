import AssayBase
import AssayHost
import FormatTFLite
import VendorEdgeTPU

let edgeTPUCommand = CommandSpec(
  name: "edgetpu",
  summary:
    "what of a model an Edge TPU would run, and why not the rest; compile it; describe compiled files",
  discussion: """
    For a .tflite file that was not compiled: a prediction of the operators that are mapped, with a mend
    for each that is not, from the maker's table of operators. It is a prediction: the compiler, which is
    closed, is not asked, unless --compile runs edgetpu_compiler where it is installed. --search then
    compiles the largest part that compiles when the whole does not.

    For a compiled file: what is in the executables, parameters on the chip and streamed, instructions,
    transfers of one run, estimated cycles. --log reads what the compiler printed elsewhere. Ends with
    status 1 when nothing would be mapped or compiling failed.
    """,
  operands: [Operand(word: "MODEL", help: "a .tflite file, compiled or not", isOptional: true)],
  options: [
    Option("--compile", .flag, "compile it with edgetpu_compiler"),
    Option(
      "--output",
      short: "-o",
      .value("FOLDER"),
      "where compiled files go (default: beside MODEL)"
    ),
    Option(
      "--min-runtime",
      .value("N"),
      "the runtime version to compile for, 10 to 14 (default: 14)"
    ),
    Option("--all-subgraphs", .flag, "map every part, not only the first"),
    Option(
      "--search",
      .value("STEP"),
      "look for a part that compiles, stepping back by STEP operators"
    ),
    Option("--timeout", .value("S"), "seconds that one compilation may take (default: 180)"),
    Option("--against", .value("FILE"), "compare the prediction with this compiled file"),
    Option("--log", .value("FILE"), "read the output or the .log of edgetpu_compiler instead"),
  ],
  examples: [
    ("assay edgetpu model.tflite", "what would be mapped, and what to change for the rest"),
    ("assay edgetpu model.tflite --compile -o out", "compile it"),
    ("assay edgetpu model_edgetpu.tflite", "what is in a compiled file"),
    ("assay edgetpu model.tflite --json - | jq '.prediction.mapped'", "one figure for a script"),
    ("assay edgetpu --log model_edgetpu.log", "the compiler's own answer as a table"),
  ]
) { arguments, console in
  if let log = arguments.value("--log") { return try showLog(log, console) }
  guard let path = arguments.operand(0) else {
    throw Diagnostic("CLI005", "MODEL is missing: a .tflite file")
  }
  let bytes = try MappedFile(path: path).view
  guard FlatBufferIdentity.isTFLite(bytes) else {
    throw Diagnostic(
      "TPU009",
      "an Edge TPU takes .tflite files",
      at: [path],
      remedy: "assay convert \(path) --recipe static_int8_uint8io makes one"
    )
  }
  let packages = try locating(path) { try EdgeTPUPackage.all(inFile: bytes) }
  if !packages.isEmpty {
    try console.result(
      EdgeTPUText.json(path, packages),
      text: EdgeTPUText.description(path, bytes.count, packages)
    )
    return .done
  }
  return try EdgeTPURun(path, bytes, arguments).conclude(console)
}

/// What the first bytes of a file say.
private enum FlatBufferIdentity {
  static func isTFLite(_ bytes: ByteView) -> Bool {
    (try? bytes.slice(4, 4))?.starts(with: "TFL3".utf8) ?? false
  }
}

private func showLog(_ path: String, _ console: Console) throws -> ExitStatus {
  let report = try locating(path) {
    try CompilerReport(String(decoding: MappedFile(path: path).view.array, as: UTF8.self))
  }
  try console.result(report.json, text: EdgeTPUText.report(report))
  return report.isSuccess == false ? .finding : .done
}

/// A prediction, and the compiler's answer where it is asked for.
private struct EdgeTPURun {
  let path: String
  let prediction: EdgeTPUPrediction
  let twin: TwinComparison?
  let arguments: Arguments

  init(_ path: String, _ bytes: ByteView, _ arguments: Arguments) throws {
    self.path = path
    self.arguments = arguments
    let runtime = try arguments.integer("--min-runtime", minimum: 10) ?? 14
    guard runtime <= 14 else {
      throw Diagnostic("CLI006", "--min-runtime is 10 to 14, not \(runtime)")
    }
    let listing = try locating(path) { try TFLiteListing(reading: bytes) }
    let prediction = try EdgeTPUPrediction(
      listing,
      runtime: runtime,
      compilesAllParts: arguments.has("--all-subgraphs")
    )
    self.prediction = prediction
    twin = try arguments.value("--against").map { file in
      try locating(file) {
        try TwinComparison(prediction, original: listing, twin: MappedFile(path: file).view)
      }
    }
  }

  func conclude(_ console: Console) throws -> ExitStatus {
    var document = JSON.object([
      "schema": "assay.edgetpu/1", "model": .string(path), "prediction": prediction.json,
    ])
    var text = EdgeTPUText.prediction(path, prediction)
    if let twin {
      document["against"] = EdgeTPUText.json(twin)
      text += EdgeTPUText.comparison(twin)
    }
    var status: ExitStatus = prediction.mappedCount == 0 ? .finding : .done
    if twin?.disagreements.isEmpty == false { status = .finding }
    if arguments.has("--compile") || arguments.has("--search") {
      let result = try compile(console)
      document["compiler"] = EdgeTPUText.json(result)
      text += "\n" + EdgeTPUText.result(result)
      if !result.isSuccess { status = .finding }
    }
    try console.result(document, text: text)
    return status
  }

  private func compile(_ console: Console) throws -> EdgeTPUCompiler.Result {
    let compiler = try EdgeTPUCompiler.find()
    var options = EdgeTPUCompiler.Options()
    options.runtime = try arguments.integer("--min-runtime", minimum: 10)
    options.compilesAllParts = arguments.has("--all-subgraphs")
    options.seconds = Double(try arguments.integer("--timeout") ?? 180)
    let folder = arguments.value("--output") ?? Host.folder(of: path)
    guard let step = try arguments.integer("--search") else {
      console.progress("edgetpu_compiler \(path)")
      defer { console.endProgress() }
      return try compiler.compile(path, into: folder, options)
    }
    defer { console.endProgress() }
    return try compiler.search(
      path,
      into: folder,
      options,
      stops: prediction.fates.filter { $0.reason == nil }.map(\.output),
      step: step,
      progress: { console.progress("edgetpu_compiler, \($0)") }
    )
  }
}
