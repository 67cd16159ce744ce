import AssayBase
import AssayBench
import AssayHost
import AssayRecord
import Synchronization
import Testing

@testable import AssayJobs

/// The worker of Tests/Support/BenchWorker, built beside the tests.
private let workerPath = builtBesideTests("BenchWorker")

private let short = Preset(
  name: "short",
  rounds: 3,
  block: BlockLimits(minimumCount: 10, minimumNanoseconds: 0, maximumNanoseconds: 100_000_000),
  warmup: BlockLimits(
    minimumCount: 10,
    minimumNanoseconds: 0,
    maximumCount: 40,
    maximumNanoseconds: 200_000_000
  ),
  rewarmNanoseconds: 0
)

@Suite struct MeasureTests {
  private func measure(_ path: String, _ limits: SweepPlan.Limits) throws -> TrialResult {
    let worker = try #require(workerPath, "the worker of the tests was not built")
    var trial = syntheticTrial(1)
    trial.cell.runtime = "faulty"
    trial.artefact.path = path
    let comparison = Comparison(
      preset: short,
      profiledRuns: 0,
      folder: "/tmp",
      command: ["test"],
      executable: worker
    )
    return limits.measure(
      trial.configuration,
      comparison,
      executable: worker,
      arguments: [],
      step: { _ in },
      renew: { true },
      finished: \.record
    )
  }

  private var limits: SweepPlan.Limits {
    var limits = SweepPlan.Limits()
    limits.seconds = 20
    return limits
  }

  @Test func aTrialThatNobodyWantsEndsAtItsNextStep() throws {
    let worker = try #require(workerPath, "the worker of the tests was not built")
    var trial = syntheticTrial(1)
    trial.cell.runtime = "faulty"
    trial.artefact.path = ""
    let steps = Atomic(0)
    let result = limits.measure(
      trial.configuration,
      Comparison(
        preset: short,
        profiledRuns: 0,
        folder: "/tmp",
        command: ["test"],
        executable: worker
      ),
      executable: worker,
      arguments: [],
      step: { _ in },
      renew: { true },
      isWanted: { steps.add(1, ordering: .relaxed).newValue < 6 },
      finished: \.record
    )
    #expect(result.fault?.reason.code == "JOB012")
    // Five requests were let through to the worker, and nothing was asked after the sixth.
    #expect(steps.load(ordering: .relaxed) == 6)
  }

  @Test func aSoundTrialHasNoFault() throws {
    let result = try measure("", limits)
    #expect(result.fault == nil)
    #expect(result.record.samples.count == 30)
  }

  @Test(arguments: ["crash@load", "crash@run:15"])
  func theSignalIsRecorded(fault: String) throws {
    let result = try measure(fault, limits)
    #expect(result.fault?.reason.code == "BEN110")
    #expect(result.fault?.end == "SIGSEGV")
    #expect(result.record.verdict == .invalid)
  }

  @Test func aRuntimeThatSaysNoIsAnAnswer() throws {
    let result = try measure("throw@load", limits)
    #expect(result.fault == nil)
    #expect(result.record.reasons.first?.code == "RTM005")
  }

  @Test func timeIsLimitedOverTheWholeTrial() throws {
    var limits = limits
    limits.seconds = 1
    let start = Host.monotonicNanoseconds()
    let result = try measure("hang@run:25", limits)
    #expect(result.fault?.reason.code == "JOB010")
    #expect(result.fault?.end == "SIGKILL")
    #expect(Host.monotonicNanoseconds() - start < 10_000_000_000)
  }

  @Test func memoryIsLimited() throws {
    var limits = limits
    limits.memory = 64 << 20
    #expect(try measure("", limits).fault == nil)
    let result = try measure("grow@load:400", limits)
    #expect(result.fault != nil)
    limits.memory = 1 << 30
    #expect(try measure("grow@load:400", limits).fault == nil)
  }
}
