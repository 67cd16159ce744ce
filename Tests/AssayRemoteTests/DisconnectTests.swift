import AssayBase
import AssayBench
import AssayDevice
import AssayHost
import AssayRuntime
import AssayTestSupport
import RuntimeLiteRT
import Synchronization
import Testing

@testable import AssayRemote

private let model = TestData.sharedFile("models/mlperf_tiny/ad01_int8.tflite") ?? ""

/// Runs over ssh whose connection breaks at random moments: none may be lost, none doubled, and nothing
/// may stay on the device.
///
/// One in make test; `ASSAY_DISCONNECTS=200` in make test-all.
@Suite(
  .enabled(if: SSHServer.isThere, "there is no ssh server"),
  .enabled(if: hasRunner, "the runner is not built"),
  .enabled(if: LiteRTRuntime().probe().isAvailable, "LiteRT is not installed: run `make setup`"),
  .enabled(if: TestData.shared != nil, "the shared test data is absent")
)
struct DisconnectTests {
  @Test func noRunIsLostOrDoubledAndNothingStays() throws {
    let wanted = Host.environment("ASSAY_DISCONNECTS").flatMap { Int($0) } ?? 1
    // A server of its own: it is broken again and again.
    let server = try SSHServer(root: nil)
    try withFolder { root in
      let settings = server.settings(root: root)
      let session = try DeviceSession(try server.device(root: root), settings)
      let quarantine = DeviceQuarantine(home: root + "/home")
      let isOver = Atomic(false)
      // When the connection breaks next, on the monotonic clock; 0 for not yet.
      let breakAt = Atomic<UInt64>(0)
      let breaks = Atomic(0)
      let done = Mutex<[Int: Int]>([:])
      Host.forEach(below: 2, threads: 2) { side in
        if side == 0 {
          while !isOver.load(ordering: .relaxed) {
            Host.sleep(nanoseconds: 1_000_000)
            let moment = breakAt.load(ordering: .relaxed)
            guard moment > 0, Host.monotonicNanoseconds() >= moment else { continue }
            breakAt.store(0, ordering: .relaxed)
            server.breakConnections()
            breaks.add(1, ordering: .relaxed)
          }
          return
        }
        var random = SeededRNG(seed: 7)
        var usual: UInt64 = 1_000_000_000
        for run in 0..<wanted {
          attempts: for attempt in 0..<12 {
            // Two of three attempts are cut at a random moment of what they take; the last ones are not.
            if attempt < 6, UInt64.random(in: 0..<3, using: &random) > 0 {
              let delay = UInt64.random(in: 0...usual, using: &random)
              breakAt.store(Host.monotonicNanoseconds() + delay, ordering: .relaxed)
            }
            let begin = Host.monotonicNanoseconds()
            do {
              try measure(session)
              breakAt.store(0, ordering: .relaxed)
              if attempt == 0 { usual = min(Host.monotonicNanoseconds() - begin, 5_000_000_000) }
              done.withLock { $0[run, default: 0] += 1 }
              break attempts
            } catch {
              breakAt.store(0, ordering: .relaxed)
              // Only the way may fail; what comes back from there is whole or nothing.
              let code = (error as? Diagnostic)?.code ?? "\(error)"
              if !["DEV010", "DEV011", "BEN110", "DEV012", "DEV016"].contains(code) {
                Issue.record("\(error)")
              }
              for _ in 0..<5 where (try? session.recover(quarantine: quarantine)) != nil { break }
            }
          }
        }
        isOver.store(true, ordering: .relaxed)
      }
      let runs = done.withLock { $0 }
      #expect(runs == Dictionary(uniqueKeysWithValues: (0..<wanted).map { ($0, 1) }))
      print("\(wanted) runs over ssh, \(breaks.load(ordering: .relaxed)) disconnects")
      session.close()
      try? Host.remove(root + "/home")
      let deadline = Host.monotonicNanoseconds() + 20_000_000_000
      while Host.monotonicNanoseconds() < deadline {
        if try Host.list(root).isEmpty, processes(root).isEmpty { break }
        Host.sleep(nanoseconds: 100_000_000)
      }
      #expect(try Host.list(root) == [])
      #expect(processes(root) == [])
    }
  }

  private func measure(_ session: DeviceSession) throws {
    let worker = try session.makeWorker(runtime: "litert")
    defer { worker.end() }
    _ = try worker.ask(
      .object(["do": "load", "runtime": "litert", "path": .string(model)]),
      seconds: 20
    )
    _ = try worker.ask(.object(["do": "feed"]), seconds: 60)
    let limits = JSON.object(["do": "block", "minNs": 200_000_000, "maxNs": 200_000_000])
    let answer = try worker.ask(limits, seconds: 60)
    guard let samples = answer["samples"]?.ints, !samples.isEmpty else {
      throw Diagnostic("TST001", "a block without samples")
    }
  }

  /// Processes whose working folder or command line lies below the root.
  private func processes(_ root: String) -> [String] {
    ((try? Host.list("/proc")) ?? []).filter { name in
      guard name.allSatisfy(\.isNumber), Int32(name) != Host.processID else { return false }
      let folder = Host.realPath("/proc/\(name)/cwd") ?? ""
      let words = Host.smallText("/proc/\(name)/cmdline") ?? ""
      return folder.hasPrefix(root + "/assay-") || words.contains(root + "/assay-")
    }
  }
}
