import AssayADB
import AssayBase
import AssayDevice
import AssayHost
import AssayTestSupport
import PhoneEmulation
import Synchronization
import Testing

@testable import DeviceADB

/// Runs `body` with an emulated phone as a device.
func withDevice(
  properties: [String: String] = EmulatedPhone.pixel,
  _ body: (ADBDevice, EmulatedPhone) throws -> Void
) throws {
  let folder = try Host.makeTemporaryFolder("assay-device")
  defer { try? Host.remove(folder) }
  let phone = try EmulatedPhone(serial: "0A1B2C3D4E5F", root: folder, properties: properties)
  let emulated = try EmulatedServer([phone])
  defer { emulated.end() }
  let server = ADBServer(port: emulated.port, patience: 60)
  try body(try ADBDevice(.adb(serial: phone.serial), server: server), phone)
}

@Suite struct ADBDeviceTests {
  @Test func aPhoneTellsWhatItIs() throws {
    try withDevice { device, phone in
      try phone.put("Mali-G78\n", at: "/sys/class/misc/mali0/device/gpuinfo")
      let facts = try device.probe()
      #expect(facts.transport == "usb")
      #expect(facts.model == "Google Pixel 6")
      #expect(facts.processor == "Google Tensor")
      #expect(facts.system == "Android 13")
      #expect(facts.emulator == nil)
      #expect(facts.further["abi"] == "arm64-v8a")
      #expect(facts.further["gpu"] == "Mali-G78")
      #expect(facts.further["api"] == "33")
      #expect(facts.further["runner"] == nil)
      #expect(facts.memoryBytes != nil)
      #expect(facts.individual?.count == 12)
    }
  }

  @Test(arguments: [
    (["ro.kernel.qemu": "1"], "ro.kernel.qemu"), (["ro.hardware": "ranchu"], "ranchu"),
    (["ro.product.device": "generic_x86_64"], "generic_x86_64"),
    (["ro.build.fingerprint": "generic/sdk/generic:9/x:user"], "generic build"),
  ])
  func emulatorsAreTold(changes: [String: String], word: String) throws {
    let properties = EmulatedPhone.pixel.merging(changes) { $1 }
    let text = properties.map { "[\($0.key)]: [\($0.value)]\n" }.joined()
    #expect(AndroidFacts(transcript: text).emulator?.contains(word) == true)
    let real = EmulatedPhone.pixel.map { "[\($0.key)]: [\($0.value)]\n" }.joined()
    #expect(AndroidFacts(transcript: real).emulator == nil)
  }

  @Test(arguments: [("armeabi-v7a", "32-bit Arm"), ("x86", "32-bit x86"), ("riscv64", "riscv64")])
  func otherProcessorsAreRefusedByName(abi: String, word: String) {
    let facts = AndroidFacts(
      transcript: "[ro.product.cpu.abi]: [\(abi)]\n[ro.product.cpu.abilist]: [\(abi)]\n"
    )
    #expect(facts.runnerObstacle?.code == "ADB050")
    #expect(facts.runnerObstacle?.summary.contains(word) == true)
    #expect(facts.runnerObstacle?.remedy?.contains("benchmark_model") == true)
  }

  @Test func oddAnswersAreNotKnown() {
    for text in ["", "@gpu", "[a]: [", "]: []", "[]: []\n@graphics\nGLES: a", "@\n@@\n\0"] {
      var facts = DeviceFacts()
      AndroidFacts(transcript: text).add(to: &facts)
      #expect(facts.model == nil)
    }
  }

  @Test func filesAndCommandsGoThere() throws {
    try withDevice { device, phone in
      let folder = try Host.makeTemporaryFolder("assay-device")
      defer { try? Host.remove(folder) }
      let file = Host.join(folder, "program")
      try AtomicFile.write("#!/bin/sh\necho ran\n", to: file)
      let place = device.scratchRoot + "/program"
      try device.push(file, to: place, isExecutable: true, seconds: nil)
      #expect(try device.run(place, seconds: 60) == CommandResult(status: 0, output: "ran\n"))
      try device.pull(place, to: file + ".back", seconds: nil)
      #expect(Host.smallText(file + ".back") == "#!/bin/sh\necho ran\n")
      // What was on its way has its name only when it is whole.
      #expect(phone.files() == [place])
      #expect(throws: Diagnostic.self) {
        try device.pull(place + ".none", to: file, seconds: nil)
      }
    }
  }

  @Test func aStreamIsLinesBothWays() throws {
    try withDevice { device, _ in
      let stream = try device.open("while read -r x; do echo \"got $x\"; done; echo e >&2; exit 4")
      func line() -> DeviceLine {
        stream.readLine(until: Host.monotonicNanoseconds() + 60_000_000_000)
      }
      #expect(stream.write("one"))
      #expect(line() == .line("got one"))
      #expect(stream.readLine(until: Host.monotonicNanoseconds() + 20_000_000) == .timeout)
      #expect(stream.write("two"))
      #expect(line() == .line("got two"))
      #expect(stream.end(seconds: 60) == 4)
      #expect(stream.errorTail() == "e\n")
    }
  }

  @Test func faultsOfTheWayHaveTheWordsOfEveryDriver() throws {
    try withDevice { device, phone in
      func fault(_ body: () throws -> Void) -> String? {
        do {
          try body()
          return nil
        } catch {
          return (error as? Diagnostic)?.code
        }
      }
      #expect(fault { _ = try device.run("exec sleep 20", seconds: 0.2) } == "DEV011")
      phone.faults.withLock { $0.state = "offline" }
      #expect(fault { _ = try device.run("true", seconds: 60) } == "DEV010")
      // The owner must act: nobody climbs a ladder for that.
      phone.faults.withLock { $0.state = "unauthorized" }
      #expect(fault { _ = try device.run("true", seconds: 60) } == "ADB011")
      #expect(fault { try device.reconnect() } == "ADB011")
      phone.faults.withLock { $0.state = "device" }
      try device.reconnect()
      phone.faults.withLock { $0.storage = 10 }
      let file = phone.root + "/large"
      try AtomicFile.write(String(repeating: "x", count: 1000), to: file)
      let refusal = fault {
        try device.push(file, to: "/data/local/tmp/x", isExecutable: false, seconds: nil)
      }
      #expect(refusal == "DEV012")
    }
  }

  @Test func ourFolderComesAndGoes() throws {
    try withDevice { device, phone in
      let folder = try DeviceFolder(device, journal: DeviceJournal(), grace: 1)
      let file = phone.root + "/file"
      try AtomicFile.write("content", to: file)
      let path = try folder.push(file)
      #expect(try device.run("cat \(path)", seconds: 60).output == "content")
      #expect(folder.close())
      #expect(phone.files() == [])
    }
  }

  @Test func listingsHaveStatesAndRemedies() throws {
    try withDevice { device, phone in
      let driver = ADBDriver(server: device.server)
      guard case .available(let version) = driver.probe() else {
        Issue.record("the driver sees no server")
        return
      }
      #expect(version == "server 41, 1 phone")
      phone.faults.withLock { $0.state = "unauthorized" }
      let listing = try #require(driver.list(DeviceBook()).first)
      #expect(listing.address == .adb(serial: phone.serial))
      #expect(listing.obstacle?.code == "ADB011")
      phone.faults.withLock { $0.state = "device" }
      #expect(driver.list(DeviceBook()).first?.note == "Pixel 6, usb")
    }
  }
}
