import AssayBase
import AssayData
import AssayHost
import AssayPhone
import AssayRuntime
import AssayTensor
import VendorPhone

/// `assay classify --adb-images`: pictures through a model on a phone, by benchmark_model, with what it
/// sees in each.
///
/// Pictures are prepared here, so that phones and machines get the very same numbers; the time is that of
/// inference alone.
func classifyOnPhone(
  _ images: String,
  _ arguments: Arguments,
  _ console: Console
) throws -> (rows: [Classified], preprocessing: String) {
  let path = arguments.operands[0]
  guard let route = try PhoneRoute(arguments, always: true) else {
    throw Diagnostic("CLI009", "--adb-images needs --device adb:SERIAL")
  }
  let model = try LoadedModel(
    path: path,
    runtime: try chosenRuntime(arguments, model: path),
    options: SessionOptions()
  )
  let data = try Dataset.open(
    path: images,
    inputs: model.inputs.map { DataInput(name: $0.name, type: $0.type) },
    preprocessing: try Preprocessing.parse(arguments.value("--preprocess") ?? ""),
    labelNames: arguments.value("--label-names")
  )
  let top = try arguments.integer("--top") ?? 1
  var job = try route.job(path)
  job.request.runs = try arguments.integer("--repeat") ?? 10
  job.request.leastSeconds = 0
  job.request.warmupSeconds = 0
  job.request.watchesMemory = false
  let scratch = try Scratch()
  defer { scratch.remove() }
  guard let output = model.outputs.first, let size = output.type.byteCount else {
    throw Diagnostic("RTM012", "the model has no output")
  }
  let rows = try route.onPhone(console) { _, bench in
    try (0..<data.count).map { index in
      let sample = try data.sample(at: index)
      console.progress("\(index + 1)/\(data.count) \(sample.name) on the phone")
      let inputs = try model.inputs.enumerated().map { place, port in
        guard let tensor = sample.inputs[port.name] else {
          throw Diagnostic("EVL001", "input '\(port.name)' is missing")
        }
        let file = Host.join(scratch.path, "input-\(index)-\(place).raw")
        try AtomicFile.write([tensor.bytes], to: file, isSynced: false)
        return PhoneBench.GivenInput(name: port.name, shape: port.type.shape.dims, file: file)
      }
      let inference = try bench.infer(job, inputs)
      let bytes = ByteView(inference.outputs)
      let tensor = try Tensor(output.type, bytes: bytes.slice(0, size))
      let scores = tensor.floats()
      let mean = inference.run.timings?.inference?.nanoseconds(unit: 1000) ?? 0
      return Classified(
        name: sample.name,
        classes: topIndices(scores, count: top).map { place in
          (
            label: data.labelNames.indices.contains(place) ? data.labelNames[place] : "\(place)",
            index: place, score: scores[place]
          )
        },
        nanoseconds: [mean]
      )
    }
  }
  return (rows, data.preprocessing.text)
}
