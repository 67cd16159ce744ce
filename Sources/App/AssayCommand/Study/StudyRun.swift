import AssayBase
import AssayBench
import AssayCatalog
import AssayDevice
import AssayFormat
import AssayHost
import AssayMachine
import AssayRecord
import AssayRemote
import AssayReport
import AssayRuntime
import AssayStore

/// One setting of a study, before it is measured.
struct StudySetting {
  var label: String
  var value: Int
  var items = 1
  /// What is measured; `nil` when it cannot be, for this reason.
  var configuration: Configuration?
  var reason: String?
}

/// Options that every study has.
let studyOptions: [Option] = [
  Shared.runtime, Shared.provider, Shared.device, Shared.preset, Shared.preflight, Shared.store,
  Option("--seed", .value("N"), "seed of the order of turns (default: 1)"),
  Option("--html", .value("FILE"), "write the plot and the figures as a page"),
  Option("--svg", .value("FILE"), "write the plot as a drawing"),
  Option("--png", .value("FILE"), "write the plot as a picture"),
]

/// What a study begins with: the model, the runtime, a place for files.
struct StudyBase {
  let path: String
  let runtime: any InferenceRuntime
  let format: any ModelFormat
  let options: SessionOptions
  let scratch: Scratch
  /// The device that measures, to be left when the study is over; `nil` for this machine.
  let session: DeviceSession?

  init(_ arguments: Arguments, scratch: Scratch, _ console: Console) throws {
    path = arguments.operands[0]
    runtime = try chosenRuntime(arguments, model: path, mustBeHere: isLocal(arguments))
    if isLocal(arguments), case .unavailable(let reason, let remedy) = runtime.probe() {
      throw Diagnostic("HST030", "\(runtime.id) cannot be used: \(reason)", remedy: remedy)
    }
    format = try AssayCatalog.format(ofModel: path)
    options = SessionOptions(
      provider: arguments.value("--provider").flatMap(Provider.init) ?? .cpu
    )
    self.scratch = scratch
    session = try deviceSession(arguments, console)
  }

  /// What is known of the machine that measures.
  func conditions() throws -> Conditions {
    guard let session else { return Conditions() }
    guard let conditions = session.facts.conditions, !conditions.allowed.isEmpty else {
      throw Diagnostic(
        "CLI013",
        "the device does not tell which processors it has",
        at: [session.name],
        remedy: "name them: --counts 1,2,4 of threads, --sets '0-1;2-3' of processors"
      )
    }
    return conditions
  }

  func configuration(_ variant: String, threads: Int, file: String? = nil) throws -> Configuration {
    var configuration = Configuration(
      model: try Record.Model(file: file ?? path),
      artefact: format.id,
      variant: variant,
      runtime: runtime.id,
      provider: options.provider,
      threads: threads
    )
    configuration.device = session?.name ?? "local"
    return configuration
  }
}

/// Measures the settings in turns and tells what came out.
func runStudy(
  _ subject: Study.Subject,
  _ settings: [StudySetting],
  _ base: StudyBase,
  notes: [String],
  _ arguments: Arguments,
  _ console: Console
) throws -> ExitStatus {
  let configurations = settings.compactMap(\.configuration)
  guard configurations.count > 1 else {
    throw Diagnostic(
      "CLI013",
      "a study needs two settings at least",
      remedy: settings.compactMap(\.reason).first ?? "give more with commas"
    )
  }
  var comparison = try comparison(arguments, folder: base.scratch.path)
  comparison.profiledRuns = 0
  let threads = configurations.map(\.threads).max() ?? 1
  if let session = base.session {
    comparison.place(on: session)
  } else {
    comparison.watchers.append(try conditionsWatcher(arguments, threads: threads, console))
  }
  let measured = try comparison.run(configurations, progress: { show($0, console) })
  console.endProgress()
  try openStore(storeURL(arguments)).append(measured.map(\.record))
  var rest = measured.map(\.record)[...]
  var points: [Study.Point] = []
  var records: [Record] = []
  for setting in settings {
    guard setting.configuration != nil, let record = rest.popFirst() else {
      points.append(point(setting, nil))
      continue
    }
    records.append(record)
    points.append(point(setting, record))
  }
  let version = records.first?.version ?? ""
  let study = Study(
    subject: subject,
    title: "\(Host.name(of: base.path)) on \(base.runtime.id) \(version)"
      + (base.session.map { ", \($0.name)" } ?? ""),
    points: points,
    notes: notes
  )
  try write(study, arguments)
  var json = study.json
  json["records"] = .array(records.map(\.json))
  try console.result(json, text: studyText(study, records))
  return points.allSatisfy { $0.isValid || $0.median == nil } ? .done : .finding
}

private func point(_ setting: StudySetting, _ record: Record?) -> Study.Point {
  let error = record?.reasons.first { $0.severity == .error }
  let p50 = record?.summary.p50.value
  return Study.Point(
    label: setting.label,
    value: setting.value,
    median: p50.map { Double($0.value) },
    interval: p50?.interval.value.map { Double($0.lowerBound)...Double($0.upperBound) },
    items: setting.items,
    isValid: record?.verdict == .valid,
    reason: setting.reason ?? error.map { "\($0.code): \($0.summary)" }
  )
}

private func write(_ study: Study, _ arguments: Arguments) throws {
  if let file = arguments.value("--svg") { try AtomicFile.write(study.svg, to: file) }
  if let file = arguments.value("--png") { try AtomicFile.write(try study.png(), to: file) }
  if let file = arguments.value("--html") {
    try AtomicFile.write(study.page(version: assayVersion), to: file)
  }
}

/// The answer, the table, then every remark once.
func studyText(_ study: Study, _ records: [Record]) -> String {
  var text = "\(study.answer)\n\(study.title)\n\n"
  let rows = study.points.indices.map { index in
    let point = study.points[index]
    return [point.label] + study.cells(index) + [point.isValid ? "" : point.reason ?? "INVALID"]
  }
  text += Text.table(Study.heads(study.subject) + [""], rows, numeric: [1, 2, 3, 4, 5])
  for note in study.notes { text += note + "\n" }
  var seen: [String: Int] = [:]
  var order: [Diagnostic] = []
  for reason in records.flatMap(\.reasons) {
    // One remark for all settings: their numbers differ a little, what to do does not.
    if seen[reason.code] == nil { order.append(reason) }
    seen[reason.code, default: 0] += 1
  }
  for reason in order {
    let count = seen[reason.code] ?? 1
    text += "\(reason)\n"
    if count > 1, count < records.count {
      text += "  (so with \(count) of \(records.count) settings)\n"
    }
  }
  return text
}
