import AssayBase
import AssayHost
import Synchronization

/// A phone that is a folder: its paths lie below `root`, its commands run in this machine's shell with
/// stand-ins for what only Android has.
public final class EmulatedPhone: Sendable {
  /// What goes wrong, and when.
  public struct Faults: Sendable {
    /// The word that the server tells of it: `device`, `offline`, `unauthorized`.
    public var state = "device"
    /// Bytes after which a transfer of files breaks off.
    public var transferLimit: Int?
    /// Whether shells start and never say anything.
    public var hangs = false
    /// One connection in so many breaks off somewhere; 0 for none.
    public var cutOneIn = 0
    /// How long the phone is away after that, milliseconds.
    public var absence: UInt64 = 0
    /// Whether the server still lists a connection that is being torn down: services end at once, until
    /// somebody lets go of it.
    public var isTornDown = false
    /// Bytes of storage that are left; a push of more is refused.
    public var storage = Int.max

    public init() {}
  }

  /// The word that names it.
  public let serial: String
  /// The folder.
  public let root: String
  /// What its daemon says that it can do.
  public let features: String
  /// What goes wrong.
  public let faults = Mutex(Faults())
  private let random: Mutex<SeededRNG>
  private let awayUntil = Mutex<UInt64>(0)

  /// Makes a phone in a new folder.
  ///
  /// - Parameters:
  ///   - properties: what `getprop` tells.
  ///   - features: `nil` for those of Android 13.
  public init(
    serial: String,
    root: String,
    properties: [String: String] = EmulatedPhone.pixel,
    features: String = "shell_v2,cmd,stat_v2,ls_v2,fixed_push_mkdir,sendrecv_v2",
    seed: UInt64 = 1
  ) throws {
    self.serial = serial
    self.root = root
    self.features = features
    random = Mutex(SeededRNG(seed: seed))
    for folder in ["data/local/tmp", "sdcard", "bin"] {
      try Host.makeFolders(Host.join(root, folder))
    }
    let lines = properties.sorted { $0.key < $1.key }.map { "\($0.key)=\($0.value)\n" }
    try AtomicFile.write(lines.joined(), to: Host.join(root, "properties"))
    try stub(
      "getprop",
      """
      if [ $# -eq 0 ]; then sed -E 's/^([^=]*)=(.*)/[\\1]: [\\2]/' '\(root)/properties'
      else grep -m1 "^$1=" '\(root)/properties' | cut -d= -f2-; fi
      exit 0
      """
    )
    try stub(
      "dumpsys",
      "cat \"\(root)/dumpsys_$1.txt\" 2>/dev/null || echo \"Can't find service: $1\""
    )
    try stub("settings", "cat \"\(root)/settings_$2_$3.txt\" 2>/dev/null || echo null")
    try stub(
      "logcat",
      """
      case " $* " in
      *" -c "*) : >'\(root)/logcat.txt';;
      *) cat '\(root)/logcat.txt' 2>/dev/null;;
      esac
      """
    )
  }

  /// The properties of a common phone.
  public static let pixel: [String: String] = [
    "ro.product.manufacturer": "Google", "ro.product.model": "Pixel 6",
    "ro.product.device": "oriole",
    "ro.product.name": "oriole", "ro.product.cpu.abi": "arm64-v8a",
    "ro.product.cpu.abilist": "arm64-v8a,armeabi-v7a,armeabi", "ro.build.version.release": "13",
    "ro.build.version.sdk": "33", "ro.hardware": "oriole", "ro.board.platform": "gs101",
    "ro.soc.manufacturer": "Google", "ro.soc.model": "Tensor", "ro.serialno": "0A1B2C3D4E5F",
    "ro.hardware.egl": "mali",
    "ro.build.fingerprint": "google/oriole/oriole:13/TQ3A/1:user/release-keys",
  ]

  /// Adds a program to the phone's search path.
  public func stub(_ name: String, _ body: String) throws {
    let path = Host.join(root, "bin/\(name)")
    try AtomicFile.write("#!/bin/sh\n\(body)\n", to: path)
    try Host.makeProgram(path)
  }

  /// Writes a file at a path of the phone.
  public func put(_ text: String, at path: String) throws {
    let full = root + path
    try Host.makeFolders(Host.folder(of: full))
    try AtomicFile.write(text, to: full)
  }

  /// Every file below a folder of the phone, by its path there.
  public func files(below folder: String = "/data/local/tmp") -> [String] {
    var found: [String] = []
    func visit(_ path: String) {
      for name in (try? Host.list(root + path)) ?? [] {
        let child = Host.join(path, name)
        if Host.kind(of: root + child) == .folder { visit(child) } else { found.append(child) }
      }
    }
    visit(folder)
    return found
  }

  /// Processes of this machine that were started on the phone and live.
  public func processes() -> [Int32] {
    ((try? Host.list("/proc")) ?? []).compactMap { Int32($0) }.filter { id in
      guard let variables = Host.smallText("/proc/\(id)/environ"),
        variables.contains("EMULATED_PHONE=\(root)\0"),
        let status = Host.smallText("/proc/\(id)/stat")
      else { return false }
      return !status.contains(") Z ")
    }
  }

  /// The state that the server tells now; `nil` while the phone is away.
  var state: String? {
    let away = awayUntil.withLock { $0 }
    if Host.monotonicNanoseconds() < away { return nil }
    return faults.withLock { $0.state }
  }

  /// After how many bytes a new connection breaks off; `nil` for never.
  func fate() -> Int? {
    let oneIn = faults.withLock { $0.cutOneIn }
    guard oneIn > 0 else { return nil }
    return random.withLock { rng in
      guard rng.next() % UInt64(oneIn) == 0 else { return nil }
      // Often within the first exchange, sometimes far into a transfer.
      return Int(rng.next() % (rng.next() % 3 == 0 ? 200_000 : 400))
    }
  }

  /// The cable was drawn.
  func wasCut() {
    let absence = faults.withLock { $0.absence }
    awayUntil.withLock { $0 = Host.monotonicNanoseconds() + absence * 1_000_000 }
  }

  /// A command with the phone's paths turned into those below its root.
  func translated(_ command: String) -> String {
    var result = ""
    var rest = command[...]
    while let slash = rest.firstIndex(of: "/") {
      let before = rest[..<slash].last ?? result.last
      result += rest[..<slash]
      rest = rest[slash...]
      let isPath = before.map { !$0.isLetter && !$0.isNumber && !"._-/".contains($0) } ?? true
      if isPath, EmulatedPhone.folders.contains(where: { rest.hasPrefix($0) }) { result += root }
      result += "/"
      rest = rest.dropFirst()
    }
    return result + rest
  }

  private static let folders = ["/data", "/sdcard", "/system", "/sys/", "/vendor", "/proc/cpuinfo"]

  /// The variables of its commands.
  var environment: [String: String] {
    [
      "PATH": "\(root)/bin:/usr/bin:/bin", "HOME": root, "EMULATED_PHONE": root,
      "TMPDIR": root + "/data/local/tmp", "ENV": "", "BASH_ENV": "",
    ]
  }
}
