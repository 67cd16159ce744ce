import AssayBase
import AssayDevice
import AssayHost
import AssayRuntime
import Synchronization

/// What a device needs to measure: the runner, a runtime's library for its processor, and, where its own
/// C library does not fit, a loader and a C library to bring along.
public struct RunnerBundle: Sendable, Equatable {
  /// One file of the bundle.
  public struct Part: Sendable, Equatable {
    /// Its name in the bundle, such as `lib/libc.so.6`.
    public var name: String
    /// Where it lies on this machine.
    public var path: String
    /// SHA-256 of its bytes.
    public var sha256: String
    /// Its size.
    public var byteCount: Int
  }

  /// The processor that it is for, as `uname -m` says it.
  public var architecture: String
  /// Its files, by name.
  public var parts: [Part]
  /// What the runtime is called, such as `LiteRT`.
  public var title: String
  /// The runtime's library, by its name in the bundle; a path on the device when it is the device's own.
  public var library: String
  /// The runtime's version, as set-up noted it.
  public var version: String
  /// Why its own C library goes along; `nil` when the device's fits.
  public var ownLibrary: String?

  /// What tells this bundle from others: a hash of its files.
  public var hash: String {
    String(sha256(parts.map { "\($0.name) \($0.sha256)" }.joined(separator: "\n")).prefix(16))
  }

  /// Bytes of all its files.
  public var byteCount: Int { parts.reduce(0) { $0 &+ $1.byteCount } }

  /// The words that start its runner when a shell stands in its folder.
  public var command: String {
    guard ownLibrary != nil, let loader = parts.first(where: { $0.name.hasPrefix("lib/ld-") })
    else { return "./assay-runner" }
    return "./\(loader.name) --library-path ./lib ./assay-runner"
  }

  /// The oldest C library with which the runner, and LiteRT's wheel for a processor, work.
  static let oldestLibrary = ["aarch64": (2, 34), "x86_64": (2, 34)]

  /// The runtimes that the runner drives, the one that comes first for a format first.
  public static let runtimes = ["litert", "onnxruntime", "openvino"]

  /// What tells a runtime's library, on this machine and in the folders of other processors.
  private struct Kind {
    var title: String
    var variable: String
    var stem: String
  }

  private static func kind(_ runtime: String) throws -> Kind {
    switch runtime {
    case "litert": return Kind(title: "LiteRT", variable: "ASSAY_LITERT_LIB", stem: "libLiteRt.so")
    case "onnxruntime":
      return Kind(
        title: "ONNX Runtime",
        variable: "ASSAY_ONNXRUNTIME_LIB",
        stem: "libonnxruntime.so"
      )
    case "openvino":
      return Kind(title: "OpenVINO", variable: "ASSAY_OPENVINO_LIB", stem: "libopenvino_c.so")
    default:
      throw Diagnostic(
        "RUN003",
        "the runner on devices drives \(runtimes.joined(separator: ", ")), not \(runtime)",
        remedy: "name one of those by --runtime, or measure \(runtime) with assay on the device"
      )
    }
  }

  /// What this machine has to bring to devices with a processor: the runner and runtimes.
  ///
  /// - Parameter architecture: `aarch64` or `x86_64`.
  public static func probe(_ architecture: String, home: String = AssayHome.path) -> Availability {
    var facts = DeviceFacts()
    facts.architecture = architecture
    var found: [String] = []
    var first: Diagnostic?
    for runtime in runtimes {
      do {
        let version = try version(for: facts, runtime: runtime, home: home)
        found.append("\(try kind(runtime).title) \(version)")
      } catch {
        if first == nil { first = error as? Diagnostic }
      }
    }
    guard found.isEmpty else {
      return .available(version: "assay-runner with \(found.joined(separator: ", "))")
    }
    return .unavailable(
      reason: first?.summary ?? "there is no runner",
      remedy: first?.remedy ?? "scripts/runner"
    )
  }

  /// The version of a runtime that would be brought to a device; nothing is read for it.
  ///
  /// - Parameter ownRuntime: the runtime's library on the device, where it has one of its own.
  /// - Throws: as the bundle itself.
  static func version(
    for facts: DeviceFacts,
    runtime: String,
    ownRuntime: String? = nil,
    home: String = AssayHome.path
  ) throws -> String {
    let architecture = try architecture(facts)
    let kind = try kind(runtime)
    _ = try folder(architecture)
    if let ownRuntime { return "of the device, \(ownRuntime)" }
    return try library(architecture, runtime, kind, home: home).version ?? "unknown"
  }

  /// Collects the bundle for a device.
  ///
  /// - Parameters:
  ///   - runtime: the runtime's id.
  ///   - provider: the hardware path; its plug-ins go along.
  ///   - ownRuntime: the runtime's library on the device, which is used in place of one brought along.
  ///   - bringsLibrary: whether a C library goes along whatever the device has; `nil` to decide.
  /// - Throws: `Diagnostic` RUN001 (no runner for the processor), RUN002 (no library of the runtime),
  ///   RUN003 (a device or runtime that runners do not serve).
  public init(
    for facts: DeviceFacts,
    runtime: String,
    provider: Provider = .cpu,
    ownRuntime: String? = nil,
    bringsLibrary: Bool? = nil,
    home: String = AssayHome.path
  ) throws {
    architecture = try RunnerBundle.architecture(facts)
    let kind = try RunnerBundle.kind(runtime)
    title = kind.title
    let folder = try RunnerBundle.folder(architecture)
    ownLibrary = RunnerBundle.reason(facts, architecture, bringsLibrary)
    var files = [("assay-runner", Host.join(folder, "assay-runner"))]
    if let ownRuntime {
      (library, version) = (ownRuntime, "of the device, \(ownRuntime)")
    } else {
      let found = try RunnerBundle.library(architecture, runtime, kind, home: home)
      version = found.version ?? "unknown"
      library = Host.name(of: found.path)
      files += RunnerBundle.files(runtime, found.path, provider)
    }
    if ownLibrary != nil {
      let libraries = Host.join(folder, "lib")
      let names = (try? Host.list(libraries)) ?? []
      guard names.contains(where: { $0.hasPrefix("ld-linux") }), names.contains("libc.so.6") else {
        throw Diagnostic(
          "RUN001",
          "the device needs a C library of its own, and there is none to bring along",
          at: [libraries],
          remedy:
            "apt-get install libc6-dev-arm64-cross libstdc++6-arm64-cross, then scripts/runner"
        )
      }
      files += names.map { ("lib/" + $0, Host.join(libraries, $0)) }
    }
    parts = try files.map { name, path in
      let view = try MappedFile(path: path).view
      return Part(
        name: name,
        path: path,
        sha256: try KnownHashes.hash(of: path, view),
        byteCount: view.count
      )
    }
  }

  /// A runtime's files, by their names in the bundle: its library, what that needs beside itself, and the
  /// plug-ins of the hardware.
  static func files(
    _ runtime: String,
    _ library: String,
    _ provider: Provider
  ) -> [(String, String)] {
    let beside = Host.folder(of: library)
    let all = (try? Host.list(beside)) ?? []
    let name = Host.name(of: library)
    var wanted = [name]
    if runtime == "openvino" {
      var stems = [
        "libopenvino.so", "libtbb.so", "libtbbmalloc.so", "libtbbbind", "libhwloc.so",
        "libopenvino_intel_cpu_plugin.so", "libopenvino_arm_cpu_plugin.so",
        "libopenvino_ir_frontend.so", "libopenvino_onnx_frontend.so",
        "libopenvino_tensorflow_lite_frontend.so",
      ]
      if provider == .gpu { stems += ["libopenvino_intel_gpu_plugin.so", "cache.json"] }
      if provider == .npu { stems.append("libopenvino_intel_npu_plugin.so") }
      wanted += all.filter { one in one != name && stems.contains { one.hasPrefix($0) } }
    } else if runtime == "litert", provider == .gpu || provider == .npu {
      // LiteRT looks for its accelerators beside itself.
      wanted += all.filter { $0.hasSuffix("Accelerator.so") }
    }
    return wanted.map { ($0, Host.join(beside, $0)) }
  }

  /// The processor of a device that runners are made for.
  private static func architecture(_ facts: DeviceFacts) throws -> String {
    switch facts.architecture {
    case "aarch64", "arm64": return "aarch64"
    case "x86_64", "amd64": return "x86_64"
    case let other:
      throw Diagnostic(
        "RUN003",
        "there is no runner for \(other ?? "an unknown processor")",
        remedy: other?.hasPrefix("armv7") == true || other?.hasPrefix("armv8l") == true
          ? "install the 64-bit system for this board: LiteRT is not made for 32-bit Arm any more"
          : "runners are made for aarch64 and x86_64"
      )
    }
  }

  /// Why a C library goes along.
  static func reason(
    _ facts: DeviceFacts,
    _ architecture: String,
    _ wanted: Bool?
  ) -> String? {
    if wanted == false { return nil }
    if wanted == true { return "asked for" }
    guard let library = facts.library else { return "the device does not tell of its C library" }
    guard library.hasPrefix("glibc ") else { return "the device has \(library)" }
    let numbers = library.dropFirst("glibc ".count).split(separator: ".").map { Int($0) ?? 0 }
    let oldest = oldestLibrary[architecture] ?? (2, 34)
    if numbers.lexicographicallyPrecedes([oldest.0, oldest.1]) {
      return "the device has \(library), and LiteRT needs \(oldest.0).\(oldest.1)"
    }
    return nil
  }

  /// The folder of the runner for a processor.
  private static func folder(_ architecture: String) throws -> String {
    var folders: [String] = []
    if let given = Host.environment("ASSAY_RUNNER") { folders.append(given) }
    if let executable = Host.executablePath {
      let bin = Host.folder(of: executable)
      // Beside a build, or where it is installed.
      folders += ["../../runner", "../../../runner", "../share/assay/runner"].map {
        Host.join(bin, $0)
      }
    }
    for folder in folders {
      let path = Host.join(folder, architecture)
      if Host.exists(Host.join(path, "assay-runner")) { return Host.realPath(path) ?? path }
    }
    throw Diagnostic(
      "RUN001",
      "there is no runner for \(architecture)",
      remedy: "run scripts/runner --cpu \(architecture), or set ASSAY_RUNNER to its folder",
      cause: "looked in " + folders.joined(separator: ", ")
    )
  }

  /// The runtime's library for a processor.
  private static func library(
    _ architecture: String,
    _ runtime: String,
    _ kind: Kind,
    home: String
  ) throws -> RuntimeLibrary {
    if architecture == MachineInfo.current().architecture {
      let found = RuntimeLibrary.candidates(
        id: runtime,
        variable: kind.variable,
        stem: kind.stem,
        home: home
      ).first { Host.exists($0.path) }
      if let found { return found }
    } else {
      let foreign = Host.join(Host.join(home, "devices"), architecture)
      let folder = Host.join(Host.join(foreign, "runtimes"), runtime)
      for version in ((try? Host.list(folder)) ?? []).reversed() {
        let place = Host.join(folder, version)
        let name = ((try? Host.list(place)) ?? []).first { $0.hasPrefix(kind.stem) }
        if let name { return RuntimeLibrary(path: Host.join(place, name), version: version) }
      }
    }
    throw Diagnostic(
      "RUN002",
      "\(kind.title) for \(architecture) is not installed",
      remedy: "scripts/setup --cpu \(architecture) --no-packages"
    )
  }
}

/// Hashes of files that this process knows already: a runtime may have a hundred megabytes.
private enum KnownHashes {
  private static let known = Mutex<[String: String]>([:])

  static func hash(of path: String, _ view: ByteView) throws -> String {
    // One that is replaced meanwhile by another of its size is refused on the device, which looks again.
    let key = "\(view.count) \(path)"
    if let hash = known.withLock({ $0[key] }) { return hash }
    let hash = AssayBase.sha256(view)
    known.withLock { $0[key] = hash }
    return hash
  }
}

extension RunnerBundle {
  /// Where bundles that stay on a device lie.
  public static func keptFolder(_ device: any ShellDevice) -> String {
    Host.join(device.scratchRoot, "assay-kept")
  }

  /// Brings the bundle to a device, into `folder`, unless one that stays is there.
  ///
  /// - Returns: the folder on the device in which it lies.
  public func bring(
    to folder: DeviceFolder,
    _ device: any ShellDevice,
    journal: DeviceJournal,
    progress: (String) -> Void = { _ in }
  ) throws -> String {
    let kept = Host.join(RunnerBundle.keptFolder(device), hash)
    if try journal.note("look", { try device.run(check(kept), seconds: 120) })
      .output.contains("whole")
    {
      return kept
    }
    let place = folder.newPath("bundle-\(hash)")
    try lay(out: place, folder, device, journal, progress)
    return place
  }

  /// Brings the bundle to a device for good.
  ///
  /// - Returns: the folder on the device, and whether it was there already.
  public func keep(
    on device: any ShellDevice,
    _ folder: DeviceFolder,
    journal: DeviceJournal,
    progress: (String) -> Void = { _ in }
  ) throws -> (path: String, wasThere: Bool) {
    let kept = Host.join(RunnerBundle.keptFolder(device), hash)
    if try journal.note("look", { try device.run(check(kept), seconds: 120) })
      .output.contains("whole")
    {
      return (kept, true)
    }
    try lay(out: kept, folder, device, journal, progress)
    return (kept, false)
  }

  /// Pushes each file once by its bytes and puts it where its name is.
  private func lay(
    out place: String,
    _ folder: DeviceFolder,
    _ device: any ShellDevice,
    _ journal: DeviceJournal,
    _ progress: (String) -> Void
  ) throws {
    var script = "umask 077; mkdir -p \(Words.shell([place + "/lib"])) || exit 1\n"
    for part in parts {
      progress("bringing \(part.name) (\(Words.bytes(part.byteCount)))")
      let file = try folder.push(part.path, isExecutable: true, hash: part.sha256)
      script += "mv -f \(Words.shell([file])) \(Words.shell([place + "/" + part.name])) || exit 1\n"
      folder.forget(file)
    }
    let result = try journal.note("bundle") { try device.run(script + "echo done", seconds: 120) }
    guard result.output.contains("done") else {
      throw DeviceFault.refused(device.address, "laying out the runner", result.errors)
    }
  }

  /// A script that prints `whole` when every file lies there with its bytes.
  private func check(_ place: String) -> String {
    var script = "cd \(Words.shell([place])) 2>/dev/null || exit 0\n"
    for part in parts {
      let name = Words.shell([part.name])
      script += """
        h=$(sha256sum \(name) 2>/dev/null || toybox sha256sum \(name) 2>/dev/null)
        case "$h" in \(part.sha256)*) ;; *) exit 0;; esac

        """
    }
    return script + "echo whole\n"
  }

  /// Writes the bundle into a folder of this machine.
  public func write(to folder: String) throws {
    try Host.makeFolders(folder + "/lib")
    var script = "chmod 755"
    for part in parts {
      let path = Host.join(folder, part.name)
      try AtomicFile.write([try MappedFile(path: part.path).view], to: path, isSynced: false)
      script += " " + Words.shell([path])
    }
    _ = try LocalDevice().run(script, seconds: 20)
  }

  /// Removes everything of ours from a device.
  ///
  /// - Returns: the folders that were there.
  public static func clean(_ device: any ShellDevice) throws -> [String] {
    // Folders of sessions have names that only we make: `assay-` and eight or fewer letters and digits.
    let root = Words.shell([device.scratchRoot])
    let result = try device.run(
      """
      cd \(root) || exit 0
      for d in assay-kept assay-*; do
        [ -d "$d" ] || continue
        case "$d" in
          assay-kept) ;;
          *) [ -e "$d/.watch" ] && [ -d "$d/files" ] || continue ;;
        esac
        rm -rf "$d" && echo "$d"
      done
      """,
      seconds: 120
    )
    return result.output.split(separator: "\n").map { Host.join(device.scratchRoot, String($0)) }
  }
}
