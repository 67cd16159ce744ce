import AssayADB
import AssayBase
import AssayDevice
import AssayHost
import AssayTestSupport
import DeviceADB
import Synchronization
import Testing

@testable import AssayPhone

/// Debian's adb against Debian's adbd (Android's own daemon, built for Linux) in a namespace of its own;
/// needs root and takes a minute, so that only make test-all asks for it.
@Suite(.enabled(if: Host.environment("ASSAY_ADBD_TEST") != nil, "ASSAY_ADBD_TEST is not set"))
struct RealPhoneTests {
  @Test func theRealDaemonIsDriven() throws {
    let input = try Pipe()
    let output = try Pipe()
    let script = try ChildProcess(
      "/bin/sh",
      [TestData.package + "/Tests/Support/adbd.sh"],
      descriptors: [0: input.readEnd, 1: output.writeEnd]
    )
    input.closeRead()
    output.closeWrite()
    let channel = LineChannel(input: output.readEnd, output: -1)
    guard case .line(let line) = channel.read(until: Host.monotonicNanoseconds() + 300_000_000_000)
    else {
      Issue.record("the script that starts adbd says nothing")
      return
    }
    let words = line.split(separator: " ")
    guard words.count == 3, words[0] == "ready", let port = Int(words[1]),
      let address = ADBAddress(String(words[2]))
    else {
      print("skipping the test with a real adbd: \(line)")
      return
    }
    defer {
      input.closeWrite()
      _ = script.wait(until: Host.monotonicNanoseconds() + 20_000_000_000)
    }
    let server = ADBServer(port: port)
    #expect(try server.connect(address).state == .ready)
    #expect(try server.features(address.text).contains("shell_v2"))
    let device = try ADBDevice(.adb(serial: address.text), server: server)
    let facts = try device.probe()
    #expect(facts.transport == "tcp")
    #expect(facts.model == "Debian adbd")
    // The same processor as this machine's: our own runner serves it.
    #expect(facts.further["runner"] == nil)
    try files(device)
    try disconnects(device, server, address)
    #expect(try device.run("ls /data/local/tmp", seconds: 10).output == "")
  }

  private func files(_ device: ADBDevice) throws {
    let folder = try Host.makeTemporaryFolder("assay-real")
    defer { try? Host.remove(folder) }
    var rng = SeededRNG(seed: 5)
    let bytes = (0..<3_000_000).map { _ in UInt8(truncatingIfNeeded: rng.next()) }
    let file = Host.join(folder, "file")
    try AtomicFile.write([ByteView(bytes)], to: file)
    let own = try DeviceFolder(device, journal: DeviceJournal(), grace: 2)
    let there = try own.push(file)
    try device.pull(there, to: file + ".back", seconds: nil)
    #expect(try MappedFile(path: file + ".back").view.array == bytes)
    let outcome = try device.run("echo out; echo err >&2; exit 9", seconds: 10)
    #expect(outcome == CommandResult(status: 9, output: "out\n", errors: "err\n"))
    #expect(own.close())
  }

  /// Two hundred runs, while another thread tears the connection down at random.
  private func disconnects(
    _ device: ADBDevice,
    _ server: ADBServer,
    _ address: ADBAddress
  ) throws {
    let isOver = Mutex(false)
    let chaos = try OwnThread { _ in
      var rng = SeededRNG(seed: 11)
      while !isOver.withLock({ $0 }) {
        Host.sleep(nanoseconds: 20_000_000 + rng.next() % 400_000_000)
        try? server.disconnect(address)
      }
    }
    // A thread that is left is waited for: it must see the end, however this one ends.
    defer { isOver.withLock { $0 = true } }
    var losses = 0
    for index in 0..<200 {
      let run = DetachedRun(
        device,
        "echo \(index) >>/data/counted; sleep 0.01; echo result \(index)",
        folder: "/data/local/tmp/run-\(index)",
        seconds: 60
      )
      let outcome = try run.run(recover: { _ in
        let deadline = Host.monotonicNanoseconds() + 20_000_000_000
        while (try? server.connect(address)) == nil {
          guard Host.monotonicNanoseconds() < deadline else {
            throw Diagnostic("TST001", "the daemon does not come back")
          }
        }
      })
      #expect(outcome.output == "result \(index)\n")
      losses += outcome.losses
    }
    isOver.withLock { $0 = true }
    chaos.join()
    _ = try server.connect(address)
    print("200 runs over adb, lost \(losses) times")
    #expect(losses > 20)
    let counted = try device.run("cat /data/counted", seconds: 10).output
    #expect(counted.split(separator: "\n").map { Int($0) } == (0..<200).map { $0 })
    let left = try device.run("ps -e -o args= | grep -c '[r]un-[0-9]'", seconds: 10).output
    #expect(left == "0\n")
  }
}
