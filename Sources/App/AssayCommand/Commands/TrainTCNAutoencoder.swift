import AssayBase
import AssayCatalog
import AssayCodec
import AssayCompress
import AssayData
import AssayDetect
import AssayFormat
import AssayGraph
import AssayHost
import AssayModels
import AssayQuantize
import AssayRewrite
import AssayTensor
import AssayTrain

let trainTCNAutoencoderCommand = CommandSpec(
  name: "train tcn-autoencoder",
  summary: "train an anomaly detector on a series, and write it for every runtime",
  discussion: """
    A temporal-convolution autoencoder learns to reproduce the series; what it cannot reproduce is
    unusual. Labels are not used for training, and anomalies in the series do no harm as long as they
    are rare. The folder gets model.tflite and model.onnx, their float16, dynamic_int8 and static_int8
    variants, detector.json with the statistics of the training series, and windows.npy, which 'assay
    try', 'verify' and 'convert' take as --representative data.
    static_int8 is trained on for a while with the rounding of its integers in place: 8 bits blur what weak
    anomalies stand out by. The same series, options and seed give the same files, for any number of threads. A training that
    was stopped goes on where it was when the command is given again.
    """,
  options: [
    Option("--series", short: "-s", .value("FILE"), "the series to learn: .csv, .npy or .npz"),
    Option("--output", short: "-o", .value("FOLDER"), "where the detector goes"),
    Option(
      "--preset",
      .choice(["fast", "full"]),
      "fast: minutes (default); full: the published training, 40 epochs in batches of 32"
    ),
    Option("--seed", .value("N"), "of first weights and windows (default: 0)"),
    Option("--steps", .value("N"), "steps of training (default: by the preset)"),
    Option("--epochs", .value("N"), "epochs of the full preset (default: 40)"),
    Option("--batch", .value("N"), "windows of a step (default: by the preset)"),
    Option("--window", .value("N"), "samples of a window (default: by the preset)"),
    Option("--rate", .value("R"), "the greatest learning rate (default: by the preset)"),
    Option(
      "--patience",
      .value("N"),
      "end early when nothing got better for N epochs (full preset)"
    ),
    Option(
      "--scaling",
      .choice(DetectorTraining.Scaling.allCases.map(\.rawValue)),
      "default: zscore"
    ),
    Option("--dilations", .value("N,N"), "of the residual blocks (default: 1,2,4,8,16)"),
    Option("--filters", .value("N"), "channels of the dilated convolutions (default: 20)"),
    Option("--kernel", .value("N"), "taps of the dilated convolutions (default: 20)"),
    Option("--stacks", .value("N"), "how often the blocks are repeated (default: 1)"),
    Option("--dropout", .value("PART"), "channels dropped while training (default: 0)"),
    Option("--bottleneck", .value("N"), "channels of the code (default: 8)"),
    Option(
      "--latent-rate",
      .value("N"),
      "samples that one element of the code stands for (default: 42)"
    ),
    Option("--pooling", .choice(["average", "max"]), "default: average"),
    Option("--causal", .flag, "convolutions that see no later samples"),
    Option("--length", .value("N"), "samples that the written models take (default: 1050)"),
    Option(
      "--integer-steps",
      .value("N"),
      "steps in which a copy learns to live with 8 bits, for static_int8 (default: 1200; 0: none)"
    ),
    Option("--restart", .flag, "begin anew although a training was stopped here"),
    Shared.threads,
  ] + SeriesArguments.options,
  examples: [
    ("assay train tcn-autoencoder --series series.csv -o detector/", "minutes on two cores"),
    ("assay train tcn-autoencoder -s series.csv -o detector/ --preset full", "as published"),
  ]
) { arguments, console in
  try DetectorJob(arguments).run(console)
}

/// One call of the command, checked.
private struct DetectorJob {
  let arguments: Arguments
  let path: String
  let folder: String
  let series: TimeSeries
  let threads: Int
  var training: DetectorTraining
  var length: Int
  /// Steps of training with the rounding of integers.
  var integerSteps: Int

  init(_ arguments: Arguments) throws {
    self.arguments = arguments
    guard let path = arguments.value("--series") else {
      throw Diagnostic(
        "CLI005",
        "--series is missing: the series to learn",
        remedy: "-s series.csv"
      )
    }
    guard let folder = arguments.value("--output") else {
      throw Diagnostic("CLI005", "--output is missing: the folder to write", remedy: "-o detector/")
    }
    if Host.kind(of: folder) == .file {
      throw Diagnostic("CLI006", "--output must be a folder, and is a file", at: [folder])
    }
    self.path = path
    self.folder = folder
    let series = try TimeSeries.read(path, try SeriesArguments.options(arguments))
    self.series = series
    threads = try arguments.integer("--threads") ?? Host.processorCount
    let isFull = arguments.value("--preset") == "full"
    if !isFull, let name = ["--epochs", "--patience"].first(where: arguments.has) {
      throw Diagnostic("CLI009", "\(name) belongs to --preset full", remedy: "--steps N")
    }
    if arguments.has("--steps"), arguments.has("--epochs") {
      throw Diagnostic("CLI009", "--steps and --epochs exclude each other")
    }
    training =
      isFull
      ? .full(epochs: try arguments.integer("--epochs") ?? 40, samples: series.count) : .fast()
    if let steps = try arguments.integer("--steps") {
      if isFull { training.steps = steps } else { training = .fast(steps: steps) }
    }
    length = try arguments.integer("--length") ?? 1050
    integerSteps =
      try arguments.integer("--integer-steps", minimum: 0) ?? min(1200, training.steps / 4)
    training.seed = UInt64(try arguments.integer("--seed", minimum: 0) ?? 0)
    training.batch = try arguments.integer("--batch") ?? training.batch
    training.window = try arguments.integer("--window") ?? training.window
    if let rate = try number("--rate", above: 0) { training.schedule.peak = Float(rate) }
    if let patience = try arguments.integer("--patience") {
      training.earlyStopping = EarlyStopping(patience: patience, minimalChange: 1e-4)
    }
    if let scaling = arguments.value("--scaling").flatMap(DetectorTraining.Scaling.init) {
      training.scaling = scaling
    }
    training.model.channels = series.channels.count
    training.model.dilations = try arguments.integers("--dilations") ?? training.model.dilations
    training.model.filters = try arguments.integer("--filters") ?? training.model.filters
    training.model.kernel = try arguments.integer("--kernel") ?? training.model.kernel
    training.model.stacks = try arguments.integer("--stacks") ?? training.model.stacks
    training.model.bottleneck = try arguments.integer("--bottleneck") ?? training.model.bottleneck
    training.model.latentRate = try arguments.integer("--latent-rate") ?? training.model.latentRate
    training.model.pooling = arguments.value("--pooling") == "max" ? .max : .average
    training.model.isCausal = arguments.has("--causal")
    if let part = try number("--dropout", above: -1) { training.model.dropout = Float(part) }
    try training.model.check()
    guard length >= training.model.latentRate else {
      throw Diagnostic("CLI006", "--length must be at least \(training.model.latentRate)")
    }
    training.checkpointPath = Host.join(folder, "training.checkpoint")
  }

  private func number(_ name: String, above least: Double) throws -> Double? {
    guard let text = arguments.value(name) else { return nil }
    guard let value = Double(text), value.isFinite, value > least else {
      throw Diagnostic("CLI006", "\(name) must be a number above \(least), not '\(text)'")
    }
    return value
  }

  func run(_ console: Console) throws -> ExitStatus {
    let start = Host.monotonicNanoseconds()
    try Host.makeFolders(folder)
    let checkpoint = training.checkpointPath ?? ""
    if arguments.has("--restart") {
      try Host.remove(checkpoint)
      try Host.remove(tuningFolder)
    }
    if Host.exists(checkpoint) { console.note("going on with the training that was stopped here") }
    let run = try locating(path) { try training.prepared(series, threads: threads) }
    let watcher = DetectorProgress(console)
    run.trainer.observers.append(watcher)
    let outcome = try run.trainer.run(run.source, validation: run.validation)
    console.endProgress()
    let seconds = Double(Host.monotonicNanoseconds() - start) / 1e9
    if case .diverged(let step, let loss) = outcome {
      console.report(
        Diagnostic(
          "DTC036",
          "the training diverged at step \(step) with a loss of \(Text.significant(loss)); the best "
            + "weights before that are written",
          remedy: "take a smaller --rate than \(training.schedule.peak)",
          severity: .warning
        )
      )
    }
    let network = try TemporalNetwork(canonicalized(run.trainer.graph))
    let written = try write(network, run.source, console)
    try Host.remove(checkpoint)
    try Host.remove(tuningFolder)
    let losses = run.trainer.history.map { JSON($0.training.loss) }
    try console.result(
      .object([
        "schema": "assay.train.tcn-autoencoder/1", "series": .string(path),
        "folder": .string(folder), "seed": JSON(Int(training.seed)),
        "steps": JSON(run.trainer.step), "batch": JSON(training.batch), "seconds": JSON(seconds),
        "diverged": .bool(watcher.isDiverged(outcome)),
        "losses": .array(losses), "logCosh": JSON(written.variants[0].result.logCosh),
        "threshold": written.state.threshold.map { JSON($0) } ?? .null,
        "variants": .array(written.variants.map(\.json)),
      ]),
      text: text(written, outcome, run.trainer.step, seconds)
    )
    return .done
  }

  // MARK: What is written

  private struct Written {
    var state: DetectorState
    var variants: [DetectorVariant]
  }

  /// Writes the models, the statistics and some windows; looks at the series with each variant.
  private func write(
    _ network: TemporalNetwork,
    _ source: WindowSource,
    _ console: Console
  ) throws -> Written {
    let graph = try network.graph(length: network.outputLength(length))
    let standardization = training.standardization(of: series)
    let scaled = standardization.applied(to: series)
    let windows = try representative(scaled, of: network.outputLength(length))
    try AtomicFile.write(try NPY.write(windows), to: Host.join(folder, "windows.npy"))
    let maker = VariantMaker(graph, threads: threads) { try feed($0, windows, to: graph) }
    var variants: [DetectorVariant] = []
    var state: DetectorState?
    for name in ["float32", "float16", "dynamic_int8", "static_int8"] {
      console.progress("writing \(name)")
      let made =
        name == "static_int8" && integerSteps > 0
        ? try tuned(network, source, scaled, console).graph(length: network.outputLength(length))
        : try maker.make(try Recipe.parse(name)).graph
      let stem = Host.join(folder, name == "float32" ? "model" : "model_\(name)")
      let bytes = try exportModel(
        made,
        to: stem + ".tflite",
        description: "assay \(assayVersion) \(name)"
      )
      try exportModel(
        made,
        to: stem + ".onnx",
        description: "assay \(assayVersion) \(name)"
      )
      let variant = try TemporalNetwork(made)
      let result = try DetectionResult(
        name: Host.name(of: path),
        series: series,
        standardization: standardization,
        threads: threads,
        reconstruct: { try PiecewiseReconstruction(variant, threads: threads)($0) }
      )
      if state == nil {
        state = DetectorState(
          channels: series.channels,
          standardization: standardization,
          scoring: result.scoring,
          errors: result.errors,
          model: "model.tflite",
          threshold: result.detection.threshold
        )
      }
      variants.append(
        DetectorVariant(
          name: name,
          file: stem + ".tflite",
          byteCount: bytes,
          operatorCount: made.nodes.count,
          result: result
        )
      )
    }
    console.endProgress()
    guard let state else { throw Diagnostic("DTC032", "no variant was made") }
    try writeJSON(state.json, to: Host.join(folder, DetectorState.fileName))
    return Written(state: state, variants: variants)
  }

  /// Where the training for integers keeps its state.
  private var tuningFolder: String { Host.join(folder, "training.integers") }

  /// The network of integers after a training with their rounding in place.
  private func tuned(
    _ network: TemporalNetwork,
    _ source: WindowSource,
    _ scaled: [[Float]],
    _ console: Console
  ) throws -> TemporalNetwork {
    var tuning = FineTuning(
      epochs: max(1, integerSteps / source.batchesPerEpoch),
      batch: training.batch,
      learningRate: training.schedule.peak / 10,
      loss: .logCosh,
      threads: threads,
      seed: training.seed
    )
    tuning.folder = tuningFolder
    try Host.makeFolders(tuningFolder)
    let windows = try representative(scaled, of: network.length)
    let optimization = Optimization(
      network.graph,
      try Recipe.parse("qat+static_int8"),
      tuning,
      source: source,
      calibrate: { try feed($0, windows, to: network.graph) }
    )
    optimization.observer = { _, _ in DetectorProgress(console, phase: "integers: ") }
    guard let integers = try optimization.run().integers else {
      throw Diagnostic("DTC032", "the network of integers was not made")
    }
    return try TemporalNetwork(integers)
  }

  /// Shows windows to a calibrator.
  private func feed(_ calibrator: Calibrator, _ windows: Tensor, to graph: Graph) throws {
    let (name, shape) = (graph[graph.inputs[0]].name, graph[graph.inputs[0]].type.shape)
    let samples = windows.floats()
    for start in stride(from: 0, to: samples.count, by: shape.count) {
      try calibrator.observe([name: Tensor(Array(samples[start..<start + shape.count]), shape)])
    }
  }

  /// Windows from all over the series, for calibration.
  private func representative(_ scaled: [[Float]], of window: Int) throws -> Tensor {
    guard window <= series.count else {
      throw Diagnostic(
        "DTC004",
        "--length is \(length), and the series has \(series.count) samples",
        remedy: "take a smaller --length"
      )
    }
    let count = min(64, max(1, series.count / window))
    var values: [Float] = []
    for index in 0..<count {
      let start = count > 1 ? (series.count - window) * index / (count - 1) : 0
      for sample in start..<start + window {
        for channel in scaled { values.append(channel[sample]) }
      }
    }
    return Tensor(values, [count, window, series.channels.count])
  }

  private func text(
    _ written: Written,
    _ outcome: TrainingOutcome,
    _ steps: Int,
    _ seconds: Double
  ) -> String {
    var text =
      "\(folder): trained in \(Text.time(seconds * 1e9)), \(steps) steps, log-cosh "
      + "\(Text.significant(written.variants[0].result.logCosh)) over the series\n\n"
    let isLabelled = series.isAnomaly != nil
    text += Text.table(
      [
        "variant", "size", "operators", "log-cosh", isLabelled ? "found" : "unusual",
        "false alarms",
      ],
      written.variants.map { variant in
        let found = variant.result.detection
        return [
          variant.name, Text.bytes(variant.byteCount), "\(variant.operatorCount)",
          Text.significant(variant.result.logCosh),
          found.byEvent.map { "\($0.truePositives) of \(found.events?.count ?? 0)" }
            ?? "\(found.alarms.count)",
          found.byEvent.map { "\($0.falsePositives)" } ?? "-",
        ]
      },
      numeric: [1, 2, 3, 4, 5]
    )
    return text + "\nnext: assay detect \(folder) --series OTHER.csv\n"
  }
}

/// A written variant and what it finds in the training series.
private struct DetectorVariant {
  var name: String
  var file: String
  var byteCount: Int
  var operatorCount: Int
  var result: DetectionResult

  var json: JSON {
    let found = result.detection
    return .object([
      "variant": .string(name), "file": .string(file), "bytes": JSON(byteCount),
      "operators": JSON(operatorCount), "logCosh": JSON(result.logCosh),
      "threshold": JSON(found.threshold),
      "events": found.events.map { JSON($0.count) } ?? .null,
      "detected": found.byEvent.map { JSON($0.truePositives) } ?? .null,
      "falsePositives": found.byEvent.map { JSON($0.falsePositives) } ?? .null,
    ])
  }
}

/// Shows how a training goes on.
private final class DetectorProgress: TrainingObserver {
  private let console: Console
  private let phase: String
  private var mean = 0.0

  init(_ console: Console, phase: String = "") {
    self.console = console
    self.phase = phase
  }

  func isDiverged(_ outcome: TrainingOutcome) -> Bool {
    if case .diverged = outcome { true } else { false }
  }

  func observe(_ event: TrainingEvent) {
    guard case .step(let step) = event else { return }
    mean = step.step == 0 || mean == 0 ? step.loss : 0.98 * mean + 0.02 * step.loss
    guard step.step % 5 == 0 || step.step + 1 == step.steps else { return }
    console.progress(
      "\(phase)step \(step.step + 1)/\(step.steps), log-cosh \(Text.significant(mean)), "
        + "\(Text.significant(step.samplesPerSecond)) windows/s, \(Text.time(step.remaining * 1e9)) left"
    )
  }
}
