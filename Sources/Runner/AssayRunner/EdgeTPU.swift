import CLiteRT
import CRunner

/// An Edge TPU on the device, lent to LiteRT as an accelerator: what the host's `EdgeTPUAccelerator` does,
/// through the same stand-in for delegates of any age.
final class EdgeTPU {
  /// What a request says of it.
  struct Settings {
    /// The library; empty for the device's own `libedgetpu.so.1`.
    var library: String
    /// `usb`, `pci`, with a number, or a path; empty for the first.
    var device: String
    /// The clock's word; empty for the library's own.
    var clock: String

    init(_ value: Value) {
      library = value["library"]?.string ?? ""
      device = value["device"]?.string ?? ""
      clock = value["clock"]?.string ?? ""
    }
  }

  /// Accelerators that live, and the one that each delegate was made by: LiteRT's callbacks carry nothing
  /// but an address.
  nonisolated(unsafe) private static var all: [(key: UInt, value: EdgeTPU)] = []

  private let functions: EdgeTPUFunctions
  private let litert: LrtAcceleratorFunctions
  private let path: String
  private let version: String
  private let device: (isUSB: Bool, path: String)
  private let clock: (word: String, performance: String, megahertz: Int)?
  private var delegates: [UnsafePointer<TflDelegate>] = []
  private(set) var fault: Failure?

  /// Words for clocks, libedgetpu's for them, and the chip's by the library's source.
  private static let clocks = [
    (word: "low", performance: "Low", megahertz: 63),
    (word: "medium", performance: "Medium", megahertz: 125),
    (word: "standard", performance: "High", megahertz: 250),
    (word: "maximum", performance: "Max", megahertz: 500),
  ]

  init(_ runtime: LiteRT, _ settings: Settings) throws(Failure) {
    let names =
      settings.library.isEmpty ? ["libedgetpu.so.1", "libedgetpu.so"] : [settings.library]
    var words: String?
    var loaded: (library: UnsafeMutableRawPointer, path: String)?
    for name in names where loaded == nil {
      if let library = name.withCString({ crunner_load($0) }) {
        loaded = (library, name)
      } else if words == nil {
        words = crunner_load_error().map { String(cString: $0) }
      }
    }
    guard let loaded else {
      throw EdgeTPU.unavailable("libedgetpu is not installed on the device", words)
    }
    var table = EdgeTPUFunctions()
    var missing = withUnsafeMutableBytes(of: &table) {
      FunctionTable.fill($0, edgetpu_function_names(), loaded.library)
    }
    guard missing.isEmpty else {
      throw EdgeTPU.unavailable("this library is not libedgetpu", "missing:" + missing)
    }
    functions = table
    path = loaded.path
    version = table.edgetpu_version().map { String(cString: $0) } ?? "unknown"
    var own = LrtAcceleratorFunctions()
    missing = withUnsafeMutableBytes(of: &own) {
      FunctionTable.fill($0, lrt_accelerator_function_names(), runtime.handle)
    }
    guard missing.isEmpty else {
      throw EdgeTPU.unavailable(
        "this version of LiteRT takes no further accelerators",
        "missing:" + missing
      )
    }
    litert = own
    var chosen: (word: String, performance: String, megahertz: Int)?
    for one in EdgeTPU.clocks where one.word == settings.clock { chosen = one }
    guard chosen != nil || settings.clock.isEmpty else {
      throw EdgeTPU.unavailable("an Edge TPU has no clock '" + settings.clock + "'", nil)
    }
    clock = chosen
    device = try EdgeTPU.chosen(table, settings.device)
  }

  private static func unavailable(_ reason: String, _ cause: String?) -> Failure {
    Failure("RTM006", "LiteRT cannot use the tpu: " + reason, cause: cause)
  }

  private static func chosen(
    _ functions: EdgeTPUFunctions,
    _ word: String
  ) throws(Failure) -> (isUSB: Bool, path: String) {
    var count = 0
    var devices: [(isUSB: Bool, path: String)] = []
    if let list = functions.edgetpu_list_devices(&count) {
      for index in 0..<min(max(count, 0), 256) {
        let path = list[index].path.map { String(cString: $0) } ?? ""
        devices.append((list[index].type == Int32(EdgeTPUOverUSB), path))
      }
      functions.edgetpu_free_devices(list)
    }
    guard !devices.isEmpty else {
      throw unavailable("libedgetpu finds no Edge TPU on the device", nil)
    }
    var kind = word
    var place = 0
    let bytes = Array(word.utf8)
    if let colon = bytes.firstIndex(of: 58) {
      kind = String(decoding: bytes[..<colon], as: UTF8.self)
      place = 0
      for byte in bytes[(colon + 1)...] {
        guard (48...57).contains(byte), place < 1000 else {
          place = -1
          break
        }
        place = place * 10 + Int(byte - 48)
      }
    }
    var seen = 0
    for device in devices {
      if device.path == word { return device }
      guard kind.isEmpty || kind == (device.isUSB ? "usb" : "pci") else { continue }
      if seen == place { return device }
      seen += 1
    }
    var list = ""
    for device in devices { list += (list.isEmpty ? "" : ", ") + device.path }
    throw unavailable("there is no Edge TPU '" + word + "', but " + list, nil)
  }

  /// Adds it to an environment.
  func register(in environment: LrtEnvironment?, _ runtime: LiteRT) throws(Failure) {
    var handle: LrtAccelerator?
    try runtime.check(litert.LiteRtCreateAccelerator(&handle), "LiteRtCreateAccelerator")
    EdgeTPU.all.append((UInt(bitPattern: handle), self))
    try runtime.check(
      litert.LiteRtSetAcceleratorGetName(
        handle,
        { _, name in
          name?.pointee = edgetpu_accelerator_name()
          return 0
        }
      ),
      "LiteRtSetAcceleratorGetName"
    )
    try runtime.check(
      litert.LiteRtSetAcceleratorGetVersion(
        handle,
        { _, version in
          version?.pointee = LrtVersion(major: 1, minor: 0, patch: 0)
          return 0
        }
      ),
      "LiteRtSetAcceleratorGetVersion"
    )
    try runtime.check(
      litert.LiteRtSetAcceleratorGetHardwareSupport(
        handle,
        { _, hardware in
          // LiteRT skips accelerators that call themselves NPUs.
          hardware?.pointee = Int32(LrtHardwareGPU)
          return 0
        }
      ),
      "LiteRtSetAcceleratorGetHardwareSupport"
    )
    try runtime.check(
      litert.LiteRtSetIsAcceleratorDelegateResponsibleForJitCompilation(
        handle,
        { _, isResponsible in
          isResponsible?.pointee = true
          return 0
        }
      ),
      "LiteRtSetIsAcceleratorDelegateResponsibleForJitCompilation"
    )
    try runtime.check(
      litert.LiteRtSetDelegateFunction(
        handle,
        { _, _, accelerator, _, wrapper in
          let key = UInt(bitPattern: accelerator)
          for entry in EdgeTPU.all where entry.key == key { return entry.value.lend(wrapper) }
          return 3
        }
      ),
      "LiteRtSetDelegateFunction"
    )
    try runtime.check(
      litert.LiteRtRegisterAccelerator(environment, handle, nil, nil),
      "LiteRtRegisterAccelerator"
    )
  }

  /// Forgets what belongs to an environment that ended.
  func forget() { EdgeTPU.all.removeAll { $0.value === self } }

  private func lend(_ wrapper: UnsafeMutablePointer<LrtDelegateWrapper?>?) -> LrtStatus {
    let type = Int32(device.isUSB ? EdgeTPUOverUSB : EdgeTPUOverPCI)
    let performance = clock?.performance ?? ""
    let inner = device.path.withCString { path in
      "Performance".withCString { name in
        performance.withCString { value in
          var option = EdgeTPUOption(name: name, value: value)
          return performance.isEmpty
            ? functions.edgetpu_create_delegate(type, path, nil, 0)
            : functions.edgetpu_create_delegate(type, path, &option, 1)
        }
      }
    }
    guard let inner, let outer = edgetpu_lend(inner, functions.edgetpu_free_delegate) else {
      fault = EdgeTPU.unavailable("the Edge TPU " + device.path + " cannot be opened", nil)
      return 3
    }
    delegates.append(UnsafePointer(outer))
    return litert.LiteRtWrapDelegate(outer, { edgetpu_return($0) }, wrapper)
  }

  /// How many operators it took.
  var taken: Int { delegates.reduce(0) { $0 + Int(edgetpu_taken($1)) } }

  /// What a record keeps of it.
  var facts: Value {
    var members: [(String, Value)] = [
      ("kind", .string("edgetpu")), ("path", .string(device.path)), ("library", .string(path)),
      ("libraryVersion", .string(version)),
    ]
    if let number = EdgeTPU.runtimeVersion(version) {
      members.append(("runtimeVersion", .integer(Int64(number))))
    }
    if let clock {
      members.append(("clock", .string(clock.word)))
      members.append(("clockMHz", .integer(Int64(clock.megahertz))))
    }
    if device.isUSB {
      members.append(("bus", .string("usb")))
      if let speed = EdgeTPU.number(device.path + "/speed") {
        let name = speed >= 5000 ? "USB 3" : speed == 480 ? "USB 2" : "USB 1"
        members.append(("link", .string(name + " (" + String(speed) + " Mb/s)")))
        members.append(("linkMbps", .integer(Int64(speed))))
      } else {
        members.append(("link", .string("USB, of unknown speed")))
      }
    } else {
      members.append(("bus", .string("pcie")))
      members.append(("link", .string("PCIe")))
      var name = Array(device.path.utf8)
      if let slash = name.lastIndex(of: 47) { name.removeFirst(slash + 1) }
      // The driver tells thousandths of a degree.
      let file = "/sys/class/apex/" + String(decoding: name, as: UTF8.self) + "/temp"
      if let millis = EdgeTPU.number(file) {
        members.append(("celsius", .number(Double(millis) / 1000)))
      }
    }
    return .object(members)
  }

  /// The number at the beginning of a small file.
  private static func number(_ path: String) -> Int? {
    guard let text = Host.bytes(of: path) else { return nil }
    var number: Int?
    for byte in text.prefix(9) {
      guard (48...57).contains(byte) else { break }
      number = (number ?? 0) * 10 + Int(byte - 48)
    }
    return number
  }

  /// The number in `RuntimeVersion(14)`.
  private static func runtimeVersion(_ text: String) -> Int? {
    let bytes = Array(text.utf8)
    let mark = Array("RuntimeVersion(".utf8)
    guard bytes.count > mark.count else { return nil }
    for start in 0..<(bytes.count - mark.count)
    where bytes[start..<(start + mark.count)].elementsEqual(mark) {
      var number: Int?
      for byte in bytes[(start + mark.count)...].prefix(6) {
        guard (48...57).contains(byte) else { break }
        number = (number ?? 0) * 10 + Int(byte - 48)
      }
      return number
    }
    return nil
  }
}
