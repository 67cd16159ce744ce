import AssayBase
import AssayDevice
import AssayHost
import AssayTestSupport
import DeviceSSH
import Testing

@Suite(.enabled(if: SSHServer.isThere, "there is no ssh server"))
struct SSHTests {
  let server: SSHServer

  init() throws { server = try SSHServer.shared.get() }

  @Test func commandsAndFilesGoThereAndBack() throws {
    try withFolder { folder in
      let device = try server.device(root: folder)
      defer { device.close() }
      let result = try device.run("echo a; echo b >&2; exit 3", seconds: 60)
      #expect(result.status == 3 && result.output == "a\n")
      // What the user's shell says by itself when it starts may stand before it.
      #expect(result.errors.hasSuffix("b\n"), "\(result.errors)")
      // Bytes that no text has, under a name that no shell likes.
      let bytes = (0..<70_000).map { UInt8(truncatingIfNeeded: $0 &* 7 ^ $0 >> 8) }
      let (here, there, back) = (folder + "/here", folder + "/a 'b' $c\"d", folder + "/back")
      try AtomicFile.write([ByteView(bytes)], to: here)
      try device.push(here, to: there, isExecutable: true, seconds: nil)
      try device.pull(there, to: back, seconds: nil)
      #expect(try MappedFile(path: back).view.array == bytes)
      #expect(try device.run("test -x \(Words.shell([there]))", seconds: 60).status == 0)
      let fault = #expect(throws: Diagnostic.self) {
        try device.push(here, to: folder + "/no/such", isExecutable: false, seconds: nil)
      }
      #expect(fault?.code == "DEV012")
      #expect(throws: Diagnostic.self) {
        try device.pull(folder + "/nothing", to: back + "2", seconds: nil)
      }
      #expect(!Host.exists(back + "2"))
    }
  }

  /// What stands in the way is told in words with a remedy, and no password is ever asked for.
  @Test(
    arguments: [("stranger", "DEV022"), ("unknown", "DEV020"), ("nobody", "DEV024")]
  )
  func whatStandsInTheWayHasARemedy(host: String, code: String) throws {
    let device = try server.device(host)
    defer { device.close() }
    let fault = #expect(throws: Diagnostic.self) { try device.run("true", seconds: 60) }
    #expect(fault?.code == code)
    #expect(fault?.remedy != nil)
    #expect(fault?.cause?.isEmpty == false)
  }

  @Test func aHungShellIsCutOffAndABrokenWayIsLost() throws {
    // A server of its own: it is broken.
    let server = try SSHServer(root: nil)
    let device = try server.device()
    defer { device.close() }
    let silent = #expect(throws: Diagnostic.self) { try device.run("sleep 20", seconds: 0.5) }
    #expect(silent?.code == "DEV011")
    #expect(try device.run("echo there", seconds: 60).output == "there\n")
    let stream = try device.open("echo began; sleep 200")
    #expect(
      stream.readLine(until: Host.monotonicNanoseconds() + 60_000_000_000) == .line("began")
    )
    server.breakConnections()
    #expect(stream.readLine(until: Host.monotonicNanoseconds() + 60_000_000_000) == .end)
    stream.kill()
    // The next action connects anew by itself, or the ladder's first rung does.
    let steps = DeviceLadder(DeviceSettings()).climb(device) {
      (try? device.run("echo there", seconds: 60))?.output == "there\n"
    }
    #expect(steps.map(\.rung) == ["reconnect"])
    #expect(steps.last?.isBack == true)
  }

  @Test func theOtherSideTellsOfItself() throws {
    let device = try server.device()
    defer { device.close() }
    let facts = try device.probe()
    #expect(facts.architecture == MachineInfo.current().architecture)
    #expect(facts.transport == "ssh")
    #expect(facts.library?.isEmpty == false)
  }

  /// The cable is pulled for good: the device cleans up by itself, and nothing of the connection stays
  /// on this side.
  @Test func theDeviceRemovesOurFolderWhenWeDoNotComeBack() throws {
    let server = try SSHServer(root: nil)
    try withFolder { root in
      let device = try server.device(root: root)
      var folder: DeviceFolder? = try DeviceFolder(device, journal: DeviceJournal(), grace: 1)
      #expect(folder != nil)
      #expect(try Host.list(root).count == 1)
      server.breakConnections()
      folder = nil
      device.close()
      #expect(try eventually { try Host.list(root).isEmpty })
    }
  }
}
