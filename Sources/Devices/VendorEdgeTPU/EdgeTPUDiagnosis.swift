import AssayBase
import AssayHost
import RuntimeLiteRT

/// Why an Edge TPU cannot be used, or is slower than it could be: what stands in the way, told apart.
public struct EdgeTPUDiagnosis: Sendable {
  /// The library as far as it matters here.
  public struct Library: Sendable, Equatable {
    /// Its own words for its version.
    public var version: String
    /// The version of its runtime; `nil` when it does not tell.
    public var runtimeVersion: Int?
    /// Devices that it finds; `nil` when it was not asked.
    public var deviceCount: Int?

    /// Makes a description.
    public init(version: String, runtimeVersion: Int?, deviceCount: Int? = nil) {
      self.version = version
      self.runtimeVersion = runtimeVersion
      self.deviceCount = deviceCount
    }
  }

  /// What the system sees.
  public var hardware: EdgeTPUHardware
  /// What stands in the way, what matters most first.
  public var findings: [Diagnostic]
  /// The library; `nil` when there is none.
  public var library: Library?

  /// The rules that give a user the stick, for a file in /etc/udev/rules.d.
  public static let udevRules = [EdgeTPUHardware.unbootedID, EdgeTPUHardware.bootedID].map { id in
    #"SUBSYSTEM=="usb", ATTRS{idVendor}=="\#(id.vendor)", ATTRS{idProduct}=="\#(id.product)", "#
      + #"MODE="0664", GROUP="\#(group)", TAG+="uaccess""#
  }
  /// The group of users that the rules give it to.
  static let group = "plugdev"

  /// Looks at this machine.
  public static func current() -> EdgeTPUDiagnosis {
    var library: Library?
    var absence: Diagnostic?
    do {
      let found = try EdgeTPULibrary.shared()
      library = Library(
        version: found.version,
        runtimeVersion: found.runtimeVersion,
        deviceCount: found.devices().count
      )
    } catch {
      absence = error as? Diagnostic
    }
    return EdgeTPUDiagnosis(
      library: library,
      absence: absence,
      mayOpen: EdgeTPUHardware.mayOpen,
      kernelLog: kernelLog()
    )
  }

  /// Judges what is found.
  ///
  /// - Parameters:
  ///   - root: the folder that is taken for `/`.
  ///   - library: the library; `nil` when there is none.
  ///   - absence: why there is no library.
  ///   - minimumRuntime: the runtime version that a compiled file needs; `nil` when there is no file.
  ///   - mayOpen: whether this user may open a device file.
  ///   - kernelLog: the kernel's last lines; empty when they may not be read.
  public init(
    root: String = "/",
    library: Library?,
    absence: Diagnostic? = nil,
    minimumRuntime: Int? = nil,
    mayOpen: (String) -> Bool,
    kernelLog: String = ""
  ) {
    hardware = EdgeTPUHardware(root: root)
    self.library = library
    findings = []
    judgeDevices(root, mayOpen, kernelLog)
    if library == nil {
      findings.append(
        absence
          ?? Diagnostic(
            "TPU010",
            "libedgetpu is not installed",
            remedy: EdgeTPULibrary.remedy
          )
      )
    }
    if let minimumRuntime, let have = library?.runtimeVersion, have < minimumRuntime {
      findings.append(Self.mismatch(minimumRuntime, have))
    }
    let seen = hardware.sticks.count + hardware.cards.count { $0.node != nil }
    if let count = library?.deviceCount, count == 0, seen > 0, findings.isEmpty {
      findings.append(
        Diagnostic(
          "TPU026",
          "the system sees an Edge TPU, libedgetpu does not",
          remedy:
            "another program may hold it; in a container or a virtual machine hand the USB device "
            + "on in both of its forms (1a6e:089a and 18d1:9302)"
        )
      )
    }
  }

  /// The finding for a file that is newer than the library.
  public static func mismatch(_ needed: Int, _ have: Int) -> Diagnostic {
    Diagnostic(
      "TPU024",
      "the file needs runtime version \(needed), libedgetpu has \(have)",
      remedy:
        "install a newer libedgetpu, or compile again for this one: assay edgetpu MODEL --compile "
        + "--min-runtime \(have)"
    )
  }

  private mutating func judgeDevices(
    _ root: String,
    _ mayOpen: (String) -> Bool,
    _ log: String
  ) {
    if hardware.sticks.isEmpty, hardware.cards.isEmpty {
      findings.append(absentDevice(log))
      return
    }
    for card in hardware.cards { judge(card, mayOpen) }
    for stick in hardware.sticks { judge(stick, root, mayOpen, log) }
  }

  private func absentDevice(_ log: String) -> Diagnostic {
    if let line = Self.troubles(log).last {
      return Diagnostic(
        "TPU023",
        "a USB device does not come up: if it is the Edge TPU, the cable or the port is bad",
        remedy:
          "use the cable that came with it or another for USB 3, in a port of the machine itself",
        cause: line
      )
    }
    return Diagnostic(
      "TPU020",
      "no Edge TPU is connected: neither a stick (1a6e:089a or 18d1:9302) nor a card (1ac1:089a) is seen",
      remedy: "plug it in: its light shines when it has power; try another port"
    )
  }

  private mutating func judge(_ card: EdgeTPUHardware.Card, _ mayOpen: (String) -> Bool) {
    guard let node = card.node else {
      findings.append(
        Diagnostic(
          "TPU025",
          "an Edge TPU on PCIe has no driver",
          at: [card.path],
          remedy:
            "install gasket-dkms from the maker's Debian archive and load the modules gasket and apex"
        )
      )
      return
    }
    if !mayOpen(node) {
      findings.append(
        Diagnostic(
          "TPU021",
          "this user may not open the Edge TPU",
          at: [node],
          remedy: #"write SUBSYSTEM=="apex", MODE="0660", GROUP="apex" into "#
            + "/etc/udev/rules.d/65-apex.rules, then: sudo udevadm control --reload-rules && sudo udevadm "
            + "trigger; sudo adduser $USER apex; log in again"
        )
      )
    }
    if let celsius = card.celsius, celsius >= 85 {
      findings.append(
        Diagnostic(
          "TPU027",
          "the Edge TPU is at \(Words.fixed(celsius, 1)) °C: its driver slows it down from 85 °C on",
          at: [node],
          remedy: "cool it before measuring",
          severity: .warning
        )
      )
    }
  }

  private mutating func judge(
    _ stick: EdgeTPUHardware.Stick,
    _ root: String,
    _ mayOpen: (String) -> Bool,
    _ log: String
  ) {
    let port = Host.name(of: stick.path)
    if let node = stick.node, !mayOpen(node) {
      findings.append(
        Diagnostic(
          "TPU021",
          "this user may not open the Edge TPU",
          at: [node],
          remedy: Self.permissionRemedy(hasRule: Self.hasRule(root))
        )
      )
    }
    if let speed = stick.megabits, speed < 480 {
      findings.append(
        Diagnostic(
          "TPU023",
          "the Edge TPU on port \(port) came up at \(speed) Mb/s: the cable or the port is bad",
          at: [stick.path],
          remedy:
            "use the cable that came with it or another for USB 3, in a port of the machine itself"
        )
      )
    } else if let line = Self.troubles(log).last(where: { $0.utf8Contains("usb \(port):") }) {
      findings.append(
        Diagnostic(
          "TPU023",
          "the Edge TPU on port \(port) lost its connection: the cable or the port is bad",
          at: [stick.path],
          remedy:
            "use the cable that came with it or another for USB 3, in a port of the machine itself",
          cause: line,
          severity: .warning
        )
      )
    } else if stick.megabits == 480 {
      findings.append(
        Diagnostic(
          "TPU022",
          "the Edge TPU on port \(port) runs at USB 2: sending inputs and parameters takes ten times as "
            + "long",
          at: [stick.path],
          remedy: "use a USB 3 port (blue, or marked SS) and a cable for USB 3",
          severity: .warning
        )
      )
    }
  }

  /// Whether a rule for the stick is there already.
  private static func hasRule(_ root: String) -> Bool {
    ["etc/udev/rules.d", "lib/udev/rules.d", "usr/lib/udev/rules.d"].contains { folder in
      let path = Host.join(root, folder)
      return ((try? Host.list(path)) ?? []).contains { name in
        guard name.hasSuffix(".rules"), let text = Host.smallText(Host.join(path, name)) else {
          return false
        }
        return text.utf8Contains(EdgeTPUHardware.bootedID.product)
          && text.utf8Contains(EdgeTPUHardware.bootedID.vendor)
      }
    }
  }

  private static func permissionRemedy(hasRule: Bool) -> String {
    let join = "sudo adduser $USER \(group); log in again and plug the stick in again"
    if hasRule { return "the udev rule is there: " + join }
    return "write into /etc/udev/rules.d/99-edgetpu.rules:\n"
      + udevRules.map { "            \($0)\n" }.joined()
      + "          then: sudo udevadm control --reload-rules && sudo udevadm trigger; " + join
  }

  /// Lines of the kernel that tell of a bad connection on the USB.
  private static func troubles(_ log: String) -> [String] {
    let signs = [
      "device descriptor read/", "unable to enumerate USB device", "device not accepting address",
      "Cannot enable. Maybe the USB cable is bad", "attempt power cycle",
    ]
    return CompilerReport.lines(log).filter { line in
      line.utf8Contains("usb") && signs.contains { line.utf8Contains($0) }
    }
  }

  /// The kernel's last lines; empty when this user may not read them.
  private static func kernelLog() -> String {
    guard let program = ["/usr/bin/dmesg", "/bin/dmesg"].first(where: { Host.exists($0) }),
      let call = try? TimedCall(program, [], seconds: 3), call.end == .exited(0)
    else { return "" }
    return call.text
  }

  /// The state of the device in one line for a list of plug-ins, whether or not there is a library.
  public var deviceAvailability: Availability {
    let own = findings.filter { $0.code != "TPU010" && $0.code != "TPU011" }
    if let finding = own.first(where: { $0.severity == .error }) {
      let cause = finding.cause.map { ": \($0)" } ?? ""
      return .unavailable(
        reason: finding.summary + cause,
        remedy: finding.remedy ?? EdgeTPULibrary.remedy
      )
    }
    let cards = hardware.cards.map { card in
      "PCIe" + (card.celsius.map { ", \(Words.fixed($0, 1)) °C" } ?? "")
    }
    // What only makes it slow is told beside the link.
    let notes = own.map { $0.summary + ($0.remedy.map { ": \($0)" } ?? "") }
    return .available(
      version: (hardware.sticks.map(\.link) + cards + notes).joined(separator: "; ")
    )
  }
}
