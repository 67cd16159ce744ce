import AssayBase
import AssayRecord

extension Record.Memory {
  /// What a worker told of itself when nothing was loaded, and after its first inference.
  init(null: JSON, loaded: JSON) {
    let reason = "the system does not tell"
    self.init(reason: reason)
    func figure(_ answer: JSON, _ name: String) -> Figure<Int> {
      answer[name]?.int.map { .value($0) } ?? .missing(reason: reason)
    }
    peakResident = figure(loaded, "peakResident")
    nullPeakResident = figure(null, "peakResident")
    resident = figure(loaded, "resident")
    proportional = figure(loaded, "proportional")
    nullProportional = figure(null, "proportional")
    groupPeak = .missing(reason: "not measured")
    for (name, value) in loaded["runtime"]?.pairs ?? [] { runtime[name] = value.int }
  }
}
