import AssayBase
import AssayHost
import AssayRuntime
import CLiteRT
import Synchronization

// Safe because: pointers are only handed on; LiteRT calls on the thread that compiles the model, and what
// changes lies behind a lock.
/// An Edge TPU as an accelerator of LiteRT.
///
/// LiteRT takes accelerators as tables of callbacks, none of which can carry a value: the state is found
/// by the accelerator's address.
@safe final class EdgeTPUAccelerator: @unchecked Sendable {
  let library: EdgeTPULibrary
  let device: EdgeTPULibrary.Device
  let clock: EdgeTPUClock?
  private let functions: LrtAcceleratorFunctions
  private let state = Mutex(State())

  private struct State {
    /// Operators that the delegate took.
    var taken = 0
    /// Why no delegate came about.
    var fault: Diagnostic?
  }

  /// The accelerators by address; a session registers one and never takes it back before its
  /// environment ends.
  private static let all = Mutex<[UInt: EdgeTPUAccelerator]>([:])
  /// The accelerator that each stand-in belongs to, by its address.
  private static let lent = Mutex<[UInt: EdgeTPUAccelerator]>([:])

  /// LiteRT skips accelerators that call themselves NPUs, so that this one calls itself a GPU; the
  /// environment must not have another.
  static let hardware = Int32(LrtHardwareGPU)

  /// Chooses a device.
  ///
  /// - Parameter settings: `device` (`usb`, `pci`, `usb:1`, a path), `clock`, and `library`, a path.
  /// - Throws: `Diagnostic` TPU010 to TPU013.
  init(_ runtime: LiteRTLibrary, settings: [String: String]) throws {
    library = try EdgeTPULibrary.shared(path: settings["library"])
    var functions = LrtAcceleratorFunctions()
    let missing = unsafe runtime.shared.fill(&functions, names: lrt_accelerator_function_names())
    guard missing.isEmpty else {
      throw Diagnostic(
        "TPU014",
        "this version of LiteRT takes no further accelerators",
        at: [runtime.library.path],
        remedy: RuntimeLibrary.remedy,
        cause: "missing: " + missing.joined(separator: ", ")
      )
    }
    self.functions = functions
    if let word = settings["clock"] {
      guard let clock = EdgeTPUClock(rawValue: word) else {
        throw Diagnostic(
          "TPU013",
          "an Edge TPU has no clock '\(word)'",
          remedy: "one of " + EdgeTPUClock.allCases.map(\.rawValue).joined(separator: ", ")
        )
      }
      self.clock = clock
    } else {
      clock = nil
    }
    device = try Self.chosen(library.devices(), settings["device"] ?? "")
  }

  /// The device that a word names, in the order in which the library lists them.
  private static func chosen(
    _ devices: [EdgeTPULibrary.Device],
    _ word: String
  ) throws -> EdgeTPULibrary.Device {
    guard !devices.isEmpty else {
      throw Diagnostic(
        "TPU012",
        "libedgetpu finds no Edge TPU",
        remedy: "plug it in; assay doctor tells what the system sees of it"
      )
    }
    let parts = word.split(separator: ":", omittingEmptySubsequences: false)
    let kind = parts.first ?? ""
    let some = kind.isEmpty ? devices : devices.filter { ($0.isUSB ? "usb" : "pci") == kind }
    let index = parts.count == 2 ? Int(parts[1]) : 0
    if parts.count <= 2, let index, some.indices.contains(index) { return some[index] }
    if let named = devices.first(where: { $0.path == word }) { return named }
    throw Diagnostic(
      "TPU013",
      "there is no Edge TPU '\(word)'",
      remedy: "one of " + devices.map(\.path).joined(separator: ", ")
        + ", or usb, pci, usb:N, pci:N in that order"
    )
  }

  /// Operators that the delegate took so far.
  var taken: Int { state.withLock { $0.taken } }

  /// Why no delegate came about; `nil` when one did or none was asked for.
  var fault: Diagnostic? { state.withLock { $0.fault } }

  /// Adds it to an environment.
  func register(in environment: LrtEnvironment, of runtime: LiteRTLibrary) throws {
    var handle: LrtAccelerator?
    try runtime.check(unsafe functions.LiteRtCreateAccelerator(&handle), "LiteRtCreateAccelerator")
    let key = UInt(bitPattern: handle)
    EdgeTPUAccelerator.all.withLock { $0[key] = self }
    try runtime.check(
      unsafe functions.LiteRtSetAcceleratorGetName(
        handle,
        { _, name in
          unsafe name?.pointee = edgetpu_accelerator_name()
          return 0
        }
      ),
      "LiteRtSetAcceleratorGetName"
    )
    try runtime.check(
      unsafe functions.LiteRtSetAcceleratorGetVersion(
        handle,
        { _, version in
          unsafe version?.pointee = LrtVersion(major: 1, minor: 0, patch: 0)
          return 0
        }
      ),
      "LiteRtSetAcceleratorGetVersion"
    )
    try runtime.check(
      unsafe functions.LiteRtSetAcceleratorGetHardwareSupport(
        handle,
        { _, hardware in
          unsafe hardware?.pointee = EdgeTPUAccelerator.hardware
          return 0
        }
      ),
      "LiteRtSetAcceleratorGetHardwareSupport"
    )
    try runtime.check(
      unsafe functions.LiteRtSetIsAcceleratorDelegateResponsibleForJitCompilation(
        handle,
        { _, isResponsible in
          unsafe isResponsible?.pointee = true
          return 0
        }
      ),
      "LiteRtSetIsAcceleratorDelegateResponsibleForJitCompilation"
    )
    try runtime.check(
      unsafe functions.LiteRtSetDelegateFunction(
        handle,
        { _, _, accelerator, _, wrapper in
          let key = UInt(bitPattern: accelerator)
          guard let own = EdgeTPUAccelerator.all.withLock({ $0[key] }) else { return 3 }
          return unsafe own.lend(wrapper)
        }
      ),
      "LiteRtSetDelegateFunction"
    )
    try runtime.check(
      unsafe functions.LiteRtRegisterAccelerator(environment, handle, nil, nil),
      "LiteRtRegisterAccelerator"
    )
  }

  private func lend(_ wrapper: UnsafeMutablePointer<LrtDelegateWrapper?>?) -> LrtStatus {
    do {
      let outer = try unsafe library.delegate(for: device, clock: clock)
      let key = UInt(bitPattern: outer)
      EdgeTPUAccelerator.lent.withLock { $0[key] = self }
      return unsafe functions.LiteRtWrapDelegate(
        outer,
        { delegate in
          let key = UInt(bitPattern: delegate)
          EdgeTPUAccelerator.lent.withLock { $0[key] = nil }
          unsafe edgetpu_return(delegate)
        },
        wrapper
      )
    } catch {
      state.withLock { $0.fault = error as? Diagnostic }
      return 3
    }
  }

  /// Counts the operators that were taken, once the model is compiled.
  func count() {
    let mine = EdgeTPUAccelerator.lent.withLock { lent in
      lent.filter { $0.value === self }.map(\.key)
    }
    var taken = 0
    for key in mine {
      if let outer = unsafe UnsafePointer<TflDelegate>(bitPattern: key) {
        taken += Int(unsafe edgetpu_taken(outer))
      }
    }
    state.withLock { $0.taken = taken }
  }

  /// Forgets what belongs to an environment that ended.
  func forget() {
    EdgeTPUAccelerator.all.withLock { all in
      for (key, value) in all where value === self { all[key] = nil }
    }
  }

  /// What a record keeps of the accelerator: device, link, clock, library, temperature.
  func facts(root: String = "/") -> JSON {
    let hardware = EdgeTPUHardware(root: root)
    var facts = JSON.object([
      "kind": "edgetpu", "path": .string(device.path),
      "library": .string(library.path), "libraryVersion": .string(library.version),
    ])
    facts["runtimeVersion"] = library.runtimeVersion.map { JSON($0) }
    facts["clock"] = clock.map { .string($0.rawValue) }
    facts["clockMHz"] = clock.map { JSON($0.megahertz) }
    if device.isUSB {
      facts["bus"] = "usb"
      let stick = hardware.sticks.first { $0.path == device.path }
      facts["link"] = stick.map { .string($0.link) }
      facts["linkMbps"] = stick?.megabits.map { JSON($0) }
    } else {
      facts["bus"] = "pcie"
      facts["link"] = "PCIe"
      facts["celsius"] = EdgeTPUHardware.celsius(of: device.path, root: root).map { JSON($0) }
    }
    return facts
  }
}
