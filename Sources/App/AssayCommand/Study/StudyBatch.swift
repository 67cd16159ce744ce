import AssayBase
import AssayCatalog
import AssayFormat
import AssayGraph
import AssayHost
import AssayRemote
import AssayReport
import AssayRuntime

let studyBatchCommand = CommandSpec(
  name: "study batch",
  summary: "how many more items a second a model computes in batches",
  discussion: """
    Reads the model, writes it anew for each batch, measures the files in turns and in random order, and
    tells items a second, the gain over the first batch, and the smallest batch that comes within 5 % of
    the best. A network that has its batch written into it is refused, and the operator named.
    """,
  operands: [Operand(word: "MODEL", help: "a .tflite or .onnx file for one item")],
  options: [
    Option("--batches", .value("LIST"), "batches with commas (default: 1,2,4,8)"),
    Shared.threads,
  ] + studyOptions,
  examples: [("assay study batch model.onnx --batches 1,4,16 -t 4", "three batches, four threads")]
) { arguments, console in
  let scratch = try Scratch()
  defer { scratch.remove() }
  let base = try StudyBase(arguments, scratch: scratch, console)
  defer { base.session?.close() }
  let threads = try arguments.integer("--threads") ?? 1
  let graph = try importModel(path: base.path).graph
  guard base.format.canExport, let ending = base.format.extensions.first else {
    throw Diagnostic("CAT003", "\(base.format.id) files are read and not written", at: [base.path])
  }
  let settings = try unique(try arguments.integers("--batches") ?? [1, 2, 4, 8]).map { count in
    var setting = StudySetting(label: "batch \(count)", value: count, items: count)
    console.progress("writing the model for batch \(count)")
    let file = Host.join(scratch.path, "batch\(count).\(ending)")
    // Batch 1 is written anew as well, so that all files come from one writer.
    try exportModel(
      graph.batched(count),
      to: file,
      description: "assay \(assayVersion) batch \(count)"
    )
    setting.configuration = try base.configuration("batch\(count)", threads: threads, file: file)
    return setting
  }
  console.endProgress()
  let notes = [
    "every batch was written anew by assay, batch 1 too; \(threads) thread\(threads == 1 ? "" : "s")"
  ]
  return try runStudy(.batch, settings, base, notes: notes, arguments, console)
}
