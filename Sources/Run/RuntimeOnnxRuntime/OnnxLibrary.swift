import AssayBase
import AssayHost
import AssayRuntime
import COnnxRuntime
import Synchronization

// Safe because: everything is set before the object is shared, and ONNX Runtime's environment and
// table may be used from any thread.
/// ONNX Runtime's functions and its environment, loaded from its shared library.
@safe final class OnnxLibrary: @unchecked Sendable {
  let functions: UnsafePointer<OrtFunctions>
  let environment: OrtEnvRef
  let allocator: OrtAllocatorRef
  let memory: OrtMemoryRef
  let version: String

  private static let loaded = Mutex<[String: OnnxLibrary]>([:])

  /// The library, loaded once for each path.
  ///
  /// - Throws: `Diagnostic` RTM001 when there is none, RTM002 when it does not fit.
  static func shared(path: String?) throws -> OnnxLibrary {
    let candidates =
      path.map { [RuntimeLibrary(path: $0)] }
      ?? RuntimeLibrary.candidates(
        id: "onnxruntime",
        variable: "ASSAY_ONNXRUNTIME_LIB",
        stem: libraryName
      )
    return try RuntimeLibrary.load("ONNX Runtime", candidates) { candidate in
      try loaded.withLock { loaded in
        if let library = loaded[candidate.path] { return library }
        let library = try OnnxLibrary(candidate)
        loaded[candidate.path] = library
        return library
      }
    }
  }

  #if os(macOS)
  private static let libraryName = "libonnxruntime.dylib"
  #else
  private static let libraryName = "libonnxruntime.so"
  #endif

  private init(_ library: RuntimeLibrary) throws {
    let shared = try SharedLibrary(path: library.path)
    func misfit(_ cause: String) -> Diagnostic {
      Diagnostic(
        "RTM002",
        "this version of ONNX Runtime does not fit: 1.23 or later is needed",
        at: [library.path],
        remedy: RuntimeLibrary.remedy,
        cause: cause
      )
    }
    guard let symbol = unsafe shared.symbol("OrtGetApiBase"),
      let base = unsafe unsafeBitCast(symbol, to: OrtGetBase.self)()
    else { throw misfit("missing: OrtGetApiBase") }
    let version = unsafe base.pointee.GetVersionString().map { unsafe String(cString: $0) } ?? "?"
    guard let functions = unsafe base.pointee.GetApi(UInt32(OrtAPIVersion)) else {
      throw misfit("version \(version) has no interface of number \(OrtAPIVersion)")
    }
    var environment: OrtEnvRef?
    var allocator: OrtAllocatorRef?
    var memory: OrtMemoryRef?
    try unsafe OnnxLibrary.check(
      functions,
      functions.pointee.CreateEnv(Int32(OrtLogFatal), "assay", &environment)
    )
    try unsafe OnnxLibrary.check(
      functions,
      functions.pointee.GetAllocatorWithDefaultOptions(&allocator)
    )
    try unsafe OnnxLibrary.check(
      functions,
      functions.pointee.CreateCpuMemoryInfo(
        Int32(OrtDeviceAllocator),
        Int32(OrtDefaultMemory),
        &memory
      )
    )
    guard let environment = unsafe environment, let allocator = unsafe allocator,
      let memory = unsafe memory
    else { throw misfit("it gave no environment") }
    unsafe self.functions = functions
    unsafe self.environment = environment
    unsafe self.allocator = allocator
    unsafe self.memory = memory
    self.version = version
  }

  private static func check(
    _ functions: UnsafePointer<OrtFunctions>,
    _ status: OrtStatusRef?
  ) throws {
    guard let status = unsafe status else { return }
    let text = unsafe functions.pointee.GetErrorMessage(status).map { unsafe String(cString: $0) }
    unsafe functions.pointee.ReleaseStatus(status)
    throw Diagnostic("RTM002", "ONNX Runtime cannot be started", cause: text)
  }

  /// Throws when a call failed, with the runtime's words.
  func check(_ status: OrtStatusRef?, code: String = "RTM005") throws {
    guard let status = unsafe status else { return }
    let text = unsafe words(status)
    unsafe functions.pointee.ReleaseStatus(status)
    throw Diagnostic(code, "ONNX Runtime refused this model", cause: text)
  }

  /// The runtime's words for a status.
  func words(_ status: OrtStatusRef) -> String {
    unsafe functions.pointee.GetErrorMessage(status).map { unsafe String(cString: $0) } ?? ""
  }

  /// Text that the runtime allocated, which is freed.
  func take(_ text: UnsafeMutablePointer<CChar>?) -> String {
    guard let text = unsafe text else { return "" }
    defer {
      if let status = unsafe functions.pointee.AllocatorFree(allocator, text) {
        unsafe functions.pointee.ReleaseStatus(status)
      }
    }
    return unsafe String(cString: text)
  }

  /// The execution providers that this build has.
  func providers() -> [String] {
    var names: UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>?
    var count: Int32 = 0
    guard unsafe functions.pointee.GetAvailableProviders(&names, &count) == nil,
      let names = unsafe names
    else { return [] }
    defer {
      if let status = unsafe functions.pointee.ReleaseAvailableProviders(names, count) {
        unsafe functions.pointee.ReleaseStatus(status)
      }
    }
    return (0..<Int(count)).compactMap { unsafe names[$0].map { unsafe String(cString: $0) } }
  }
}
