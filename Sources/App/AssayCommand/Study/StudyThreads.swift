import AssayBase
import AssayCatalog
import AssayHost
import AssayMachine
import AssayRemote
import AssayReport
import AssayRuntime

let studyThreadsCommand = CommandSpec(
  name: "study threads",
  summary: "how much faster a model is with more threads, and how many are worth it",
  discussion: """
    Measures the model with each number of threads, in turns and in random order, and tells the speed-up
    over the first, the efficiency, and the fewest threads that come within 5 % of the best.
    """,
  operands: [Operand(word: "MODEL", help: "a .tflite or .onnx file")],
  options: [
    Option("--counts", short: "-t", .value("LIST"), "thread counts with commas (default: 1,2,4,…)")
  ] + studyOptions,
  examples: [("assay study threads model.tflite --runtime litert", "1, 2, 4, … threads")]
) { arguments, console in
  let scratch = try Scratch()
  defer { scratch.remove() }
  let base = try StudyBase(arguments, scratch: scratch, console)
  defer { base.session?.close() }
  let counts =
    try arguments.integers("--counts")
    ?? powersOfTwo(
      upTo: base.session == nil
        ? Host.allowedProcessors().count : base.conditions().allowed.count
    )
  let settings = try unique(counts).map { count in
    StudySetting(
      label: "\(count) thread\(count == 1 ? "" : "s")",
      value: count,
      configuration: try base.configuration("original", threads: count)
    )
  }
  return try runStudy(.threads, settings, base, notes: [], arguments, console)
}

/// 1, 2, 4, … and the number itself; at least 1 and 2.
func powersOfTwo(upTo count: Int) -> [Int] {
  var numbers = [1, 2]
  while let last = numbers.last, last * 2 <= count { numbers.append(last * 2) }
  if count > numbers[numbers.count - 1] { numbers.append(count) }
  return numbers
}

/// The numbers in order, each once.
func unique(_ numbers: [Int]) -> [Int] {
  var seen: Set<Int> = []
  return numbers.filter { seen.insert($0).inserted }
}
