import AssayBase
import AssayDevice
import AssayHost
import AssayTestSupport
import Testing

/// This machine behind a process that stands for the way, as ssh does: when that is killed, what runs on
/// the other side only sees its input end.
final class FarDevice: ShellDevice {
  private let near: LocalDevice
  let address = DeviceAddress.local
  let transport = "far"
  var scratchRoot: String { near.scratchRoot }

  init(_ settings: DeviceSettings) { near = LocalDevice(settings) }

  func run(_ script: String, seconds: Double) throws -> CommandResult {
    try near.run(script, seconds: seconds)
  }
  func open(_ script: String) throws -> any DeviceStream {
    try ProcessStream("/bin/sh", ["-c", "cat | sh -c " + Words.shell([script])])
  }
  func push(_ file: String, to path: String, isExecutable: Bool, seconds: Double?) throws {
    try near.push(file, to: path, isExecutable: isExecutable, seconds: seconds)
  }
  func pull(_ path: String, to file: String, seconds: Double?) throws {
    try near.pull(path, to: file, seconds: seconds)
  }
  func reconnect() {}
  func close() {}
}

@Suite struct FolderTests {
  private func withRoot<T>(_ body: (FarDevice, String) throws -> T) throws -> T {
    let root = try Host.makeTemporaryFolder("device-root")
    defer { try? Host.remove(root) }
    var settings = DeviceSettings()
    settings.root = root
    return try body(FarDevice(settings), root)
  }

  @Test func filesComeOnceByTheirBytesAndNothingStays() throws {
    try withRoot { device, root in
      let journal = DeviceJournal()
      let folder = try DeviceFolder(device, journal: journal)
      let file = root + "/a b'c.bin"
      try AtomicFile.write("some bytes", to: file)
      let first = try folder.push(file, suffix: ".bin")
      #expect(Host.smallText(first) == "some bytes")
      #expect(try folder.push(file, suffix: ".bin") == first)
      #expect(journal.entries.filter { $0.action == "push" }.count == 1)
      // Another session would find it by its bytes, and bytes that rotted are replaced.
      try AtomicFile.write("other", to: first)
      try folder.takeOver()
      #expect(try folder.push(file, suffix: ".bin") == first)
      #expect(Host.smallText(first) == "some bytes")
      #expect(folder.close())
      #expect(try Host.list(root) == ["a b'c.bin"])
    }
  }

  /// The side that made the folder is killed: the device removes it by itself, but not under one that
  /// came back for it.
  @Test func theDeviceRemovesWhatNobodyComesBackFor() throws {
    try withRoot { device, root in
      var folder: DeviceFolder? = try DeviceFolder(device, journal: DeviceJournal(), grace: 1)
      let path = folder?.path ?? ""
      try folder?.takeOver()
      Host.sleep(nanoseconds: 1_500_000_000)
      #expect(Host.exists(path))
      // Without a word: its watch sees its input end.
      folder = nil
      #expect(eventually { !Host.exists(path) })
    }
  }

  @Test func aHungCommandIsCutOff() throws {
    let fault = #expect(throws: Diagnostic.self) {
      try LocalDevice().run("exec sleep 30", seconds: 0.2)
    }
    #expect(fault?.code == "DEV011")
    #expect(
      try LocalDevice().run("echo a; echo b >&2; exit 3", seconds: 60)
        == CommandResult(status: 3, output: "a\n", errors: "b\n")
    )
  }

  @Test func aProgramStandsForADevice() throws {
    var settings = DeviceSettings()
    settings.program = [
      "sh", "-c", #"read -r l; echo '{"ok":true,"facts":{"model":"Board","processorCount":2}}'"#,
    ]
    let device = try ProgramDevice(.program(name: "board"), settings)
    let facts = try device.probe()
    #expect(facts.model == "Board")
    #expect(facts.processorCount == 2)
    settings.program = ["sh", "-c", "echo no words >&2; exit 1"]
    let fault = #expect(throws: Diagnostic.self) {
      try ProgramDevice(.program(name: "board"), settings).probe()
    }
    #expect(fault?.code == "DEV010")
    #expect(fault?.cause?.contains("no words") == true)
  }
}
