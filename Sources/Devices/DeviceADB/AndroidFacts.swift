import AssayBase
import AssayDevice

/// What an Android system tells of itself beside what every Linux does.
public struct AndroidFacts: Sendable, Equatable {
  /// Its properties (`getprop`).
  public var properties: [String: String] = [:]
  /// The graphics processor as its driver names it.
  public var gpu: String?
  /// Interfaces of the graphics processor, such as `OpenGL ES 3.2`.
  public var graphics: String?
  /// Whether accelerators have services for Android's neural networks interface.
  public var neuralServices: [String] = []
  /// Files that only emulators have.
  public var emulatorFiles: [String] = []

  /// The script by which a phone tells of itself; it changes nothing there.
  public static let script = """
    export LC_ALL=C
    getprop 2>/dev/null
    echo @gpu
    cat /sys/class/kgsl/kgsl-3d0/gpu_model /sys/class/misc/mali0/device/gpuinfo 2>/dev/null
    echo @graphics
    dumpsys SurfaceFlinger 2>/dev/null | grep -m 1 '^ *GLES:'
    echo @neural
    lshal 2>/dev/null | grep -o 'android.hardware.neuralnetworks@[^ ]*' | sort -u | head -n 20
    service list 2>/dev/null | grep -o 'android.hardware.neuralnetworks.IDevice/[^ :]*' | head -n 20
    echo @emulator
    ls /dev/qemu_pipe /dev/goldfish_pipe /system/bin/qemu-props 2>/dev/null
    exit 0
    """

  /// Reads what the script printed; what is absent or odd is not known.
  public init(transcript: String) {
    var section = ""
    for line in transcript.split(whereSeparator: \.isNewline) {
      if line.first == "@" {
        section = String(line.dropFirst())
        continue
      }
      switch section {
      case "": readProperty(line)
      case "gpu": if gpu == nil { gpu = AndroidFacts.plain(line) }
      case "graphics": readGraphics(line)
      case "neural": neuralServices.append(AndroidFacts.plain(line))
      case "emulator": emulatorFiles.append(AndroidFacts.plain(line))
      default: break
      }
    }
  }

  /// `[ro.product.model]: [Pixel 6]`.
  private mutating func readProperty(_ line: Substring) {
    guard line.first == "[", line.last == "]", let middle = line.firstRange(of: "]: [") else {
      return
    }
    let name = String(line[..<middle.lowerBound].dropFirst())
    properties[name] = String(line[middle.upperBound...].dropLast())
  }

  /// `GLES: ARM, Mali-G78, OpenGL ES 3.2 v1.r32p1`.
  private mutating func readGraphics(_ line: Substring) {
    guard let colon = line.firstIndex(of: ":") else { return }
    let parts = line[line.index(after: colon)...].split(separator: ",").map {
      AndroidFacts.plain($0)
    }
    guard parts.count >= 3 else { return }
    gpu = gpu ?? "\(parts[0]) \(parts[1])"
    graphics = parts[2]
  }

  private static func plain(_ text: Substring) -> String {
    var text = text
    while text.first?.isWhitespace == true { text.removeFirst() }
    while text.last?.isWhitespace == true { text.removeLast() }
    return String(text.prefix(200))
  }

  /// A property; empty counts as absent.
  public func property(_ name: String) -> String? {
    guard let value = properties[name], !value.isEmpty, value != "unknown" else { return nil }
    return value
  }

  /// Why this is an emulator; `nil` for hardware.
  public var emulator: String? {
    for name in ["ro.kernel.qemu", "ro.boot.qemu"] where property(name) == "1" {
      return "Android emulator (\(name) is 1)"
    }
    let hardware = property("ro.hardware") ?? ""
    if ["goldfish", "ranchu", "cutf_cvm", "vsoc_x86", "vbox86"].contains(where: hardware.contains) {
      return "virtual hardware '\(hardware)'"
    }
    if let device = property("ro.product.device"), device.hasPrefix("generic") {
      return "the generic device '\(device)'"
    }
    if let build = property("ro.build.fingerprint"), build.hasPrefix("generic") {
      return "a generic build"
    }
    return emulatorFiles.first.map { "it has \($0)" }
  }

  /// The interface for programs that comes first: `arm64-v8a`, `armeabi-v7a`, `x86_64`, `x86`.
  public var abi: String? { property("ro.product.cpu.abi") }

  /// Every interface for programs that the system takes, the best first.
  public var abis: [String] {
    (property("ro.product.cpu.abilist") ?? abi ?? "").split(separator: ",").map { String($0) }
  }

  /// The system on the chip.
  public var chip: String? {
    let maker = property("ro.soc.manufacturer")
    if let model = property("ro.soc.model") {
      return maker.map { "\($0) \(model)" } ?? model
    }
    return property("ro.board.platform") ?? property("ro.hardware.chipname")
      ?? property("ro.hardware")
  }

  /// Why our own runner and its runtimes cannot serve this phone; `nil` when they can.
  ///
  /// - Returns: a finding that names the architecture and what can be measured all the same.
  public var runnerObstacle: Diagnostic? {
    if abis.contains("arm64-v8a") || abis.contains("x86_64") { return nil }
    let name = abi ?? "unknown"
    let word =
      switch name {
      case "armeabi-v7a", "armeabi": "32-bit Arm"
      case "x86": "32-bit x86"
      default: "this processor"
      }
    return Diagnostic(
      "ADB050",
      "assay's own runner does not serve Android on \(word) (\(name))",
      remedy:
        "measure with benchmark_model, built for \(name): assay tools add FILE, then --provider "
        + "xnnpack, gpu or nnapi"
    )
  }

  /// Adds what is known to a device's facts.
  public func add(to facts: inout DeviceFacts) {
    let maker = property("ro.product.manufacturer")
    if let model = property("ro.product.model") {
      facts.model = maker.map { model.hasPrefix($0) ? model : "\($0) \(model)" } ?? model
    }
    if let chip { facts.processor = chip }
    if let release = property("ro.build.version.release") {
      facts.system = "Android \(release)"
    }
    facts.emulator = facts.emulator ?? emulator
    if let serial = property("ro.serialno") {
      facts.individual = String(sha256("assay device " + serial).prefix(12))
    }
    func note(_ key: String, _ value: String?) { if let value { facts.further[key] = value } }
    note("abi", abi)
    note("abis", abis.isEmpty ? nil : abis.joined(separator: ","))
    note("api", property("ro.build.version.sdk"))
    note("gpu", gpu ?? property("ro.hardware.egl"))
    note("graphics", graphics)
    note("vulkan", property("ro.hardware.vulkan"))
    note("build", property("ro.build.fingerprint"))
    note("neural services", neuralServices.isEmpty ? nil : neuralServices.joined(separator: ", "))
    note("runner", runnerObstacle.map { "not served: \($0.summary)" })
  }
}
