import AssayBase
import AssayCodec
import AssayData
import AssayEvaluator
import AssayGraph
import AssayHost
import AssayTensor

/// The data of one `assay try`: what calibrates, and what is judged by.
struct TryData {
  /// Calibration samples; `nil` when the user gave none.
  var representative: Dataset?
  /// Samples that variants are judged by.
  var evaluation: Dataset
  /// What the judgement is by, in words.
  var source: String
  /// The samples of `evaluation`, decoded.
  var samples: [Sample]
  /// What the original gives for each, by output.
  var expected: [[[Float]]] = []

  init(_ original: Graph, _ arguments: Arguments, _ console: Console) throws {
    let inputs = dataInputs(original)
    let preprocessing = try Preprocessing.parse(arguments.value("--preprocess") ?? "")
    let classCount =
      original.outputs.count == 1 ? original[original.outputs[0]].type.shape[-1] : nil
    let limit = try arguments.integer("--limit") ?? 1000
    if let path = arguments.value("--representative") {
      representative = try Dataset.open(path: path, inputs: inputs, preprocessing: preprocessing)
        .subset(try arguments.integer("--calibration-limit") ?? 500)
    }
    if let labels = arguments.value("--labels") {
      let names = try arguments.labelNames()
      if let data = arguments.value("--data") {
        evaluation = try Dataset.open(
          path: data,
          inputs: inputs,
          preprocessing: preprocessing,
          labels: labels,
          labelNames: names,
          classCount: classCount
        )
      } else {
        evaluation = try Dataset.labelled(
          csv: labels,
          inputs: inputs,
          preprocessing: preprocessing,
          labelNames: names,
          classCount: classCount
        )
      }
      evaluation = evaluation.labelled.subset(limit)
      source = "\(evaluation.count) labelled samples of \(labels)"
    } else if let representative {
      evaluation = representative.subset(limit)
      source = "\(evaluation.count) samples of \(representative.path), without labels"
    } else {
      evaluation = Dataset.random(inputs: inputs, count: 16, seed: 1)
      source = "16 seeded random samples: no data were given"
    }
    console.progress("reading \(evaluation.count) samples")
    samples = try evaluation.samples(threads: Host.processorCount)
    let evaluator = try Evaluator(original, threads: Host.processorCount)
    for (index, sample) in samples.enumerated() {
      console.progress("original \(index + 1)/\(samples.count)")
      expected.append(try evaluator.run(sample.inputs).map { $0.tensor.floats() })
    }
    console.endProgress()
  }

  /// Whether accuracy can be told.
  var isLabelled: Bool { samples.contains { $0.label != nil } }

  /// Writes the samples as a variant takes them, stacked, and the first one alone.
  ///
  /// - Returns: the paths of both .npz files.
  func write(
    for graph: Graph,
    to folder: String,
    name: String
  ) throws -> (
    all: String, first: String
  ) {
    var stacked: [(name: String, tensor: Tensor)] = []
    var first: [(name: String, tensor: Tensor)] = []
    for id in graph.inputs {
      let (name, type) = (graph[id].name, graph[id].type)
      var parts: [Tensor] = []
      for sample in samples {
        guard
          let given = sample.inputs[name]
            ?? (graph.inputs.count == 1 ? sample.inputs.first?.value : nil)
        else { continue }
        parts.append(try bind([name: given], to: [(name, type)])[0])
      }
      guard parts.count == samples.count, let one = parts.first else {
        throw Diagnostic("EVL001", "input '\(name)' is missing from the data")
      }
      var dims = type.shape.dims
      if dims.first == 1 { dims.removeFirst() }
      let bytes = unsafe ByteView(byteCount: parts.reduce(0) { $0 + $1.bytes.count }) { target in
        var offset = 0
        for part in parts {
          unsafe part.bytes.withUnsafeBytes { source in
            unsafe UnsafeMutableRawBufferPointer(rebasing: target[offset...]).copyMemory(
              from: source
            )
          }
          offset += part.bytes.count
        }
      }
      stacked.append(
        (name, try Tensor(TensorType(type.dtype, Shape([parts.count] + dims)), bytes: bytes))
      )
      first.append((name, one.with(quantization: nil)))
    }
    let paths = (Host.join(folder, "\(name).npz"), Host.join(folder, "\(name)-first.npz"))
    try AtomicFile.write(try NPZ.write(stacked), to: paths.0)
    try AtomicFile.write(try NPZ.write(first), to: paths.1)
    return paths
  }
}

/// A graph's inputs as data are made for them.
func dataInputs(_ graph: Graph) -> [DataInput] {
  graph.inputs.map { DataInput(name: graph[$0].name, type: graph[$0].type) }
}

extension Host {
  /// Processors that this process may use.
  static var processorCount: Int { max(allowedProcessors().count, 1) }
}
