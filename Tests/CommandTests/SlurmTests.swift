import AssayBase
import AssayHost
import AssayTestSupport
import Testing

@testable import AssayCommand

/// With a real Slurm on this machine alone; takes half a minute, so that only make test-all asks for it.
@Suite(.enabled(if: Host.environment("ASSAY_SLURM") != nil, "ASSAY_SLURM is not set"))
struct SlurmTests {
  @Test func jobsShareTheLedgerAndNeverADevice() throws {
    let input = try Pipe()
    let output = try Pipe()
    let slurm = try ChildProcess(
      "/bin/sh",
      [TestData.package + "/Tests/Support/slurm.sh"],
      descriptors: [0: input.readEnd, 1: output.writeEnd]
    )
    input.closeRead()
    output.closeWrite()
    let channel = LineChannel(input: output.readEnd, output: -1)
    guard case .line(let line) = channel.read(until: Host.monotonicNanoseconds() + 60_000_000_000)
    else {
      Issue.record("the script that starts Slurm says nothing")
      return
    }
    guard line.hasPrefix("ready ") else {
      // A machine without Slurm cannot test it; a Slurm that does not start is a fault.
      if line.contains("not installed") {
        print("skipping the test with Slurm: \(line.dropFirst("none ".count))")
      } else {
        Issue.record("\(line)")
      }
      return
    }
    defer {
      input.closeWrite()
      _ = slurm.wait(until: Host.monotonicNanoseconds() + 10_000_000_000)
    }
    try withFolder { folder in
      let path = folder + "/plan.yaml"
      try AtomicFile.write(
        """
        models: \(digits)/model.h5
        recipes: [float32, float16]
        runtimes: reference
        repetitions: 2
        preset: quick
        devices: [{name: coral, resources: "board:1"}]
        """,
        to: path
      )
      let store = folder + "/store.sqlite"
      let words = [
        "sweep", path, "--executor", "slurm", "--store", store, "--json", "\(folder)/r.json",
      ]
      let process = try ChildProcess(
        "/usr/bin/env",
        ["-C", folder, command] + words,
        environment: ["SLURM_CONF": String(line.dropFirst("ready ".count))]
      )
      let end = process.wait(until: Host.monotonicNanoseconds() + 240_000_000_000)
      #expect(end == .exited(0))
      let shown = try assay("store", "list", "--store", store, "--json", "-", in: folder).json()
      let sweep = shown["sweeps"]?.array?.first?["id"]?.string ?? ""
      let ledger = try assay("store", "show", sweep, "--store", store, "--json", "-", in: folder)
        .json()
      let events = ledger["events"]?.array ?? []
      #expect(events.filter { $0["kind"] == "finished" }.count == 4)
      #expect(Set(events.compactMap { $0["holder"]?.string }).count == 4)
      // The board is one: no trial begins before the one before it has ended.
      #expect(
        events.compactMap { $0["kind"]?.string }
          == (0..<4).flatMap { _ in ["claimed", "started", "finished"] }
      )
      // An evaluation shares its ledger in the same way.
      let labels = "\(digits)/images/labels.csv"
      let made = try assay(
        ["data", "prepare", "imagenet", "\(digits)/images", "--labels", labels, "-o", "set"],
        in: folder
      )
      #expect(made.status == 0, "\(made.errors)")
      let evaluation = try ChildProcess(
        "/usr/bin/env",
        [
          "-C", folder, command, "evaluate", "\(digits)/model.h5", "--data", "set", "-p",
          "scale=1/255", "--runtime", "reference", "--executor", "slurm", "--workers", "3",
          "--store", store, "--json", "\(folder)/e.json",
        ],
        environment: ["SLURM_CONF": String(line.dropFirst("ready ".count))]
      )
      let done = evaluation.wait(until: Host.monotonicNanoseconds() + 240_000_000_000)
      #expect(done == .exited(0))
      let result = try JSON(parsing: MappedFile(path: folder + "/e.json").view.array)
      #expect(result["results"]?.array?.first?["items"] == 200)
      #expect(result["results"]?.array?.first?["verdict"] == "VALID")
    }
  }
}
