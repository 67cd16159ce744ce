import AssayBase
import AssayBench
import AssayCatalog
import AssayHost

let workerCommand = CommandSpec(
  name: "worker",
  summary: "serve one measurement (started by assay itself)",
  options: [Option("--memory-limit", .value("BYTES"), "memory of its own that it may have")],
  isHidden: true
) { arguments, _ in
  if let bytes = try arguments.integer("--memory-limit") { Host.limitMemory(bytes: bytes) }
  try Worker.serve(runtimes: Catalog.runtimes, input: 0, output: 3)
  return .done
}
