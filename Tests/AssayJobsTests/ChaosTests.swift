import AssayBase
import AssayHost
import Testing

@testable import AssayJobs

/// Kills, lost power, full disks, and sessions that crash and hang: nothing is lost, nothing is done
/// twice, and the table is that of a sweep which nobody disturbed.
///
/// A few faults here, a thousand where `ASSAY_CHAOS` says so (make test-all, make bench).
@Suite struct ChaosTests {
  @Test func sweepsLoseNothing() throws {
    let probe = try #require(builtBesideTests("SweepProbe"), "the probe of the tests was not built")
    let faults = Host.environment("ASSAY_CHAOS") ?? "40"
    let output = try Pipe()
    let process = try ChildProcess(
      probe,
      ["chaos", faults, "24", "7"],
      descriptors: [1: output.writeEnd]
    )
    output.closeWrite()
    let channel = LineChannel(input: output.readEnd, output: -1)
    guard case .line(let line) = channel.read() else {
      Issue.record("the probe says nothing: \(process.wait().text)")
      return
    }
    let report = try JSON(parsing: line)
    #expect(report["faults"]?.int ?? 0 >= Int(faults) ?? 0)
    #expect(report["lost"] == 0 && report["duplicated"] == 0, "\(line)")
    #expect(report["differingTables"] == 0, "\(line)")
    for kind in ["kill", "power", "full", "timer", "session crash"] {
      #expect(report["byKind"]?[kind]?.int ?? 0 > 0, "no fault of kind \(kind): \(line)")
    }
  }
}

/// A program that the package builds beside its tests.
func builtBesideTests(_ name: String) -> String? {
  guard let tests = Host.executablePath else { return nil }
  var folder = Host.folder(of: tests)
  for _ in 0..<4 {
    let path = Host.join(folder, name)
    if Host.kind(of: path) == .file { return path }
    folder = Host.folder(of: folder)
  }
  return nil
}
