import AssayBase
import AssayCatalog
import AssayData
import AssayGraph
import AssayHost
import AssayQuantize
import AssayTensor
import AssayTrain

let trainCommand = CommandSpec(
  name: "train",
  summary: "train an imported classifier on, all of it or its last layers",
  discussion: """
    Fine-tunes a classifier in any format that is read, on labelled data with the classes of its output,
    and writes it with the variants of --recipes, each judged by its accuracy. Batch normalizations and
    dropouts that the file still has work as in training; a file for inference has them folded away.
    --freeze leaves layers as they are, by name (* stands for any characters); --last trains only the
    last layers that have weights. A run that was killed goes on where it was when the same command is
    given again. Networks that are known by name have commands of their own: see assay help train.
    """,
  operands: [Operand(word: "MODEL", help: "a float classifier in any format that is read")],
  options: TrainingPlan.options + [
    Shared.preprocess,
    Option("--freeze", .repeated("PATTERN"), "leave layers with such names as they are"),
    Option("--last", .value("N"), "train only the last N layers that have weights"),
    Option("--recipes", .value("LIST"), "variants (default: float32,dynamic_int8,float16)"),
    Option(
      "--tune-epochs",
      .value("N"),
      "passes for each step of a recipe that trains (default: a fifth of --epochs)"
    ),
  ] + Shared.importing,
  examples: [
    (
      "assay train model.h5 --data photos/ -o tuned --last 1 -p scale=1/255 --epochs 5",
      "the last layer for my own photographs"
    )
  ]
) { arguments, console in
  let start = Host.monotonicNanoseconds()
  let plan = try TrainingPlan(
    arguments,
    TrainingPlan.Defaults(
      epochs: 10,
      batch: 64,
      learningRate: 1e-4,
      preprocessing: "",
      validation: 0.25
    )
  )
  let recipes = try (arguments.words("--recipes") ?? ["float32", "dynamic_int8", "float16"])
    .map { try Quantizing.recipe(named: $0) }
  let path = arguments.operands[0]
  let model = try Shared.model(path, arguments, console)
  let target = try TrainingTarget(model.graph)
  try plan.prepareFolders()
  let sets = try TrainingSets(
    plan,
    inputs: dataInputs(model.graph),
    classCount: target.classCount,
    arguments,
    console
  )
  let frozen = try FrozenLayers(model.graph, arguments)
  console.note(sets.summary)
  console.note(frozen.summary)
  var log = try TrainingLog(folder: plan.folder, board: plan.board, isContinued: !plan.isRestarted)
  var training = TrainingRun(plan: plan, loss: target.loss)
  training.isTrainable = { _, node in !frozen.names.contains(node.name) }
  training.freezesNormalization = frozen.freezesNormalization
  let run = try training.run(target.graph, sets, &log, console)
  let epochs = try arguments.integer("--tune-epochs") ?? max(1, plan.epochs / 5)
  let shop = VariantShop(
    plan: plan,
    sets: sets,
    tuning: VariantShop.Tuning(
      clusterEpochs: epochs,
      pruneEpochs: epochs,
      quantizeEpochs: epochs,
      learningRate: plan.learningRate / 10,
      pruneRate: plan.learningRate
    ),
    loss: target.loss,
    trainingGraph: nil,
    stem: Shared.stem(path),
    console: console
  )
  var variants = try shop.make(recipes, of: model.graph.takingConstants(of: run.graph), &log)
  try shop.measure(&variants)
  let result = TrainingResult(
    name: Shared.stem(path),
    plan: plan,
    sets: sets,
    run: run,
    variants: variants,
    history: log.history,
    facts: ["\(Text.count(model.graph.parameterCount)) parameters", frozen.summary],
    cautions: [],
    seconds: Double(Host.monotonicNanoseconds() - start) / 1e9
  )
  try result.write()
  try console.result(result.json, text: result.text)
  return .done
}

/// What of an imported classifier is trained, and by which loss.
private struct TrainingTarget {
  /// The graph that is trained: with a softmax where the classifier gives bare scores.
  let graph: Graph
  let loss: Loss
  /// Classes of the output.
  let classCount: Int

  init(_ graph: Graph) throws {
    guard graph.outputs.count == 1, let output = graph.outputs.first else {
      throw Diagnostic(
        "TRN043",
        "the network has \(graph.outputs.count) outputs, and a classifier has one",
        remedy: "choose one with --output-nodes"
      )
    }
    if let value = graph.values.first(where: { $0.type.quantization != nil }) {
      throw Diagnostic(
        "TRN043",
        "the network is quantized already",
        at: ["value '\(value.name)'"],
        remedy: "start from the float network"
      )
    }
    let shape = graph[output].type.shape
    guard shape.rank >= 1, shape.dims.dropFirst().dropLast().allSatisfy({ $0 == 1 }), shape[-1] > 0
    else {
      throw Diagnostic("TRN043", "the output of \(shape) is no score for each class")
    }
    classCount = shape[-1]
    let producers = graph.producers()
    let last = producers[output].map { graph.nodes[$0].op }
    var trained = graph
    switch last {
    case is Softmax: loss = .categoricalCrossEntropy
    case let unary as Unary where unary.kind == .sigmoid: loss = .binaryCrossEntropy
    default:
      let op: any Operator = classCount > 1 ? Softmax() : Unary(.sigmoid)
      loss = classCount > 1 ? .categoricalCrossEntropy : .binaryCrossEntropy
      trained.outputs = try trained.addNode("training scores", op, [output])
    }
    self.graph = trained
  }
}

/// The layers that are not trained.
private struct FrozenLayers {
  /// The names of their nodes.
  let names: Set<String>
  /// Whether no batch normalization is trained; its averages must not move then.
  let freezesNormalization: Bool
  /// What is trained, in words.
  let summary: String

  init(_ graph: Graph, _ arguments: Arguments) throws {
    let layers = graph.nodes.filter { node in
      node.inputs.dropFirst().contains { $0.map { graph[$0].constant != nil } ?? false }
        && graph.nodeHasWeights(node)
    }
    var frozen: Set<String> = []
    for pattern in arguments.all("--freeze") {
      var rule = LayerRule()
      rule.nodes = [pattern]
      let meant = graph.nodes.filter {
        rule.matches(name: $0.name, op: $0.op.name, among: [$0.op.name])
      }
      guard !meant.isEmpty else {
        throw Diagnostic(
          "TRN044",
          "no layer has a name like '\(pattern)'",
          remedy: nearest(to: pattern, among: layers.map(\.name)).map { "did you mean '\($0)'?" }
            ?? "see the names with assay inspect"
        )
      }
      frozen.formUnion(meant.map(\.name))
    }
    if let count = try arguments.integer("--last") {
      let first = layers.suffix(count).first?.name
      frozen.formUnion(graph.nodes.prefix { $0.name != first }.map(\.name))
    }
    let trained = layers.filter { !frozen.contains($0.name) }
    guard !trained.isEmpty else {
      throw Diagnostic("TRN044", "every layer is frozen", remedy: "freeze fewer")
    }
    names = frozen
    freezesNormalization = graph.nodes.allSatisfy {
      !($0.op is BatchNorm) || frozen.contains($0.name)
    }
    summary =
      frozen.isEmpty
      ? "all \(layers.count) layers with weights are trained"
      : "\(trained.count) of \(layers.count) layers with weights are trained: "
        + trained.prefix(3).map(\.name).joined(separator: ", ") + (trained.count > 3 ? ", …" : "")
  }
}

extension Graph {
  /// Whether a node is a layer with weights as people count them: not a lone addition of a constant.
  fileprivate func nodeHasWeights(_ node: Node) -> Bool {
    ["Conv2D", "DepthwiseConv2D", "FullyConnected", "TransposeConv2D", "MatMul", "Recurrent"]
      .contains(node.op.name) || node.op is BatchNorm
  }
}
