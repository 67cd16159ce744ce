import AssayBase
import AssayRuntime
import RuntimeLiteRT
import VendorEdgeTPU

extension Catalog {
  /// What is needed to use an Edge TPU: the device, its library, its compiler.
  static func edgeTPUProbes() -> [Probe] {
    let diagnosis = EdgeTPUDiagnosis.current()
    let library: Availability
    do {
      let found = try EdgeTPULibrary.shared()
      library = .available(version: "\(found.version) (\(found.path))")
    } catch {
      library = Availability(unavailableBecauseOf: error)
    }
    return [
      Probe(name: "edgetpu device", availability: diagnosis.deviceAvailability),
      Probe(name: "libedgetpu", availability: library),
      Probe(name: "edgetpu_compiler", availability: EdgeTPUCompiler.probe()),
    ]
  }
}
