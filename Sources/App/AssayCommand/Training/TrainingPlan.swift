import AssayBase
import AssayData
import AssayHost

/// What the commands that train have in common: where data come from, how long, how fast.
struct TrainingPlan {
  /// Settings that a user may leave out, and a command or preset gives.
  struct Defaults {
    var epochs: Int
    var batch: Int
    var learningRate: Float
    var preprocessing: String
    var validation: Double
  }

  var data: String
  var test: String?
  var folder: String
  var epochs: Int
  var batch: Int
  var learningRate: Float
  var seed: UInt64
  /// The part of the data that is held back.
  var validation: Double
  var augmentation: Augmentation
  var preprocessing: Preprocessing
  /// The preprocessing as it was asked for, which is shorter than its full text.
  var preprocessingWords: String
  var cache: TrainingData.Cache
  var isBalanced: Bool
  var skipsBroken: Bool
  var isRestarted: Bool
  var board: String?
  var patience: Int?
  var threads: Int
  var measuresLatency: Bool

  /// Options of every command that trains a classifier.
  static let options: [Option] = [
    Option(
      "--data",
      .value("PATH"),
      "a folder with a folder of images for each class, a CSV of file,label, or an .npz of x and y"
    ),
    Option("--output", short: "-o", .value("FOLDER"), "gets models, figures, page and state"),
    Option("--labels", short: "-l", .value("FILE"), "labels of --data that has none of its own"),
    Option("--label-names", .value("FILE"), "one class name a line, in the model's order"),
    Option("--test", .value("PATH"), "data for the final table (default: what is held back)"),
    Option("--validation", .value("PART"), "the part of --data that is held back (default: 25%)"),
    Option(
      "--augment",
      .value("LIST"),
      "how pictures are varied: standard, or flip,crop=0.2,… (default: none)"
    ),
    Option("--epochs", .value("N"), "passes over the data"),
    Option("--batch", .value("N"), "samples in a step (default: 64)"),
    Option("--learning-rate", .value("X"), "of Adam"),
    Option("--patience", .value("N"), "stop after N epochs that brought nothing better"),
    Option("--class-weights", .choice(["none", "balanced"]), "whether rare classes weigh more"),
    Option("--seed", .value("N"), "of weights, order and variations (default: 1)"),
    Option("--threads", short: "-t", .value("N"), "that train (default: all processors)"),
    Option(
      "--cache",
      .value("WHERE"),
      "decoded pictures: memory, none, or a folder (default: memory if they fit)"
    ),
    Option("--skip-broken", .flag, "leave out files that cannot be read, and list them"),
    Option("--tensorboard", .value("DIR"), "write event files for TensorBoard too"),
    Option("--no-latency", .flag, "do not measure latency"),
    Option("--restart", .flag, "begin anew, whatever a run before has left in FOLDER"),
  ]

  init(_ arguments: Arguments, _ defaults: Defaults) throws {
    func needed(_ option: String, _ words: String) throws -> String {
      guard let value = arguments.value(option) else {
        throw Diagnostic("CLI005", "\(option) is missing: \(words)")
      }
      return value
    }
    data = try needed("--data", "what to train on")
    folder = try needed("--output", "the folder for models, figures and state")
    test = arguments.value("--test")
    epochs = try arguments.integer("--epochs") ?? defaults.epochs
    batch = try arguments.integer("--batch") ?? defaults.batch
    learningRate =
      try Self.number("--learning-rate", arguments, 1e-9...1e3) ?? defaults.learningRate
    seed = UInt64(try arguments.integer("--seed", minimum: 0) ?? 1)
    let part = arguments.value("--validation").map { TryPlan.fraction($0) } ?? defaults.validation
    guard let part, part > 0, part < 1 else {
      throw Diagnostic("CLI006", "--validation must be between 0 % and 100 %, such as 25%")
    }
    validation = part
    augmentation = try Augmentation(parsing: arguments.value("--augment") ?? "none")
    preprocessingWords = arguments.value("--preprocess") ?? defaults.preprocessing
    preprocessing = try Preprocessing.parse(preprocessingWords)
    cache =
      switch arguments.value("--cache") {
      case nil: .automatic
      case "memory": .memory
      case "none": .none
      case let folder?: .files(folder)
      }
    isBalanced = arguments.value("--class-weights") == "balanced"
    skipsBroken = arguments.has("--skip-broken")
    isRestarted = arguments.has("--restart")
    board = arguments.value("--tensorboard")
    patience = try arguments.integer("--patience")
    threads = try arguments.integer("--threads") ?? Host.processorCount
    measuresLatency = !arguments.has("--no-latency")
  }

  private static func number(
    _ option: String,
    _ arguments: Arguments,
    _ range: ClosedRange<Float>
  ) throws -> Float? {
    guard let text = arguments.value(option) else { return nil }
    guard let value = Float(text), range.contains(value) else {
      throw Diagnostic("CLI006", "\(option) must be a number such as 0.001, not '\(text)'")
    }
    return value
  }

  /// Where the states of a run are kept.
  var stateFolder: String { Host.join(folder, "state") }
  /// Where models are written.
  var modelFolder: String { Host.join(folder, "models") }

  /// Makes the folders, empty of what a run before has left if that is wanted.
  func prepareFolders() throws {
    if isRestarted { try Host.remove(stateFolder) }
    try Host.makeFolders(stateFolder)
    try Host.makeFolders(modelFolder)
  }
}
