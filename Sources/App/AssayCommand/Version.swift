import AssayBase
import AssayCatalog
import AssayRuntime

/// The version of assay (SemVer); the only place that holds it.
let assayVersion = "0.1.0"

/// What `assay --version` prints: the version and the runtimes found.
func versionText() -> String {
  var text = "assay \(assayVersion)\n"
  for runtime in Catalog.runtimes {
    if case .available(let version) = runtime.probe() { text += "  \(runtime.id) \(version)\n" }
  }
  return text
}
