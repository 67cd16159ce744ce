import AssayAccuracy
import AssayBase
import AssayCatalog
import AssayData
import AssayDevice
import AssayHost
import AssayJobs
import AssayRemote
import AssayRuntime
import AssaySets
import AssayStore
import AssayTensor
import AssayVision
import Synchronization

let evaluateWorkerCommand = CommandSpec(
  name: "evaluate-worker",
  summary: "evaluate shares of a set (started by assay itself)",
  operands: [
    Operand(word: "PLAN", help: "the evaluation's plan"),
    Operand(word: "STORE", help: "the store with its ledger"),
  ],
  isHidden: true
) { arguments, _ in
  let path = arguments.operands[0]
  let plan = try locating(path) {
    try EvaluationPlan(json: JSON(parsing: MappedFile(path: path).view.array))
  }
  // A job of Slurm has no parent of ours.
  if Host.environment("SLURM_JOB_ID") == nil { _ = Host.dieWithParent(Host.parentProcessID) }
  let store = try openStore(arguments.operands[1])
  let set = try LabelledSet(folder: plan.set)
  let ledger = EvaluationLedger(store: store, plan: plan, itemCount: set.items.count)
  let shares = EvaluationShares(ledger, batch: EvaluationWorker.batch)
  do {
    let worker = try EvaluationWorker(plan, set, store: store)
    defer { worker.session?.close() }
    try worker.run(shares)
  } catch {
    let faults: [Diagnostic] =
      switch error {
      case let one as Diagnostic: [one]
      case let many as Diagnostics: many.all
      default: [Diagnostic("EVA002", "the evaluation failed", cause: "\(error)")]
      }
    try shares.fail(faults)
    return .finding
  }
  return .done
}

// Safe because: only one thread at a time uses what it holds.
/// Something that is handed to a thread and not used by others meanwhile.
private struct Handed<Value>: @unchecked Sendable {
  var value: Value
}

/// Runs a share of a set through a runtime in this process.
struct EvaluationWorker {
  /// Items that are decoded while as many are run.
  static let batch = 8

  let plan: EvaluationPlan
  let set: LabelledSet
  let model: LoadedModel
  let preprocessing: Preprocessing
  let prepared: PreparedPictures?
  let pieces: WordPiece?
  /// The device that computes; it is left when this is over.
  let session: DeviceSession?

  /// - Parameter store: the store by whose ledger a device is this job's alone.
  init(_ plan: EvaluationPlan, _ set: LabelledSet, store: any Store) throws {
    self.plan = plan
    self.set = set
    guard set.sha256 == plan.setHash, try contentHash(plan.model) == plan.sha256 else {
      throw Diagnostic(
        "EVA003",
        "the model or the set has changed since the evaluation began",
        at: [plan.model],
        remedy: "start it again"
      )
    }
    session = try plan.device.map { word in
      let (device, settings) = try Catalog.device(word, DeviceBook.read())
      let lease = try DeviceLease.take(["device " + device.address.text], in: store)
      let session = try DeviceSession(device, settings)
      session.whenClosed { lease.release() }
      session.lease = { lease.renew() }
      return session
    }
    let provider = Provider(rawValue: plan.provider) ?? .cpu
    model = try LoadedModel(
      path: plan.model,
      runtime: placed(Catalog.runtime(plan.runtime), on: session, provider: provider),
      options: SessionOptions(provider: provider, threads: plan.threads),
      isIsolated: false
    )
    preprocessing = try Preprocessing.parse(plan.preprocess)
    pieces = try plan.vocabulary.map {
      try WordPiece(vocabulary: textLines($0), isUncased: plan.isUncased)
    }
    prepared =
      set.task == .text
      ? nil
      : PreparedPictures(
        setFolder: plan.set,
        set: set,
        preprocessing: preprocessing,
        input: model.inputs[0].type
      )
    if set.task == .text, pieces == nil {
      throw Diagnostic(
        "EVA004",
        "texts need the vocabulary that the network was trained with",
        remedy: "--vocabulary vocab.txt"
      )
    }
  }

  /// Evaluates shares until none is left.
  func run(_ shares: EvaluationShares) throws {
    var batch = try fed(shares.next())
    var finished: [(Int, Outcome)] = []
    while !batch.isEmpty {
      session?.lease?()
      // While this batch runs, what came out of the last one is kept and the next one is decoded.
      let here = Handed(value: (self, shares, batch, finished))
      let results = Mutex<Result<[(Int, Outcome)], any Error>?>(nil)
      let decoded = Mutex<Result<[(Int, [String: Tensor])], any Error>?>(nil)
      Host.forEach(below: 2, threads: 2) { side in
        let (worker, shares, batch, finished) = here.value
        if side == 0 {
          let made = Result { try batch.map { ($0.0, try worker.outcome($0.0, $0.1)) } }
          results.withLock { $0 = made }
        } else {
          let made = Result {
            try shares.note(finished)
            return try worker.fed(shares.next())
          }
          decoded.withLock { $0 = made }
        }
      }
      finished = try results.withLock { try $0?.get() ?? [] }
      batch = try decoded.withLock { try $0?.get() ?? [] }
    }
    try shares.note(finished)
  }

  private func fed(_ items: [Int]) throws -> [(Int, [String: Tensor])] {
    try items.map { ($0, try input($0)) }
  }

  private func input(_ index: Int) throws -> [String: Tensor] {
    let item = set.items[index]
    if let text = item.text, let pieces { return try textInput(text, pieces) }
    let input = model.inputs[0]
    if let prepared {
      return [input.name: try prepared.input(at: index, preprocessing, for: input.type)]
    }
    let image = try item.picture(isOriented: preprocessing.isOriented)
    return try locating(item.path) {
      guard preprocessing.filter.isRounded else {
        return [input.name: try preprocessing.tensor(image, for: input.type)]
      }
      let levels = try preprocessing.levels(image, for: input.type)
      return [input.name: try preprocessing.input(levels: levels, for: input.type)]
    }
  }

  /// Numbers of pieces for the input that has neither mask nor segment in its name.
  private func textInput(_ text: String, _ pieces: WordPiece) throws -> [String: Tensor] {
    var given: [String: Tensor] = [:]
    for (name, type) in model.inputs {
      guard let length = type.shape.dims.last, length > 0 else {
        throw Diagnostic("EVA005", "the input '\(name)' has no fixed length", remedy: "--shape")
      }
      let encoded = try pieces.encoded(text, length: length)
      let lower = name.lowercased()
      let values =
        lower.contains("mask")
        ? encoded.mask
        : lower.contains("segment") || lower.contains("type") ? encoded.segments : encoded.numbers
      let shape = Shape(type.shape.dims.map { $0 < 0 ? 1 : $0 })
      let tensor = Tensor(values.map { Float($0) }, shape)
      given[name] = tensor.converted(to: type.dtype) ?? tensor
    }
    return given
  }

  private func outcome(_ index: Int, _ inputs: [String: Tensor]) throws -> Outcome {
    let item = set.items[index]
    let outputs = try model.run(inputs).map { Output(name: $0.name, tensor: $0.tensor) }
    switch set.task {
    case .classes, .text:
      guard let scores = outputs.first?.values, let label = item.label else {
        throw Diagnostic("EVA006", "there is no output or no label", at: [item.name])
      }
      return .label(ClassOutcome(scores: scores, label: label + plan.labelOffset))
    case .objects:
      let reading = try read(outputs, item, Suppression.judging)
      guard case .objects(let found) = reading else {
        throw Diagnostic("EVA007", "the network finds no objects, but the set is of objects")
      }
      return .objects(
        found.compactMap { find in
          guard plan.detectorClasses > 0 else { return find }
          var mapped = find
          guard let category = LabelMaps.cocoIndex(find.category, of: plan.detectorClasses) else {
            return nil
          }
          mapped.category = category
          return mapped
        }
      )
    case .regions:
      guard case .regions(_, _, let classes) = try read(outputs, item, Suppression()),
        let path = item.regions
      else { throw Diagnostic("EVA007", "the network tells no regions, but the set is of regions") }
      let truth = try locating(path) {
        try SetSource.regions(
          Image.read(path: path, isOriented: false),
          classCount: set.classes.count
        )
      }
      guard truth.count == classes.count else {
        throw Diagnostic("DST010", "the regions are not of the picture's extents", at: [path])
      }
      return .regions(
        RegionScore.Counts(found: classes, truth: truth, classCount: set.classes.count)
      )
    }
  }

  private func read(
    _ outputs: [Output],
    _ item: LabelledSet.Item,
    _ suppression: Suppression
  ) throws -> Reading {
    guard let head = plan.head ?? Head.guess(outputs) else { throw unknownHead(outputs) }
    let place = try preprocessing.placement(
      width: item.width,
      height: item.height,
      for: model.inputs[0].type
    )
    let framing = Framing(place, width: item.width, height: item.height)
    return try head.read(outputs, framing: framing, suppression: suppression)
  }
}

/// The diagnostic of outputs that no head is known for.
func unknownHead(_ outputs: [Output]) -> Diagnostic {
  Diagnostic(
    "VIS002",
    "how outputs of "
      + outputs.map { "'\($0.name)' \($0.extents)" }.joined(separator: ", ")
      + " are to be read cannot be told",
    remedy: "--head " + Head.allCases.map(\.rawValue).joined(separator: "|")
  )
}

/// A text file's lines.
func textLines(_ path: String) throws -> [String] {
  guard let text = try MappedFile(path: path).view.utf8 else {
    throw Diagnostic("DAT025", "the file is not text (UTF-8)", at: [path])
  }
  return text.split(omittingEmptySubsequences: true, whereSeparator: \.isNewline).map { String($0) }
}
