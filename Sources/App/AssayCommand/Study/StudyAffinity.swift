import AssayBase
import AssayBench
import AssayCatalog
import AssayHost
import AssayMachine
import AssayRemote
import AssayReport
import AssayRuntime

let studyAffinityCommand = CommandSpec(
  name: "study affinity",
  summary: "whether binding a model's threads to processors makes it faster",
  discussion: """
    Measures the model unbound and bound to sets of processors, in turns and in random order. Unless told,
    the sets follow from the machine: one processor a core, the threads of one core together, and each
    kind of core where there are several.
    """,
  operands: [Operand(word: "MODEL", help: "a .tflite or .onnx file")],
  options: [
    Option("--sets", .value("LIST"), "sets of processors with semicolons, such as '0-1;2-3'"),
    Shared.threads,
  ] + studyOptions,
  examples: [
    ("assay study affinity model.tflite -t 2", "what binding is worth here"),
    ("assay study affinity model.tflite -t 4 --sets '0-3;4-7'", "small against big cores"),
  ]
) { arguments, console in
  let scratch = try Scratch()
  defer { scratch.remove() }
  let base = try StudyBase(arguments, scratch: scratch, console)
  defer { base.session?.close() }
  let threads = try arguments.integer("--threads") ?? 1
  let conditions = try base.conditions()
  let sets = try arguments.value("--sets").map(processorSets) ?? affinitySets(conditions, threads)
  var settings = [
    StudySetting(
      label: "unbound",
      value: 0,
      configuration: try base.configuration("original", threads: threads)
    )
  ]
  for (label, processors) in sets {
    var setting = StudySetting(label: label, value: settings.count)
    if Set(processors).isSubset(of: conditions.allowed) {
      setting.configuration = try base.configuration("original", threads: threads)
      setting.configuration?.processors = processors
    } else {
      setting.reason = "only \(ProcessorList.text(conditions.allowed)) may be used"
    }
    settings.append(setting)
  }
  let notes = [
    "\(threads) thread\(threads == 1 ? "" : "s"); this process may use processors "
      + ProcessorList.text(conditions.allowed)
  ]
  return try runStudy(.affinity, settings, base, notes: notes, arguments, console)
}

/// Sets of processors out of a list with semicolons.
private func processorSets(_ text: String) throws -> [(label: String, processors: [Int])] {
  try text.split(separator: ";").map { part in
    guard let numbers = ProcessorList.parse(String(part)), !numbers.isEmpty else {
      throw Diagnostic("CLI007", "--sets is a list such as '0-1;2-3', not '\(text)'")
    }
    return ("on \(ProcessorList.text(numbers))", numbers)
  }
}

/// Sets of processors that are worth comparing on this machine.
func affinitySets(
  _ conditions: Conditions,
  _ threads: Int
) -> [(label: String, processors: [Int])] {
  var sets: [(label: String, processors: [Int])] = []
  func add(_ name: String, _ numbers: [Int]) {
    let numbers = numbers.sorted()
    guard !numbers.isEmpty, !sets.contains(where: { $0.processors == numbers }) else { return }
    sets.append(("\(name) \(ProcessorList.text(numbers))", numbers))
  }
  let cores = Dictionary(grouping: conditions.processors) { $0.siblings.min() ?? $0.number }
    .values.map { $0.map(\.number).sorted() }.sorted { $0[0] < $1[0] }
  add("on", cores.prefix(threads).map { $0[0] })
  if cores.count > threads { add("on", cores.suffix(threads).map { $0[0] }) }
  if let shared = cores.first, shared.count > 1, threads > 1 {
    add("one core", Array(shared.prefix(threads)))
  }
  let kinds = Dictionary(grouping: conditions.processors) { $0.capacity ?? 0 }
  if kinds.count > 1 {
    for (_, members) in kinds.sorted(by: { $0.key < $1.key }) { add("kind", members.map(\.number)) }
  }
  return sets
}
