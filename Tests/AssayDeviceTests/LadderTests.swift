import AssayBase
import AssayDevice
import AssayHost
import Synchronization
import Testing

/// A device that comes back after a rung, or never.
final class LostDevice: Device, @unchecked Sendable {
  // Safe because: a test uses it on one thread.
  let address = DeviceAddress.adb(serial: "X1")
  let transport = "usb"
  var comesBackWith: String?
  var isBack = false
  func probe() throws -> DeviceFacts { DeviceFacts() }
  func reconnect() throws { isBack = comesBackWith == "reconnect" }
  func enumerateAgain() throws { isBack = comesBackWith == "enumerate" }
  func close() {}
}

@Suite struct LadderTests {
  private func climb(
    _ device: LostDevice,
    _ settings: DeviceSettings = DeviceSettings()
  ) -> [DeviceLadder.Step] {
    var ladder = DeviceLadder(settings)
    ladder.pause = 0
    ladder.uhubctl = "true"
    return ladder.climb(device) { device.isBack }
  }

  @Test func theLowestRungThatHelpsIsTheLast() {
    let device = LostDevice()
    device.comesBackWith = "reconnect"
    #expect(climb(device).map(\.rung) == ["reconnect"])
    device.isBack = false
    device.comesBackWith = "enumerate"
    let steps = climb(device)
    #expect(steps.map(\.rung) == ["reconnect", "enumerate"])
    #expect(steps.map(\.isBack) == [false, true])
  }

  @Test func hubAndHookAreClimbedWhereTheUserNamedThem() throws {
    let folder = try Host.makeTemporaryFolder("ladder")
    defer { try? Host.remove(folder) }
    var settings = DeviceSettings()
    settings.hubLocation = "1-1"
    settings.hubPort = 2
    settings.hook = ["sh", "-c", "echo $ASSAY_DEVICE >\(folder)/said; exit 1"]
    let steps = climb(LostDevice(), settings)
    #expect(steps.map(\.rung) == ["reconnect", "enumerate", "hub power", "hook"])
    #expect(steps[2].note == "true -l 1-1 -p 2 -a cycle")
    #expect(steps.allSatisfy { !$0.isBack })
    #expect(Host.smallText(folder + "/said") == "adb:X1\n")
  }

  @Test func quarantineHoldsUntilReleased() throws {
    let home = try Host.makeTemporaryFolder("quarantine")
    defer { try? Host.remove(home) }
    let quarantine = DeviceQuarantine(home: home)
    let address = DeviceAddress.adb(serial: "X1")
    try quarantine.refuse(address)
    try quarantine.put(address, reason: "no rung brought it back")
    #expect(throws: Diagnostic.self) { try quarantine.refuse(address) }
    #expect(quarantine.note(address)?.reason == "no rung brought it back")
    #expect(quarantine.note(.local) == nil)
    #expect(try quarantine.release(address))
    try quarantine.refuse(address)
    #expect(try !quarantine.release(address))
  }

  @Test func everyActionHasAnIdThatItsFaultTells() throws {
    let journal = DeviceJournal()
    _ = try journal.note("look") { 1 }
    let fault = #expect(throws: Diagnostic.self) {
      try journal.note("push") { throw Diagnostic("DEV010", "lost") }
    }
    let entries = journal.entries
    #expect(entries.map(\.action) == ["look", "push"])
    #expect(entries.map(\.fault) == [nil, "DEV010"])
    #expect(fault?.location == ["action \(entries[1].id)"])
    #expect(entries.allSatisfy { $0.nanoseconds != nil })
  }
}
