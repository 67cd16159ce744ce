import AssayBase
import AssayData
import AssayHost
import AssayRecord
import AssayRuntime
import AssayTensor

extension Record.Phases.Pipeline {
  /// From a picture in a file to its best classes, `runs` times, each step by the clock.
  ///
  /// - Parameters:
  ///   - session: takes the input and gives the output.
  ///   - inputs: the session's inputs, with the quantization that the model's file declares.
  ///   - outputs: its outputs likewise.
  ///   - image: the picture's file; it is decoded anew in each run.
  ///   - runs: the number of runs, after one that is not counted.
  /// - Throws: `Diagnostic` of the preprocessing, the picture or the runtime.
  init(
    _ session: any Session,
    inputs: [Port],
    outputs: [Port],
    image: String,
    preprocessing: String,
    runs: Int
  ) throws {
    let spec = try Preprocessing.parse(preprocessing)
    let data = try Dataset.open(
      path: image,
      inputs: inputs.map { DataInput(name: $0.name, type: $0.type) },
      preprocessing: spec
    )
    guard data.count > 0, let output = outputs.first else {
      throw Diagnostic("BEN115", "there is no picture, or the model has no output", at: [image])
    }
    self.init(preprocessing: data.preprocessing.text)
    for run in 0...max(runs, 1) {
      let start = Host.monotonicNanoseconds()
      let sample = try data.sample(at: run % data.count)
      let prepared = Host.monotonicNanoseconds()
      let bound = try bind(sample.inputs, to: inputs.map { ($0.name, $0.type) })
      for (index, tensor) in bound.enumerated() {
        try session.write(tensor.bytes, toInput: index)
      }
      let fed = Host.monotonicNanoseconds()
      try session.runOnce()
      let inferred = Host.monotonicNanoseconds()
      let scores = try Tensor(output.type, bytes: session.readOutput(0)).floats()
      let best = topIndices(scores, count: 5)
      let end = Host.monotonicNanoseconds()
      guard run > 0, !best.isEmpty else { continue }
      preprocess.append(Int64(clamping: prepared &- start))
      feed.append(Int64(clamping: fed &- prepared))
      inference.append(Int64(clamping: inferred &- fed))
      postprocess.append(Int64(clamping: end &- inferred))
    }
  }
}

/// A picture whose whole way through a model is measured.
public struct PipelineRequest: Sendable {
  /// The picture's file, or a folder of them.
  public var image: String
  /// What is done to it, in the words of `--preprocess`.
  public var preprocessing: String
  /// The number of runs.
  public var runs: Int
  /// The model's inputs and outputs, with their quantization.
  public var inputs: [Port]
  public var outputs: [Port]

  /// Makes a request.
  public init(
    image: String,
    preprocessing: String,
    runs: Int,
    inputs: [Port],
    outputs: [Port]
  ) {
    self.image = image
    self.preprocessing = preprocessing
    self.runs = runs
    self.inputs = inputs
    self.outputs = outputs
  }

  var json: JSON {
    .object([
      "do": "pipeline", "image": .string(image), "preprocess": .string(preprocessing),
      "runs": JSON(runs), "inputs": .array(inputs.map(\.json)),
      "outputs": .array(outputs.map(\.json)),
    ])
  }
}
