import AssayADB
import AssayBase
import AssayDevice
import AssayHost
import AssayTestSupport
import DeviceADB
import PhoneEmulation
import Synchronization
import Testing

@testable import AssayPhone

/// Runs `body` with an emulated phone.
func withPhone(
  seed: UInt64 = 1,
  _ body: (ADBDevice, EmulatedPhone) throws -> Void
) throws {
  let folder = try Host.makeTemporaryFolder("assay-phone")
  defer { try? Host.remove(folder) }
  let phone = try EmulatedPhone(serial: "0A1B2C3D4E5F", root: folder, seed: seed)
  let emulated = try EmulatedServer([phone])
  defer { emulated.end() }
  let server = ADBServer(port: emulated.port, patience: 60)
  try body(try ADBDevice(.adb(serial: phone.serial), server: server), phone)
}

@Suite struct DetachedRunTests {
  private func wait(_ device: ADBDevice) throws {
    guard eventually({ (try? device.run("true", seconds: 20)) != nil }) else {
      throw Diagnostic("TST001", "away")
    }
  }

  @Test func whatACommandPrintedComesBack() throws {
    try withPhone { device, phone in
      let run = DetachedRun(
        device,
        "echo 'it''s out'; printf 'no end\\n@err\\n'; echo err >&2; exit 7",
        folder: "/data/local/tmp/r1",
        seconds: 20
      )
      let outcome = try run.run(recover: { throw $0 })
      #expect(outcome.status == 7)
      #expect(outcome.output == "its out\nno end\n@err\n")
      #expect(outcome.errors == "err\n")
      let (begin, end) = (try #require(outcome.begin), try #require(outcome.end))
      #expect(begin <= end)
      #expect(phone.files() == [])
      #expect(phone.processes().isEmpty)
    }
  }

  @Test func whatTakesTooLongIsEndedWithItsChildren() throws {
    try withPhone { device, phone in
      let run = DetachedRun(
        device,
        "echo begun; sleep 100 & sleep 100",
        folder: "/data/local/tmp/r2",
        seconds: 0.5
      )
      let fault = #expect(throws: Diagnostic.self) { try run.run(recover: { throw $0 }) }
      #expect(fault?.code == "DEV017")
      #expect(fault?.cause?.contains("begun") == true)
      #expect(phone.files() == [])
      #expect(phone.processes().isEmpty)
    }
  }

  /// What adb's daemon leaves when the way breaks in the middle of a start: a folder, a part of the
  /// script, and nothing that runs.
  @Test func aStartThatBrokeOffIsMadeAgain() throws {
    try withPhone { device, phone in
      let folder = "/data/local/tmp/r4"
      let left = try device.run("mkdir \(folder); echo 'echo ha' >\(folder)/run.1", seconds: 60)
      #expect(left.status == 0)
      let run = DetachedRun(device, "echo whole", folder: folder, seconds: 20)
      #expect(try run.run(recover: { throw $0 }).output == "whole\n")
      #expect(phone.files() == [])
      #expect(phone.processes().isEmpty)
    }
  }

  @Test func aCommandThatTheDeviceEndsIsTold() throws {
    try withPhone { device, phone in
      let run = DetachedRun(
        device,
        "kill -9 $PPID; exec sleep 30",
        folder: "/data/local/tmp/r3",
        seconds: 20
      )
      let code = #expect(throws: Diagnostic.self) { try run.run(recover: { throw $0 }) }?.code
      #expect(code == "DEV018")
      #expect(phone.files() == [])
      for process in phone.processes() {
        _ = try device.run("kill -9 \(process)", seconds: 60)
      }
    }
  }

  /// None lost, none doubled, nothing left: two hundred in `make test-all`, fewer otherwise.
  @Test func runsSurviveRandomDisconnects() throws {
    let count = Host.environment("ASSAY_CHAOS") == nil ? 20 : 200
    try withPhone(seed: 42) { device, phone in
      phone.faults.withLock {
        $0.cutOneIn = 4
        $0.absence = 15
      }
      var losses = 0
      for index in 0..<count {
        let run = DetachedRun(
          device,
          "echo \(index) >>/data/local/tmp/../counted; echo result \(index)",
          folder: "/data/local/tmp/run-\(index)",
          seconds: 60
        )
        let outcome = try run.run(recover: { _ in try wait(device) })
        #expect(outcome.output == "result \(index)\n")
        #expect(outcome.status == 0)
        losses += outcome.losses
      }
      phone.faults.withLock { $0.cutOneIn = 0 }
      // The test proves something only if the way was lost often.
      #expect(losses > count / 3)
      let counted = Host.smallText(phone.root + "/data/local/counted") ?? ""
      #expect(counted.split(separator: "\n").map { Int($0) } == (0..<count).map { $0 })
      #expect(phone.files() == [])
      #expect(eventually { phone.processes().isEmpty })
    }
  }
}
