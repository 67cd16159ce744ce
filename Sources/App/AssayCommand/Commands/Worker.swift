import AssayBase
import AssayBench
import AssayCatalog

let workerCommand = CommandSpec(
  name: "worker",
  summary: "serve one measurement (started by assay itself)",
  isHidden: true
) { _, _ in
  try Worker.serve(runtimes: Catalog.runtimes, input: 0, output: 3)
  return .done
}
