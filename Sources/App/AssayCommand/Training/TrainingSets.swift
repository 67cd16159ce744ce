import AssayBase
import AssayData
import AssayHost

/// The data of one training: what trains, what is held back, and what the final table is by.
struct TrainingSets {
  /// What the network is trained on.
  let training: TrainingData
  /// What chooses the best epoch.
  let validation: TrainingData
  /// What the final table is by, if it is not the validation set.
  let test: TrainingData?
  /// The names of the classes.
  let names: [String]
  /// Files that were left out, because they could not be read and that was wanted.
  let skipped: [Diagnostic]

  /// Opens and decodes everything.
  ///
  /// - Parameters:
  ///   - inputs: of the network.
  ///   - classCount: of its output; `nil` when the data tell it.
  init(
    _ plan: TrainingPlan,
    inputs: [DataInput],
    classCount: Int?,
    _ arguments: Arguments,
    _ console: Console
  ) throws {
    func open(_ path: String, labels: String?) throws -> Dataset {
      let set = try Dataset.open(
        path: path,
        inputs: inputs,
        preprocessing: plan.preprocessing,
        labels: labels,
        labelNames: arguments.labelNames(),
        classCount: classCount
      )
      try set.requireEveryClass()
      return set
    }
    let all = try open(plan.data, labels: arguments.value("--labels"))
    let test = try plan.test.map { try open($0, labels: nil) }
    if let test, test.labelNames != all.labelNames {
      throw Diagnostic(
        "TRN042",
        "the classes \(test.labelNames.joined(separator: ", ")) are not those of the training data, "
          + all.labelNames.joined(separator: ", "),
        at: [test.path],
        remedy: "name the folders alike"
      )
    }
    var skipped: [Diagnostic] = []
    func decode(_ set: Dataset, _ word: String, _ augmentation: Augmentation) throws -> TrainingData
    {
      let data = try TrainingData(
        set,
        augmentation: augmentation,
        cache: plan.cache,
        skipsBroken: plan.skipsBroken,
        threads: Host.processorCount,
        progress: { done, count in console.progress("reading \(word) \(done)/\(count)") }
      )
      console.endProgress()
      skipped += data.skipped
      return data
    }
    let parts = try all.split(validation: plan.validation, seed: plan.seed)
    training = try decode(parts.training, "training data", plan.augmentation)
    validation = try decode(parts.validation, "validation data", .none)
    self.test = try test.map { try decode($0, "test data", .none) }
    names = all.labelNames
    self.skipped = skipped
    for finding in skipped { console.report(finding) }
  }

  /// What the final table is by.
  var judging: TrainingData { test ?? validation }

  /// The sets in words.
  var summary: String {
    var text =
      "\(Text.count(training.count)) samples to train on, \(Text.count(validation.count)) held back"
    if let test { text += ", \(Text.count(test.count)) to test" }
    let counts = names.indices.map { index in
      "\(names[index]) \(training.labels.count { $0 == index })"
    }
    return text + (names.isEmpty ? "" : " (training: \(counts.joined(separator: ", ")))")
  }
}
