import AssayBase
import AssayBench
import AssayCatalog
import AssayData
import AssayDetect
import AssayDevice
import AssayExplore
import AssayFormat
import AssayHost
import AssayProfile
import AssayRecord
import AssayReport
import AssayRuntime
import AssayStore
import AssayVerify

/// What the explorer's page can have done: the commands `bench`, `classify` and `detect`.
///
/// Each is a trial of the ledger, and the command line that it could have been: its record says so.
final class PageBench: ExplorerBench {
  let folder: ModelsFolder
  private let store: String?
  private let ledgerWork: PageLedger

  /// - Parameter store: the store of `--store`, if given.
  init(folder: String, store: String?) {
    self.folder = ModelsFolder(path: folder)
    self.store = store
    ledgerWork = PageLedger(url: store ?? defaultStoreURL)
  }

  // MARK: What there is

  func inventory() -> JSON {
    let content = folder.content()
    let runtimes = Catalog.runtimes.filter { $0.id != "null" }.map { runtime in
      var json = JSON.object([
        "id": .string(runtime.id), "formats": .array(runtime.formats.map { .string($0) }),
      ])
      if case .unavailable(let reason, let remedy) = runtime.probe() {
        json["missing"] = .string("\(reason); \(remedy)")
      }
      return json
    }
    func names(_ list: [String]) -> JSON { .array(list.map { .string($0) }) }
    return .object([
      "folder": .string(folder.path), "processors": JSON(Host.processorCount),
      "devices": .array(Self.devices().map { .array([.string($0.word), .string($0.title)]) }),
      "runtimes": .array(runtimes), "providers": names(Provider.allCases.map(\.rawValue)),
      "presets": names(Preset.all.map(\.name)),
      "models": .array(
        content.models.map {
          .object([
            "name": .string($0.name), "format": .string($0.format), "bytes": JSON($0.byteCount),
          ])
        }
      ),
      "pictures": .array(
        content.pictures.map {
          .object(["folder": .string($0.folder), "names": names($0.names)])
        }
      ),
      "detectors": names(content.detectors), "series": names(content.series),
      "labels": names(content.labels),
    ])
  }

  func place(ofUpload name: String) throws -> String { try folder.place(ofUpload: name) }

  func picture(_ name: String) throws -> ByteView {
    guard folder.content().pictures.contains(where: { $0.names.contains(name) }) else {
      throw Diagnostic("EXP005", "there is no picture of this name")
    }
    return try MappedFile(path: folder.path(name)).view
  }

  // MARK: Jobs

  func title(_ request: JSON) throws -> String {
    switch try PageJob(request, folder) {
    case .bench(let job): "\(Host.name(of: job.model)) on \(job.runtime)"
    case .detect(let job): "anomalies in \(Host.name(of: job.series))"
    }
  }

  func enroll(_ request: JSON, title: String) throws -> String {
    switch try PageJob(request, folder) {
    case .bench(let job):
      return try ledgerWork.enroll(request, title: title, bench: words(of: job))
    case .detect(let job):
      let files = [job.detector, job.series].map { folder.path($0) }
      return try ledgerWork.enroll(request, title: title, detect: words(of: job), files: files)
    }
  }

  func withdraw(_ entry: String) { ledgerWork.withdraw(entry) }

  func leftOver() -> [LeftOverJob] { ledgerWork.leftOver() }

  func ledger() -> JSON { ledgerWork.overview() }

  func run(
    _ request: JSON,
    entry: String,
    isWanted: @escaping @Sendable () -> Bool,
    progress: (JobProgress) throws -> Void
  ) throws -> JSON {
    switch try PageJob(request, folder) {
    case .bench(let job): return try bench(job, entry, isWanted, progress)
    case .detect(let job):
      return try ledgerWork.detect(entry, isWanted: isWanted) { try detect(job, progress) }
    }
  }

  private func bench(
    _ job: PageJob.Bench,
    _ entry: String,
    _ isWanted: @escaping @Sendable () -> Bool,
    _ progress: (JobProgress) throws -> Void
  ) throws -> JSON {
    let record = try ledgerWork.measure(entry, bench: words(of: job), isWanted, progress)
    var result = JSON.object([
      "record": .string(record.id), "verdict": .string(record.verdict.rawValue),
      "summary": record.summary.json, "reasons": .array(record.reasons.map(\.json)),
      "model": .string(ExplorerTable.modelName(record)),
    ])
    // Pictures are classified by the runtime of this machine.
    if let pictures = job.pictures, job.device == "local" {
      result["pictures"] = try predictions(job, pictures, progress)
    }
    return result
  }

  /// The words that `assay bench` could have been started with.
  private func words(of job: PageJob.Bench) -> [String] {
    var words = [
      folder.path(job.model), "--runtime", job.runtime, "--provider", job.provider, "--threads",
      "\(job.threads)", "--preset", job.preset,
    ]
    if job.device != "local" { words += ["--device", job.device] }
    if let store { words += ["--store", store] }
    return words
  }

  /// The words that `assay detect` could have been started with.
  private func words(of job: PageJob.Detect) -> [String] {
    var words = [folder.path(job.detector), "--series", folder.path(job.series)]
    if let runtime = job.runtime { words += ["--runtime", runtime] }
    return words
  }

  /// The devices that a job may run on: this machine, and those that can be seen or have a name.
  static func devices() -> [(word: String, title: String)] {
    let others = (try? DeviceBook.read()).map { Catalog.devices($0) } ?? []
    return [("local", "this machine")]
      + others.filter { $0.address != .local && $0.obstacle == nil }.map { listing in
        let word = listing.name ?? listing.address.text
        return (word, listing.note.isEmpty ? word : "\(word), \(listing.note)")
      }
  }

  private func predictions(
    _ job: PageJob.Bench,
    _ pictures: String,
    _ progress: (JobProgress) throws -> Void
  ) throws -> JSON {
    let model = try LoadedModel(
      path: folder.path(job.model),
      runtime: try Catalog.runtime(job.runtime),
      options: SessionOptions(
        provider: Provider(rawValue: job.provider) ?? .cpu,
        threads: job.threads
      )
    )
    let data = try Dataset.open(
      path: folder.path(pictures),
      inputs: model.inputs.map { DataInput(name: $0.name, type: $0.type) },
      preprocessing: try Preprocessing.parse(job.preprocess),
      labelNames: job.labels.map { folder.path($0) }
    )
    var total: Int64 = 0
    var rows: [JSON] = []
    for index in 0..<data.count {
      try progress(JobProgress(done: index, total: data.count, current: data.names[index]))
      let seen = try classify(try data.sample(at: index), model, job.top, 1, data.labelNames)
      total += seen.nanoseconds.reduce(0, +)
      let classes = seen.classes.filter { Double($0.score) >= job.threshold }
      rows.append(
        .object([
          "picture": .string(pictures.isEmpty ? seen.name : "\(pictures)/\(seen.name)"),
          "ns": .integer(seen.nanoseconds.first ?? 0),
          "top": .array(
            classes.map {
              .object(["label": .string($0.label), "score": JSON(Double($0.score))])
            }
          ),
        ])
      )
    }
    return .object(["totalNs": .integer(total), "count": JSON(data.count), "rows": .array(rows)])
  }

  private func detect(
    _ job: PageJob.Detect,
    _ progress: (JobProgress) throws -> Void
  ) throws -> JSON {
    try progress(JobProgress(done: 0, total: 2, current: "running the network on the series"))
    let path = folder.path(job.series)
    let words = words(of: job)
    let arguments = try Arguments(words, spec: detectCommand)
    let source = try DetectorSource(arguments)
    let start = Host.monotonicNanoseconds()
    let result = try detection(path, source, arguments, Self.silent)
    let nanoseconds = Host.monotonicNanoseconds() - start
    try progress(JobProgress(done: 1, total: 2, current: "drawing"))
    return .object([
      "text": .string(detectionText(result, arguments)), "detection": result.json,
      "svg": .string(SeriesDrawing(result, model: source.name).svg),
      "ns": .integer(Int64(clamping: nanoseconds)), "samples": JSON(result.series.count),
      "command": .string(Words.shell(["assay", "detect"] + words)),
    ])
  }

  static var silent: Console {
    var console = Console()
    console.isQuiet = true
    return console
  }

  // MARK: Networks

  func networkPage(_ record: Record, original: Record?) throws -> String {
    let model = try measuredModel(record)
    var drawing = NetworkDrawing(
      model.graph,
      title: Host.name(of: record.model.path),
      version: assayVersion
    )
    drawing.add(record)
    if let original {
      let source = try measuredModel(original)
      let certificate = try Certificate.compare(
        original: source.graph,
        variant: model.graph,
        probes: [Probe.seeded(source.graph, seed: 1, variant: model.graph)],
        threads: Host.processorCount
      )
      var json = certificate.json
      json["original"] = .object(["path": .string(Host.name(of: original.model.path))])
      drawing.add(certificate: json)
    }
    return renderNetwork(drawing, group: 0)
  }

  /// The file of a record, if it still is what was measured.
  private func measuredModel(_ record: Record) throws -> ImportedModel {
    let path = record.model.path
    guard Host.exists(path) else {
      throw Diagnostic("EXP005", "the measured file is not where it was", at: [Host.name(of: path)])
    }
    let model = try importModel(path: path)
    guard try modelHash(path) == record.model.sha256 else {
      throw Diagnostic(
        "EXP005",
        "the file has changed since it was measured",
        at: [Host.name(of: path)]
      )
    }
    return model
  }
}
