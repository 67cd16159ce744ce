import AssayBase
import AssayHost
import AssayRuntime
import CLiteRT
import Synchronization

// Safe because: the table is filled once, before the object is shared, and never changes.
/// LiteRT's functions, loaded from its shared library.
@safe final class LiteRTLibrary: @unchecked Sendable {
  let functions: LrtFunctions
  let library: RuntimeLibrary
  /// The loaded library, for tables that only some sessions need.
  let shared: SharedLibrary
  /// The version, as set-up noted it or as the presence of functions shows it.
  let version: String

  private static let loaded = Mutex<[String: LiteRTLibrary]>([:])

  /// The library, loaded once for each path.
  ///
  /// - Throws: `Diagnostic` RTM001 when there is none, RTM002 when it does not fit.
  static func shared(path: String?) throws -> LiteRTLibrary {
    let candidates =
      path.map { [RuntimeLibrary(path: $0)] }
      ?? RuntimeLibrary.candidates(
        id: "litert",
        variable: "ASSAY_LITERT_LIB",
        stem: libraryName
      )
    return try RuntimeLibrary.load("LiteRT", candidates) { candidate in
      try loaded.withLock { loaded in
        if let library = loaded[candidate.path] { return library }
        let library = try LiteRTLibrary(candidate)
        loaded[candidate.path] = library
        return library
      }
    }
  }

  #if os(macOS)
  private static let libraryName = "libLiteRt.dylib"
  #else
  private static let libraryName = "libLiteRt.so"
  #endif

  private init(_ library: RuntimeLibrary) throws {
    let shared = try SharedLibrary(path: library.path)
    var functions = LrtFunctions()
    let missing = unsafe shared.fill(&functions, names: lrt_function_names())
    let marker = "LiteRtCompiledModelIsNonCpuFullyAccelerated"
    // Before 2.1.6 functions of the same name take other arguments: only a noted version, or the
    // function that came with 2.3, shows that it is safe to call them.
    let noted = library.version.map { LiteRTLibrary.isSupported($0) }
    guard missing.allSatisfy({ $0 == marker }), noted ?? missing.isEmpty else {
      throw Diagnostic(
        "RTM002",
        "this version of LiteRT does not fit: 2.1.6 or later is needed",
        at: [library.path],
        remedy: RuntimeLibrary.remedy,
        cause: missing.isEmpty ? library.version : "missing: " + missing.joined(separator: ", ")
      )
    }
    self.functions = functions
    self.library = library
    self.shared = shared
    version = library.version ?? "2.3 or later"
  }

  private static func isSupported(_ version: String) -> Bool {
    let numbers = version.split(separator: ".").map { Int($0) ?? 0 }
    return !numbers.lexicographicallyPrecedes([2, 1, 6])
  }

  /// Throws when a call failed.
  func check(
    _ status: LrtStatus,
    _ call: StaticString,
    code: String = "RTM010",
    cause: @autoclosure () -> String? = nil
  ) throws {
    guard status != 0 else { return }
    let words = cause().map { ": " + $0 } ?? ""
    throw Diagnostic(
      code,
      "LiteRT refused this model",
      cause: "\(call) gave \(LiteRTLibrary.name(ofStatus: status))\(words)"
    )
  }

  /// The runtime's own name of a status.
  static func name(ofStatus status: LrtStatus) -> String {
    let names: [LrtStatus: String] = [
      1: "invalid argument", 2: "out of memory", 3: "runtime failure", 4: "missing input",
      5: "unsupported", 6: "not found", 7: "timeout", 8: "wrong version", 9: "unknown",
      10: "already exists", 100: "cancelled", 500: "file error", 501: "invalid flatbuffer",
      502: "dynamic loading failed", 503: "serialization failed", 504: "compilation failed",
      1000: "index out of bounds",
    ]
    return names[status].map { "status \(status) (\($0))" } ?? "status \(status)"
  }
}
