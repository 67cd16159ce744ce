import AssayBase
import AssayData
import AssayEvaluator
import AssayGraph
import AssayHost
import AssayTensor

/// The data of one `assay optimize`: what trains, and what is judged by.
struct OptimizeData {
  /// What the network is trained on.
  var training: Dataset
  /// What it is judged by, decoded.
  var test: [Sample]
  /// Where that came from, in words.
  var source: String
  /// Whether samples have classes; without them a network is trained to give back what it is fed.
  var isLabelled: Bool

  /// - Returns: `nil` when there are no data and none are needed.
  init?(_ graph: Graph, _ plan: OptimizePlan, _ arguments: Arguments, _ console: Console) throws {
    guard let path = arguments.value("--data") else {
      guard plan.epochs > 0 else { return nil }
      throw Diagnostic(
        "CLI008",
        "--data is missing: what to train on",
        remedy: "--data PATH: a folder of a folder for each class, a CSV of file,label or an .npz"
      )
    }
    let all = try Self.open(path, labels: arguments.value("--labels"), graph, arguments)
    if let path = arguments.value("--test") {
      let test = try Self.open(path, labels: arguments.value("--test-labels"), graph, arguments)
      training = all
      source = "\(test.count) samples of \(path)"
      console.progress("reading \(test.count) samples")
      self.test = try test.samples(threads: Host.processorCount)
    } else {
      let parts = try all.split(validation: plan.holdout, seed: plan.seed)
      training = parts.training
      source = "\(parts.validation.count) samples held back from \(path)"
      console.progress("reading \(parts.validation.count) samples")
      test = try parts.validation.samples(threads: Host.processorCount)
    }
    console.endProgress()
    let labelled = training.labelledCount
    isLabelled = labelled > 0
    if isLabelled {
      training = training.labelled
      test = test.filter { $0.label != nil }
    } else if !Self.givesBack(graph) {
      throw Diagnostic(
        "CMP007",
        "the data have no labels, and the network does not give back what it is fed",
        at: [path],
        remedy: "--labels FILE, or a folder with a folder for each class"
      )
    }
    guard training.count > 0, !test.isEmpty else {
      throw Diagnostic("CMP007", "there are no samples to train on or none to judge by", at: [path])
    }
  }

  private static func open(
    _ path: String,
    labels: String?,
    _ graph: Graph,
    _ arguments: Arguments
  ) throws -> Dataset {
    let classCount =
      givesBack(graph) ? 1 : graph.outputs.first.map { graph[$0].type.shape.dims.last ?? 1 } ?? 1
    return try Dataset.open(
      path: path,
      inputs: dataInputs(graph),
      preprocessing: try Preprocessing.parse(arguments.value("--preprocess") ?? ""),
      labels: labels,
      labelNames: arguments.labelNames(),
      classCount: classCount > 1 ? classCount : nil
    )
  }

  /// Whether the one output has the shape of the one input.
  static func givesBack(_ graph: Graph) -> Bool {
    guard graph.inputs.count == 1, graph.outputs.count == 1 else { return false }
    return graph[graph.inputs[0]].type.shape == graph[graph.outputs[0]].type.shape
  }

  /// How a network does on the samples that are judged by.
  func judge(_ graph: Graph) throws -> OptimizeScore {
    let evaluator = try Evaluator(graph, threads: Host.processorCount)
    var counter = AccuracyCounter()
    var (error, count) = (0.0, 0)
    for sample in test {
      guard let output = try evaluator.run(sample.inputs).first else { continue }
      let scores = output.tensor.floats()
      if let label = sample.label {
        counter.add(scores: scores, label: label)
      } else if let target = sample.inputs.first?.value.floats(), target.count == scores.count {
        for (a, b) in zip(scores, target) { error += Double(a - b) * Double(a - b) }
        count += scores.count
      }
    }
    return isLabelled
      ? .accuracy(counter.top1) : .squaredError(count > 0 ? error / Double(count) : .nan)
  }
}

/// How a network does.
enum OptimizeScore {
  /// How often it is right.
  case accuracy(Proportion)
  /// The mean squared error of what it gives back.
  case squaredError(Double)

  /// The score as tables show it.
  var text: String {
    switch self {
    case .accuracy(let proportion): proportion.fraction.map { Words.percent($0) } ?? "-"
    case .squaredError(let error): Words.significant(error)
    }
  }

  /// The 95 % interval as tables show it.
  var interval: String {
    guard case .accuracy(let proportion) = self else { return "" }
    let interval = proportion.interval
    return
      "\(Words.fixed(interval.lowerBound * 100, 1)) to \(Words.fixed(interval.upperBound * 100, 1))"
  }

  /// The score as JSON.
  var json: JSON {
    switch self {
    case .accuracy(let proportion):
      .object([
        "accuracy": proportion.fraction.map { JSON($0) } ?? .null,
        "samples": JSON(proportion.count),
        "interval": .array([
          JSON(proportion.interval.lowerBound), JSON(proportion.interval.upperBound),
        ]),
      ])
    case .squaredError(let error): .object(["meanSquaredError": JSON(error)])
    }
  }

  /// The column's heading.
  var heading: String {
    if case .accuracy = self { "accuracy" } else { "squared error" }
  }
}
