import AssayBase
import AssayHost
import AssayTestSupport
import RuntimeLiteRT
import Testing
import VendorEdgeTPU

/// What stands between a user and an Edge TPU, told apart in made-up systems.
@Suite struct DiagnosisTests {
  /// A system's folders.
  private final class System {
    let root: String

    init() throws { root = try Host.makeTemporaryFolder("assay-edgetpu-system") }
    deinit { try? Host.remove(root) }

    func write(_ path: String, _ text: String) throws {
      let file = Host.join(root, path)
      try Host.makeFolders(Host.folder(of: file))
      try AtomicFile.write(text + "\n", to: file)
    }

    func stick(_ port: String, isBooted: Bool, speed: String) throws {
      let folder = "sys/bus/usb/devices/\(port)"
      try write(folder + "/idVendor", isBooted ? "18d1" : "1a6e")
      try write(folder + "/idProduct", isBooted ? "9302" : "089a")
      try write(folder + "/speed", speed)
      try write(folder + "/version", " 3.10")
      try write(folder + "/busnum", "2")
      try write(folder + "/devnum", "7")
    }

    func card(hasDriver: Bool, temperature: String? = nil) throws {
      let folder = "sys/bus/pci/devices/0000:01:00.0"
      try write(folder + "/vendor", "0x1ac1")
      try write(folder + "/device", "0x089a")
      if hasDriver { try write("dev/apex_0", "") }
      if let temperature { try write("sys/class/apex/apex_0/temp", temperature) }
    }
  }

  private let library = EdgeTPUDiagnosis.Library(
    version: "BuildLabel(N/A), RuntimeVersion(14)",
    runtimeVersion: 14,
    deviceCount: 1
  )

  private func diagnose(
    _ system: System,
    library: EdgeTPUDiagnosis.Library? = nil,
    minimumRuntime: Int? = nil,
    mayOpen: Bool = true,
    log: String = ""
  ) -> EdgeTPUDiagnosis {
    EdgeTPUDiagnosis(
      root: system.root,
      library: library,
      minimumRuntime: minimumRuntime,
      mayOpen: { _ in mayOpen },
      kernelLog: log
    )
  }

  @Test func aGoodStick() throws {
    let system = try System()
    try system.stick("2-1", isBooted: true, speed: "5000")
    let diagnosis = diagnose(system, library: library)
    #expect(diagnosis.findings == [])
    #expect(diagnosis.hardware.sticks.map(\.link) == ["USB 3 (5000 Mb/s)"])
    #expect(diagnosis.hardware.sticks.first?.node == "/dev/bus/usb/002/007")
    #expect(diagnosis.deviceAvailability == .available(version: "USB 3 (5000 Mb/s)"))
  }

  @Test func theLibraryIsMissing() throws {
    let system = try System()
    try system.stick("2-1", isBooted: false, speed: "5000")
    let diagnosis = diagnose(system)
    #expect(diagnosis.findings.map(\.code) == ["TPU010"])
    #expect(diagnosis.findings[0].remedy?.contains("libedgetpu1-std") == true)
    #expect(diagnosis.deviceAvailability.isAvailable)
  }

  @Test func noPermission() throws {
    let system = try System()
    try system.stick("2-1", isBooted: true, speed: "5000")
    let finding = try #require(diagnose(system, library: library, mayOpen: false).findings.first)
    #expect(finding.code == "TPU021" && finding.location == ["/dev/bus/usb/002/007"])
    // The rule for both numbers and the group are printed.
    let remedy = try #require(finding.remedy)
    for rule in EdgeTPUDiagnosis.udevRules { #expect(remedy.contains(rule)) }
    #expect(remedy.contains("plugdev") && remedy.contains("udevadm"))
    #expect(EdgeTPUDiagnosis.udevRules.count == 2)
    // A rule that is there is not asked for again.
    try system.write(
      "lib/udev/rules.d/60-libedgetpu1-std.rules",
      EdgeTPUDiagnosis.udevRules.joined(separator: "\n")
    )
    let again = try #require(diagnose(system, library: library, mayOpen: false).findings.first)
    #expect(again.remedy?.contains("rule is there") == true)
    #expect(again.remedy?.contains("SUBSYSTEM") == false)
  }

  @Test func notEnumerated() throws {
    let system = try System()
    try system.write("sys/bus/usb/devices/1-1/idVendor", "046d")
    try system.write("sys/bus/usb/devices/1-1/idProduct", "c52b")
    let diagnosis = diagnose(system, library: library)
    #expect(diagnosis.findings.map(\.code) == ["TPU020"])
    guard case .unavailable(_, let remedy) = diagnosis.deviceAvailability else {
      Issue.record("there is no device")
      return
    }
    #expect(remedy.contains("plug it in"))
  }

  @Test func aSlowLink() throws {
    let system = try System()
    try system.stick("1-3", isBooted: true, speed: "480")
    let diagnosis = diagnose(system, library: library)
    #expect(diagnosis.findings.map(\.code) == ["TPU022"])
    #expect(diagnosis.findings[0].severity == .warning)
    // It can be used, and the list of plug-ins says what is slow.
    guard case .available(let words) = diagnosis.deviceAvailability else {
      Issue.record("a slow device can be used")
      return
    }
    #expect(words.contains("USB 2 (480 Mb/s)") && words.contains("USB 3 port"))
  }

  @Test func aBadCable() throws {
    let system = try System()
    try system.stick("1-3", isBooted: false, speed: "12")
    let slow = diagnose(system, library: library).findings
    #expect(slow.map(\.code) == ["TPU023"] && slow[0].summary.contains("12 Mb/s"))

    let shaky = try System()
    try shaky.stick("2-1", isBooted: true, speed: "5000")
    let log = """
      [  100.1] usb 2-1: new SuperSpeed USB device number 7 using xhci_hcd
      [  140.2] usb 2-1: device descriptor read/64, error -71
      [  150.0] usb 3-2: device descriptor read/64, error -110
      """
    let lost = diagnose(shaky, library: library, log: log).findings
    #expect(lost.map(\.code) == ["TPU023"] && lost[0].cause?.contains("error -71") == true)

    let empty = try System()
    let words = "[  99.0] usb usb2-port1: unable to enumerate USB device"
    let gone = diagnose(empty, library: library, log: words).findings
    #expect(gone.map(\.code) == ["TPU023"] && gone[0].cause == words)
  }

  @Test func anotherVersion() throws {
    let system = try System()
    try system.stick("2-1", isBooted: true, speed: "5000")
    var old = library
    old.runtimeVersion = 12
    let diagnosis = diagnose(system, library: old, minimumRuntime: 14)
    #expect(diagnosis.findings.map(\.code) == ["TPU024"])
    #expect(diagnosis.findings[0].remedy?.contains("--min-runtime 12") == true)
    #expect(diagnose(system, library: old, minimumRuntime: 12).findings == [])
  }

  @Test func theLibrarySeesNothing() throws {
    let system = try System()
    try system.stick("2-1", isBooted: true, speed: "5000")
    var blind = library
    blind.deviceCount = 0
    #expect(diagnose(system, library: blind).findings.map(\.code) == ["TPU026"])
  }

  @Test func cards() throws {
    let system = try System()
    try system.card(hasDriver: false)
    #expect(diagnose(system, library: library).findings.map(\.code) == ["TPU025"])
    try system.card(hasDriver: true, temperature: "51300")
    let good = diagnose(system, library: library)
    #expect(good.findings == [] && good.hardware.cards.first?.celsius == 51.3)
    #expect(good.deviceAvailability == .available(version: "PCIe, 51.3 °C"))
    #expect(diagnose(system, library: library, mayOpen: false).findings.map(\.code) == ["TPU021"])
    try system.card(hasDriver: true, temperature: "91000")
    #expect(diagnose(system, library: library).findings.map(\.code) == ["TPU027"])
  }

  @Test func oddFilesAreNoFaults() throws {
    let system = try System()
    try system.stick("2-1", isBooted: true, speed: "fast")
    try system.write("sys/bus/usb/devices/2-1/version", "3")
    try system.write("sys/bus/usb/devices/2-1/devnum", "")
    let stick = diagnose(system, library: library).hardware.sticks.first
    #expect(stick?.megabits == nil && stick?.usbVersion == nil && stick?.node == nil)
    #expect(stick?.link == "USB, of unknown speed")
  }
}
