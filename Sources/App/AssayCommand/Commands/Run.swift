import AssayBase
import AssayCatalog
import AssayCodec
import AssayRemote
import AssayRuntime
import AssayTensor
import AssayVision

let runCommand = CommandSpec(
  name: "run",
  summary: "feed arrays or an image to a model and write what comes out",
  discussion: """
    Arrays are named as the model's inputs; a lone .npy feeds a lone input. Floats for an integer input
    are quantized with its scale. Outputs are written as the model gives them, under its own names.
    """,
  operands: [Operand(word: "MODEL", help: "a .tflite or .onnx file (any format for reference)")],
  options: [
    Option(
      "--input",
      short: "-i",
      .value("FILE"),
      "an .npz or .npy with the inputs, an ONNX tensor (.pb) or a folder of input_*.pb"
    ),
    Option("--image", .value("FILE"), "an image for a lone input, brought there by --preprocess"),
    Option("--output", short: "-o", .value("FILE"), "the .npz to write"),
    Option("--dequantize", .flag, "write integer outputs as floats"),
    Shared.runtime, Shared.provider, EdgeTPUOptions.clock, EdgeTPUOptions.device, Shared.threads,
    Shared.device, Shared.preprocess, Shared.shape, Shared.value,
  ] + readingOptions,
  examples: [
    ("assay run model.tflite --runtime litert --input in.npz -o out.npz", "arrays in, arrays out"),
    ("assay run model.onnx --image cat.jpg --preprocess torch -o out.npz", "an image"),
    (
      "assay run yolov8n-seg.onnx --image street.jpg -p yolo --draw seen.png",
      "boxes and masks, drawn into the picture"
    ),
  ]
) { arguments, console in
  let path = arguments.operands[0]
  let session = try deviceSession(arguments, console)
  defer { session?.close() }
  var runtime = try chosenRuntime(arguments, model: path, mustBeHere: session == nil)
  if runtime.id == "reference" {
    // Our own execution imports the file, and can be told how.
    runtime = Catalog.referenceRuntime(try Shared.importOptions(arguments))
  }
  let options = try sessionOptions(arguments)
  runtime = placed(runtime, on: session, provider: options.provider)
  let model = try LoadedModel(path: path, runtime: runtime, options: options)
  let raw = try model.run(try inputs(arguments, model))
  let seen = try readImage(raw, model, arguments)
  if case .classes(let scores) = seen?.reading, let list = arguments.value("--label-names"),
    let finding = namesFinding(seen?.names.count ?? 0, classes: scores.count, from: list)
  {
    console.report(finding)
  }
  let outputs =
    raw.map { arguments.has("--dequantize") ? ($0.name, dequantized($0.tensor)) : $0 }
  if let output = arguments.value("--output") {
    try AtomicFile.write(try NPZ.write(outputs.map { ($0.0, $0.1) }), to: output)
  }
  try console.result(
    .object([
      "schema": "assay.run/1", "model": .string(path), "runtime": .string(runtime.id),
      "outputs": .array(outputs.map { summary($0.0, $0.1).json }),
      "seen": seen.map { $0.reading.json(names: $0.names) } ?? .null,
    ]),
    text: (seen.map { $0.reading.lines(names: $0.names).joined(separator: "\n") + "\n\n" } ?? "")
      + outputs.map { summary($0.0, $0.1).text }.joined()
      + (arguments.value("--output").map { "written to \($0)\n" } ?? "")
      + (arguments.value("--draw").map { "drawn into \($0)\n" } ?? "")
  )
  return .done
}

private func inputs(_ arguments: Arguments, _ model: LoadedModel) throws -> [String: Tensor] {
  if let image = arguments.value("--image") {
    guard !arguments.has("--input") else {
      throw Diagnostic("CLI004", "--image and --input exclude one another")
    }
    return try imageInput(image, model, arguments)
  }
  guard let path = arguments.value("--input") else {
    let wanted = model.inputs.map { "'\($0.name)' \($0.type)" }.joined(separator: ", ")
    throw Diagnostic(
      "CLI005",
      "nothing to feed: the model takes \(wanted)",
      remedy: "--input IN.npz or --image"
    )
  }
  // The network has no inputs any more whose values it was specialized on.
  let known = arguments.all("--value").map { $0.prefix { $0 != "=" } }
  return try readArrays(path).filter { !known.contains($0.key[...]) }
}

private func dequantized(_ tensor: Tensor) -> Tensor {
  tensor.quantization == nil ? tensor : Tensor(tensor.floats(), tensor.shape)
}

/// What the terminal shows of an array: its type, range and first elements.
private func summary(_ name: String, _ tensor: Tensor) -> (json: JSON, text: String) {
  let values = tensor.quantization == nil && !tensor.dtype.isFloat ? [] : tensor.floats()
  let shown =
    values.isEmpty ? tensor.integers().prefix(8).map { Float($0) } : Array(values.prefix(8))
  let finite = values.filter(\.isFinite)
  let (low, high) = (finite.min() ?? 0, finite.max() ?? 0)
  let first = shown.map { Text.fixed(Double($0), 4) }.joined(separator: " ")
  let more = tensor.count > 8 ? " …" : ""
  return (
    .object([
      "name": .string(name), "dtype": .string(tensor.dtype.rawValue),
      "shape": .array(tensor.shape.dims.map { JSON($0) }), "min": JSON(Double(low)),
      "max": JSON(Double(high)),
    ]),
    "\(name)  \(tensor.type)  \(first)\(more)\n"
  )
}
