import AssayBase
import AssayHost
import AssayTestSupport
import PhoneEmulation
import Synchronization
import Testing

@testable import AssayADB

/// Runs `body` with an emulated phone behind an emulated server.
func withPhone(
  serial: String = "0A1B2C3D4E5F",
  features: String = "shell_v2,cmd,stat_v2,ls_v2,sendrecv_v2",
  _ body: (ADBServer, EmulatedPhone) throws -> Void
) throws {
  let folder = try Host.makeTemporaryFolder("assay-adb")
  defer { try? Host.remove(folder) }
  let phone = try EmulatedPhone(serial: serial, root: folder, features: features)
  let emulated = try EmulatedServer([phone])
  defer { emulated.end() }
  try body(ADBServer(port: emulated.port, patience: 60), phone)
}

/// The code of the diagnostic that `body` throws.
func code(_ body: () throws -> Void) -> String? {
  do {
    try body()
    return nil
  } catch {
    return (error as? Diagnostic)?.code
  }
}

@Suite struct ADBServerTests {
  @Test func linesOfDevicesAreRead() throws {
    let text = """
      0A1B2C3D4E5F           device usb:1-2 product:oriole model:Pixel_6 device:oriole transport_id:4
      192.168.1.20:5555      offline product:x transport_id:5
      emulator-5554\tdevice
      R58M1                  no permissions (user in plugdev group; are your udev rules wrong?); see [http://developer.android.com/tools/device.html] usb:3-1 transport_id:1
      adb-0A1-x._adb-tls-connect._tcp device product:oriole
      ZY22                   unauthorized usb:1-1
      broken
      * daemon started successfully
      """
    let entries = ADBEntry.list(text)
    #expect(
      entries.map(\.state.word).prefix(6) == [
        "device", "offline", "device", "no permissions", "device", "unauthorized",
      ]
    )
    #expect(
      entries.map(\.transport).prefix(6) == [.usb, .tcp, .emulator, .usb, .wireless, .usb]
    )
    #expect(entries[0].details["model"] == "Pixel_6")
    #expect(entries[3].obstacle?.remedy?.contains("udev") == true)
    #expect(entries[5].obstacle?.code == "ADB011")
    #expect(!entries.contains { $0.serial == "broken" })
  }

  @Test(arguments: [
    ("192.168.1.20:5555", "192.168.1.20:5555"), ("[fe80::1%eth0]:5555", "[fe80::1%eth0]:5555"),
    ("pixel.local:37123", "pixel.local:37123"), ("pixel", nil), (":5", nil), ("a:0", nil),
    ("a:65536", nil), ("fe80::1:5555", nil), ("-x:5555", nil), ("a b:5555", nil), ("[::1]x", nil),
  ])
  func addressesAreRead(text: String, expected: String?) {
    #expect(ADBAddress(text)?.text == expected)
  }

  @Test func onlyServersOfThisMachineAreUsed() throws {
    #expect(try ADBServer.named(socket: nil, port: nil).port == 5037)
    #expect(try ADBServer.named(socket: "tcp:localhost:6000", port: nil).port == 6000)
    #expect(try ADBServer.named(socket: "tcp:6001", port: "1").port == 6001)
    #expect(try ADBServer.named(socket: nil, port: "6002").port == 6002)
    for socket in ["tcp:10.0.0.1:5037", "tcp:0.0.0.0:5037", "vsock:3:5037", "tcp:*:5037"] {
      #expect(code { _ = try ADBServer.named(socket: socket, port: nil) } == "ADB005", "\(socket)")
    }
  }

  @Test func questionsAreAnswered() throws {
    try withPhone { server, phone in
      #expect(try server.version() == 41)
      let entry = try server.device(phone.serial)
      #expect(entry.transport == .usb)
      #expect(entry.details["model"] == "Pixel_6")
      #expect(try server.features(phone.serial).contains("shell_v2"))
      let port = try server.forward(phone.serial, toPort: 7000)
      #expect(try server.forwards(phone.serial) == [port])
      try server.stopForward(phone.serial, port: port)
      #expect(try server.forwards(phone.serial) == [])
    }
  }

  @Test func obstaclesAreNamed() throws {
    #expect(code { _ = try ADBServer(port: 1).version() } == "ADB001")
    try withPhone { server, phone in
      #expect(code { _ = try server.run("true", on: "other") } == "ADB010")
      phone.faults.withLock { $0.state = "unauthorized" }
      #expect(code { _ = try server.run("true", on: phone.serial) } == "ADB011")
      phone.faults.withLock { $0.state = "offline" }
      #expect(code { _ = try server.run("true", on: phone.serial) } == "ADB012")
    }
  }

  @Test func commandsKeepTheirStreamsApart() throws {
    try withPhone { server, phone in
      let outcome = try server.run("echo hi; echo e >&2; exit 3", on: phone.serial)
      #expect(
        outcome == ADBOutcome(status: 3, output: Array("hi\n".utf8), errors: Array("e\n".utf8))
      )
      let echo = try server.run("cat", on: phone.serial, input: Array("input".utf8))
      #expect(echo.text == "input")
      let long = try server.run("seq 1 50000", on: phone.serial)
      #expect(long.text.split(separator: "\n").count == 50_000)
      #expect(try server.run("kill -9 $$", on: phone.serial).status == 137)
      #expect(
        code { _ = try server.run("seq 1 50000", on: phone.serial, limit: 1000) } == "ADB023"
      )
    }
  }

  @Test func aSilentShellIsLeftAtTheLimit() throws {
    try withPhone { server, phone in
      phone.faults.withLock { $0.hangs = true }
      #expect(code { _ = try server.run("true", on: phone.serial, seconds: 0.2) } == "ADB021")
      phone.faults.withLock { $0.hangs = false }
      #expect(
        code { _ = try server.run("exec sleep 30", on: phone.serial, seconds: 0.2) } == "ADB021"
      )
      let words = try server.run("echo on", on: phone.serial).text
      #expect(words == "on\n")
      // What was left is hung up.
      #expect(eventually { phone.processes().isEmpty })
    }
  }

  @Test func phonesOfTheNetworkAreConnectedTo() throws {
    let folder = try Host.makeTemporaryFolder("assay-adb")
    defer { try? Host.remove(folder) }
    let address = try #require(ADBAddress("192.0.2.7:5555"))
    let phone = try EmulatedPhone(serial: address.text, root: folder)
    let emulated = try EmulatedServer(reachable: [address.text: phone])
    defer { emulated.end() }
    let server = ADBServer(port: emulated.port, patience: 60)
    let other = try #require(ADBAddress("192.0.2.8:5555"))
    #expect(code { try server.connect(other, seconds: 1) } == "ADB040")
    phone.faults.withLock { $0.state = "unauthorized" }
    #expect(code { try server.connect(address, seconds: 0.3) } == "ADB011")
    // The owner accepts while we wait.
    let owner = try OwnThread { _ in
      Host.sleep(nanoseconds: 200_000_000)
      phone.faults.withLock { $0.state = "device" }
    }
    #expect(try server.connect(address, seconds: 60).transport == .tcp)
    owner.join()
    // A connection that is being torn down is still listed as usable: it is made anew.
    phone.faults.withLock { $0.isTornDown = true }
    #expect(try server.connect(address, seconds: 60).state == .ready)
    #expect(try server.run("echo on", on: address.text).text == "on\n")
    try server.disconnect(address)
    #expect(try server.devices().isEmpty)
  }

  @Test func changesAreSeen() throws {
    try withPhone { server, phone in
      let tracker = try ADBTracker(server)
      func next() throws -> [ADBEntry.State]? {
        try tracker.next(until: Host.monotonicNanoseconds() + 60_000_000_000)?.map(\.state)
      }
      var states = try next()
      #expect(states == [.ready])
      phone.faults.withLock { $0.state = "offline" }
      states = try next()
      #expect(states == [.offline])
      let none = try tracker.next(until: Host.monotonicNanoseconds() + 50_000_000)
      #expect(none == nil)
      phone.faults.withLock { $0.state = "device" }
      states = try next()
      #expect(states == [.ready])
    }
  }
}
