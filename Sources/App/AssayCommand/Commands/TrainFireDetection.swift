import AssayBase
import AssayData
import AssayGraph
import AssayHost
import AssayModels
import AssayQuantize
import AssayTensor
import AssayTrain

let trainFireDetectionCommand = CommandSpec(
  name: "train fire-detection",
  summary: "train a classifier of fire on pictures, and compare its variants",
  discussion: """
    Trains FireDetectionNet (2,123,813 parameters) on folders of pictures, then makes five variants of it
    (float32, dynamic_int8, float16, cluster8+dynamic_int8, prune50+dynamic_int8, the last two
    fine-tuned) and ends with one table: accuracy of each written file with its interval, size, deflated
    size and latency. Any classes will do, not only fire. A run that was killed goes on where it was when
    the same command is given again. Preset full trains as published, 50 epochs of Adam at 0.0001, 5
    more for clusters and 20 for pruning; fast is for a first look.
    """,
  options: TrainingPlan.options + [
    Option("--preset", .choice(["fast", "full"]), "how long to train (default: full)"),
    Option("--size", .value("PIXELS"), "extents that pictures are brought to (default: 128)"),
    Option("--variants", .value("LIST"), "other recipes with commas, such as qat+static_int8"),
  ],
  examples: [
    ("assay data fire-scenes -o scenes", "synthetic pictures, for a try"),
    ("assay train fire-detection --data scenes -o fire --preset fast", "a first look"),
    ("assay train fire-detection --data photos/ -o fire --augment standard", "photographs"),
  ]
) { arguments, console in
  let start = Host.monotonicNanoseconds()
  let isFast = arguments.value("--preset") == "fast"
  let plan = try TrainingPlan(
    arguments,
    TrainingPlan.Defaults(
      epochs: isFast ? 8 : 50,
      batch: 64,
      learningRate: isFast ? 1e-3 : 1e-4,
      preprocessing: "scale=1/255",
      validation: 0.25
    )
  )
  let side = try arguments.integer("--size", minimum: 16) ?? 128
  guard side % 8 == 0, side <= 1024 else {
    throw Diagnostic("CLI006", "--size must be a multiple of 8 and at most 1024, not \(side)")
  }
  let list =
    arguments.words("--variants") ?? [
      "float32", "dynamic_int8", "float16", "cluster8+dynamic_int8", "prune50+dynamic_int8",
    ]
  let recipes = try fireRecipes(list)
  try plan.prepareFolders()
  let input = DataInput(name: "image", type: TensorType(.float32, [1, side, side, 3]))
  let sets = try TrainingSets(plan, inputs: [input], classCount: nil, arguments, console)
  var network = try Network.fireDetectionNet(
    side: side,
    classes: max(sets.names.count, 2),
    seed: plan.seed
  )
  // Few steps must be enough for the moving averages.
  if isFast { network.momenta = network.momenta.mapValues { _ in 0.9 } }
  console.note(sets.summary)
  var log = try TrainingLog(
    folder: plan.folder,
    board: plan.board,
    isContinued: !plan.isRestarted
  )
  var training = TrainingRun(plan: plan, loss: .binaryCrossEntropy)
  training.momenta = network.momenta
  let run = try training.run(try network.trainingGraph(), sets, &log, console)
  let shop = VariantShop(
    plan: plan,
    sets: sets,
    tuning: VariantShop.Tuning(
      clusterEpochs: isFast ? 4 : 5,
      pruneEpochs: isFast ? 10 : 20,
      quantizeEpochs: isFast ? 2 : 5,
      learningRate: isFast ? 3e-4 : 1e-5,
      pruneRate: isFast ? 8e-4 : 1e-4
    ),
    loss: .binaryCrossEntropy,
    trainingGraph: run.graph,
    stem: "fire-detection",
    console: console
  )
  var variants = try shop.make(recipes, of: network.graph.takingConstants(of: run.graph), &log)
  try shop.measure(&variants)
  let isSynthetic = Host.exists(Host.join(plan.data, "ABOUT.txt"))
  let result = TrainingResult(
    name: network.graph.name,
    plan: plan,
    sets: sets,
    run: run,
    variants: variants,
    history: log.history,
    facts: [
      "\(Text.count(network.parameterCount)) parameters",
      "\(Text.count(network.graph.cost.macs)) multiply-accumulates",
      "\(sets.names.joined(separator: ", "))",
    ],
    cautions: isSynthetic
      ? ["the pictures are synthetic: this network knows nothing of real fires"] : [],
    seconds: Double(Host.monotonicNanoseconds() - start) / 1e9
  )
  try result.write()
  try console.result(result.json, text: result.text)
  return .done
}

/// The recipes of a list, float32 first.
private func fireRecipes(_ names: [String]) throws -> [Recipe] {
  let recipes = try names.map { try Quantizing.recipe(named: $0) }
  if recipes.first?.name == "float32" { return recipes }
  return [try Quantizing.recipe(named: "float32")] + recipes
}
