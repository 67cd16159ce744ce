import AssayBase
import AssayHost
import AssayRuntime
import COpenVINO
import Synchronization

// Safe because: the table is filled once, before the object is shared, and OpenVINO's core may be
// used from any thread.
/// OpenVINO's functions and its core, loaded from its shared library.
@safe final class OpenVINOLibrary: @unchecked Sendable {
  let functions: OvFunctions
  let core: OvCore
  let version: String

  private static let loaded = Mutex<[String: OpenVINOLibrary]>([:])

  /// The library, loaded once for each path.
  ///
  /// - Throws: `Diagnostic` RTM001 when there is none, RTM002 when it does not fit.
  static func shared(path: String?) throws -> OpenVINOLibrary {
    let candidates =
      path.map { [RuntimeLibrary(path: $0)] }
      ?? RuntimeLibrary.candidates(
        id: "openvino",
        variable: "ASSAY_OPENVINO_LIB",
        stem: libraryName
      )
    return try RuntimeLibrary.load("OpenVINO", candidates) { candidate in
      try loaded.withLock { loaded in
        if let library = loaded[candidate.path] { return library }
        let library = try OpenVINOLibrary(candidate)
        loaded[candidate.path] = library
        return library
      }
    }
  }

  #if os(macOS)
  private static let libraryName = "libopenvino_c.dylib"
  #else
  private static let libraryName = "libopenvino_c.so"
  #endif

  private init(_ library: RuntimeLibrary) throws {
    let shared = try SharedLibrary(path: library.path)
    var functions = OvFunctions()
    let missing = unsafe shared.fill(&functions, names: ov_function_names())
    func misfit(_ cause: String) -> Diagnostic {
      Diagnostic(
        "RTM002",
        "this version of OpenVINO does not fit: 2026.4 or later is needed",
        at: [library.path],
        remedy: RuntimeLibrary.remedy,
        cause: cause
      )
    }
    guard missing.isEmpty else {
      throw misfit("missing: " + missing.joined(separator: ", "))
    }
    var version = unsafe OvVersion()
    if unsafe functions.ov_get_openvino_version(&version) == 0 {
      self.version = unsafe version.build.map { unsafe String(cString: $0) } ?? "?"
      unsafe functions.ov_version_free(&version)
    } else {
      self.version = library.version ?? "?"
    }
    var core: OvCore?
    let status = unsafe functions.ov_core_create(&core)
    guard status == 0, let core = unsafe core else {
      throw misfit("ov_core_create gave \(status)")
    }
    self.functions = functions
    unsafe self.core = core
  }

  /// Throws when a call failed, with the runtime's words.
  func check(_ status: OvStatus, code: String = "RTM005") throws {
    guard status != 0 else { return }
    throw Diagnostic(code, "OpenVINO refused this model", cause: words(status))
  }

  /// The runtime's words for a failure that just happened.
  func words(_ status: OvStatus) -> String {
    let kind = unsafe functions.ov_get_error_info(status).map { unsafe String(cString: $0) } ?? ""
    let text = unsafe functions.ov_get_last_err_msg().map { unsafe String(cString: $0) } ?? ""
    return text.isEmpty ? "\(kind) (\(status))" : text
  }

  /// Text that the runtime allocated, which is freed.
  func take(_ text: UnsafeMutablePointer<CChar>?) -> String? {
    guard let text = unsafe text else { return nil }
    defer { unsafe functions.ov_free(text) }
    return unsafe String(cString: text)
  }

  /// The devices that OpenVINO found.
  func devices() -> [String] {
    var list = unsafe OvDevices()
    guard unsafe functions.ov_core_get_available_devices(core, &list) == 0 else { return [] }
    defer { unsafe functions.ov_available_devices_free(&list) }
    guard let names = unsafe list.names else { return [] }
    return unsafe (0..<list.count).compactMap { index in
      unsafe names[index].map { unsafe String(cString: $0) }
    }
  }
}
