import AssayBase
import AssayCatalog
import AssayHost
import AssayRuntime

/// The version of assay (SemVer); the only place that holds it.
let assayVersion = "0.1.0"

#if DEBUG
/// How this program was compiled.
private let build = "debug"
#else
/// How this program was compiled.
private let build = "release"
#endif

/// What `assay --version` prints: the version, the build and the runtimes found.
func versionText() -> String {
  let machine = MachineInfo.current()
  var text =
    "assay \(assayVersion), \(build) build for \(machine.architecture), \(machine.system)\n"
  for runtime in Catalog.runtimes {
    if case .available(let version) = runtime.probe() { text += "  \(runtime.id) \(version)\n" }
  }
  return text
}
