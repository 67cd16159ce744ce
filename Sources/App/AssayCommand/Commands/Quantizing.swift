import AssayBase
import AssayData
import AssayGraph
import AssayHost
import AssayQuantize
import AssayTensor

/// Options of commands that quantize, and what they make of them.
enum Quantizing {
  static let recipe = Option(
    "--recipe",
    .value("NAME"),
    "a recipe's name, steps joined by +, or a recipe's .json file (default: float32); see assay recipe"
  )
  static let skip = Option(
    "--skip",
    .repeated("PATTERN"),
    "leave nodes with such names in float32; * stands for any characters"
  )
  static let keepFloat = Option(
    "--keep-float",
    .repeated("OPERATOR"),
    "leave every node with this operator, such as Softmax, in float32"
  )
  static let fallback = Option(
    "--fallback",
    .choice(Recipe.Fallback.allCases.map(\.rawValue)),
    "an operator without an integer kernel: compute it in floats (default), or refuse"
  )
  static let calibration = Option(
    "--calibration",
    .value("METHOD"),
    "how ranges are taken: auto (default: what keeps outputs nearest), minmax, moving_average, percentile[99.99], entropy or mse"
  )
  static let labels = Option(
    "--labels",
    short: "-l",
    .value("FILE"),
    "a CSV with the header file,label"
  )
  static let data = Option(
    "--data",
    .value("PATH"),
    "the labelled data, when --labels is an .npy for arrays"
  )
  static let labelNames = Option(
    "--label-names",
    .value("FILE"),
    "one class name a line, in the model's order"
  )

  /// The options that shape a recipe.
  static let shaping = [recipe, skip, keepFloat, fallback, calibration]
  /// The options that name labelled data.
  static let labelling = [labels, data, labelNames]

  /// A recipe by its name or from its file.
  static func recipe(named word: String) throws -> Recipe {
    guard word.hasSuffix(".json") else { return try Recipe.parse(word) }
    return try read(json: word, Recipe.init(json:))
  }

  /// The recipe of a command line.
  static func recipe(_ arguments: Arguments, default name: String = "float32") throws -> Recipe {
    var recipe = try recipe(named: arguments.value("--recipe") ?? name)
    try recipe.refuseTraining()
    if let word = arguments.value("--calibration") {
      guard let method = CalibrationMethod(name: word) else {
        throw Diagnostic(
          "CLI004",
          "--calibration cannot be '\(word)'",
          remedy: "one of \(CalibrationMethod.names.joined(separator: ", "))"
        )
      }
      recipe.calibration = method
    }
    if let word = arguments.value("--fallback").flatMap(Recipe.Fallback.init) {
      recipe.fallback = word
      try recipe.check()
    }
    recipe.overrides += arguments.all("--skip").map { Override(.nodes($0), .float32) }
    recipe.overrides += arguments.all("--keep-float").map { Override(.op($0), .float32) }
    if recipe.needsCalibration, !arguments.has("--representative") {
      throw Diagnostic(
        "CLI008",
        "\(recipe.name) needs representative data to calibrate on",
        remedy: "--representative PATH: a folder of images, an .npy or .npz, or a list of paths"
      )
    }
    return recipe
  }

  /// A maker of variants that calibrates on `--representative`.
  static func maker(
    _ canonical: Graph,
    _ arguments: Arguments,
    _ console: Console
  ) throws -> VariantMaker {
    let data = try representative(canonical, arguments, limit: "--limit")
    return VariantMaker(
      canonical,
      threads: Host.processorCount,
      feed: data.map { data in { try feed($0, data, console) } }
    )
  }

  /// The data of `--representative`, or `nil` without it.
  static func representative(
    _ graph: Graph,
    _ arguments: Arguments,
    limit: String
  ) throws -> Dataset? {
    guard let path = arguments.value("--representative") else { return nil }
    let data = try Dataset.open(
      path: path,
      inputs: dataInputs(graph),
      preprocessing: try Preprocessing.parse(arguments.value("--preprocess") ?? "")
    )
    return try arguments.integer(limit).map { data.subset($0) } ?? data
  }

  /// Shows data to a calibrator.
  static func feed(_ calibrator: Calibrator, _ data: Dataset, _ console: Console) throws {
    for index in 0..<data.count {
      console.progress("calibrating \(index + 1)/\(data.count)")
      _ = try calibrator.observe(try data.sample(at: index).inputs)
    }
    console.endProgress()
  }

  /// The samples that variants are judged by: labelled ones, or else those of `--representative`.
  ///
  /// - Parameter count: the most samples that are taken.
  static func validation(
    _ canonical: Graph,
    _ arguments: Arguments,
    count: Int,
    _ console: Console
  ) throws -> Validation {
    let inputs = dataInputs(canonical)
    let preprocessing = try Preprocessing.parse(arguments.value("--preprocess") ?? "")
    let set: Dataset
    if let labels = arguments.value("--labels") {
      let names = try arguments.labelNames()
      let classCount =
        canonical.outputs.count == 1 ? canonical[canonical.outputs[0]].type.shape[-1] : nil
      let all =
        if let data = arguments.value("--data") {
          try Dataset.open(
            path: data,
            inputs: inputs,
            preprocessing: preprocessing,
            labels: labels,
            labelNames: names,
            classCount: classCount
          )
        } else {
          try Dataset.labelled(
            csv: labels,
            inputs: inputs,
            preprocessing: preprocessing,
            labelNames: names,
            classCount: classCount
          )
        }
      set = all.labelled.subset(count)
    } else if let data = try representative(canonical, arguments, limit: "--limit") {
      set = data.subset(count)
    } else {
      throw Diagnostic(
        "CLI008",
        "there are no data to judge by",
        remedy: "--labels FILE for accuracy, or --representative PATH for the noise at the outputs"
      )
    }
    console.progress("reading \(set.count) samples")
    let samples = try set.samples(threads: Host.processorCount)
    console.progress("running the network on \(set.count) samples")
    let validation = try Validation(
      canonical,
      samples: samples.map { Validation.Sample(inputs: $0.inputs, label: $0.label) },
      isClassifier: Judgement.isClassifier(canonical),
      threads: Host.processorCount
    )
    console.endProgress()
    return validation
  }
}
