import AssayBase
import AssayCatalog
import AssayData
import AssayHost
import AssayQuantize

/// What one `assay optimize` is to do, from its command line.
struct OptimizePlan {
  /// One variant and the files that it goes to.
  struct Wish {
    var recipe: Recipe
    var files: [String]
  }

  /// The model's path.
  var model: String
  /// The variants, in the order of the table.
  var wishes: [Wish]
  /// Epochs of training for each step of a recipe that trains; none for a change at once.
  var epochs: Int
  /// Samples in a step of the optimizer.
  var batch: Int
  /// The greatest learning rate.
  var learningRate: Float
  /// Of all draws.
  var seed: UInt64
  /// How much of the data is held back where there is no `--test`.
  var holdout: Double
  /// How pictures are varied while the network trains.
  var augmentation: Augmentation

  init(_ arguments: Arguments) throws {
    model = arguments.operands[0]
    epochs = try arguments.integer("--epochs", minimum: 0) ?? 0
    batch = try arguments.integer("--batch") ?? 32
    seed = UInt64(try arguments.integer("--seed", minimum: 0) ?? 1)
    let rate = arguments.value("--learning-rate") ?? "0.001"
    guard let number = Float(rate), number > 0, number.isFinite else {
      throw Diagnostic("CLI006", "--learning-rate is a number above 0, not '\(rate)'")
    }
    learningRate = number
    augmentation = try Augmentation(parsing: arguments.value("--augment") ?? "none")
    let part = arguments.value("--holdout") ?? "20%"
    guard let value = TryPlan.fraction(part), value > 0, value < 1 else {
      throw Diagnostic("CLI006", "--holdout is a part such as 20%, not '\(part)'")
    }
    holdout = value
    let names = arguments.all("--recipe")
    guard !names.isEmpty else {
      throw Diagnostic(
        "CLI005",
        "--recipe is missing: what to do with the network",
        remedy: "such as \(RecipeStep.examples.joined(separator: ", ")), joined by +"
      )
    }
    let recipes = try names.map { try Self.recipe($0, arguments) }
    wishes = try zip(recipes, Self.files(recipes, model, arguments)).map(Wish.init)
    for recipe in recipes where recipe.isQuantizationAware && epochs == 0 {
      throw Diagnostic(
        "CMP006",
        "'\(recipe.name)' trains, and --epochs is missing",
        remedy: "--epochs N; or static_int8 with assay convert, which needs no training"
      )
    }
  }

  /// A recipe with what the command line says of all its steps.
  private static func recipe(_ name: String, _ arguments: Arguments) throws -> Recipe {
    var recipe = try Quantizing.recipe(named: name)
    guard !recipe.training.isEmpty else {
      throw Diagnostic(
        "CMP003",
        "'\(recipe.name)' has no step that changes weights",
        remedy:
          "assay convert makes it; here steps are \(RecipeStep.examples.joined(separator: ", "))"
      )
    }
    recipe.training = try recipe.training.map { try shaped($0, arguments) }
    return recipe
  }

  private static func shaped(_ step: RecipeStep, _ arguments: Arguments) throws -> RecipeStep {
    func rule(_ given: LayerRule) -> LayerRule {
      var rule = given
      rule.nodes += arguments.all("--only")
      rule.except += arguments.all("--spare")
      rule.sparesFirst = rule.sparesFirst || arguments.has("--spare-first")
      rule.sparesLast = rule.sparesLast || arguments.has("--spare-last")
      return rule
    }
    switch step {
    case .prune(var pruning):
      pruning.layers = rule(pruning.layers)
      if arguments.value("--schedule") == "constant" { pruning.schedule.kind = .constant }
      if let begin = try moment("--begin", arguments) { pruning.schedule.begin = begin }
      if let end = try moment("--end", arguments) { pruning.schedule.end = end }
      if let frequency = try arguments.integer("--frequency") {
        pruning.schedule.frequency = frequency
      }
      return .prune(pruning)
    case .cluster(var clustering):
      clustering.layers = rule(clustering.layers)
      return .cluster(clustering)
    case .quantizationAware: return step
    }
  }

  private static func moment(_ option: String, _ arguments: Arguments) throws -> Moment? {
    guard let text = arguments.value(option) else { return nil }
    guard let moment = Moment(text: text) else {
      throw Diagnostic(
        "CLI006",
        "\(option) is a step such as 500 or a part of all such as 40%, not '\(text)'"
      )
    }
    return moment
  }

  /// The files of each recipe: all of them for a lone recipe, one for each of several, or a folder.
  private static func files(
    _ recipes: [Recipe],
    _ model: String,
    _ arguments: Arguments
  ) throws -> [[String]] {
    let given = arguments.all("--output")
    guard let first = given.first else {
      throw Diagnostic(
        "CLI005",
        "--output is missing: the file to write, or a folder",
        remedy: "-o model.tflite"
      )
    }
    func isFolder(_ path: String) -> Bool {
      path.hasSuffix("/") || Host.kind(of: path) == .folder && (try? modelFile(path)) == nil
    }
    func files(_ path: String, _ recipe: Recipe) throws -> String {
      guard isFolder(path) else {
        _ = try exportFormat(for: path)
        return path
      }
      return Host.join(path, "\(Shared.stem(model))-\(recipe.name).tflite")
    }
    if recipes.count == 1 { return [try given.map { try files($0, recipes[0]) }] }
    if given.count == 1, isFolder(first) { return try recipes.map { [try files(first, $0)] } }
    guard given.count == recipes.count else {
      throw Diagnostic(
        "CLI005",
        "there are \(recipes.count) recipes and \(given.count) outputs",
        remedy: "one -o for each --recipe, or -o FOLDER/ for all"
      )
    }
    return try zip(given, recipes).map { [try files($0, $1)] }
  }
}
