import AssayBase
import AssayHost
import AssayRuntime
import CLiteRT
import Synchronization

// Safe because: the table is filled once, before the object is shared, and never changes.
/// libedgetpu, which drives Edge TPUs as a delegate of TensorFlow Lite.
@safe public final class EdgeTPULibrary: @unchecked Sendable {
  let functions: EdgeTPUFunctions
  /// Where it was found.
  public let path: String
  /// Its own words for its version.
  public let version: String

  /// A device as the library lists it.
  public struct Device: Sendable, Equatable {
    /// Whether it is on the USB; else it is on PCIe.
    public var isUSB: Bool
    /// The library's name for it.
    public var path: String
  }

  private static let loaded = Mutex<[String: EdgeTPULibrary]>([:])

  /// How to get the library.
  public static let remedy =
    "install libedgetpu1-std (or libedgetpu1-max) from the maker's Debian archive, or a newer build of it;"
    + " or set ASSAY_EDGETPU_LIB to the library"

  /// The library, loaded once for each path.
  ///
  /// - Parameter path: the library; by default that of `ASSAY_EDGETPU_LIB`, else what set-up or the user
  ///   put below `$ASSAY_HOME/runtimes/edgetpu`, else the system's `libedgetpu.so.1`.
  /// - Throws: `Diagnostic` TPU010 when there is none, TPU011 when it does not fit.
  public static func shared(path: String? = nil) throws -> EdgeTPULibrary {
    let candidates =
      path.map { [RuntimeLibrary(path: $0)] }
      ?? RuntimeLibrary.candidates(
        id: "edgetpu",
        variable: "ASSAY_EDGETPU_LIB",
        stem: "libedgetpu.so.1"
      )
    var first: Diagnostic?
    for candidate in candidates {
      do {
        return try loaded.withLock { loaded in
          if let library = loaded[candidate.path] { return library }
          let library = try EdgeTPULibrary(candidate.path)
          loaded[candidate.path] = library
          return library
        }
      } catch let error as Diagnostic {
        if first == nil { first = error }
      }
    }
    if let first, first.code != "HST020" { throw first }
    throw Diagnostic(
      "TPU010",
      "libedgetpu is not installed",
      remedy: remedy,
      cause: first?.cause
    )
  }

  private init(_ path: String) throws {
    let shared = try SharedLibrary(path: path)
    var functions = EdgeTPUFunctions()
    let missing = unsafe shared.fill(&functions, names: edgetpu_function_names())
    guard missing.isEmpty else {
      throw Diagnostic(
        "TPU011",
        "this library is not libedgetpu",
        at: [path],
        remedy: EdgeTPULibrary.remedy,
        cause: "missing: " + missing.joined(separator: ", ")
      )
    }
    self.functions = functions
    self.path = path
    version = unsafe functions.edgetpu_version().map { unsafe String(cString: $0) } ?? "unknown"
  }

  /// The runtime's version, by which files are compiled for it; `nil` when the library does not tell.
  public var runtimeVersion: Int? { Self.runtimeVersion(in: version) }

  /// The number in `RuntimeVersion(14)`.
  static func runtimeVersion(in text: String) -> Int? {
    let parts = text.split(separator: "(")
    guard
      let place = parts.indices.dropLast().first(where: { parts[$0].hasSuffix("RuntimeVersion") })
    else { return nil }
    return Int(parts[place + 1].prefix { $0.isNumber })
  }

  /// The devices that the library finds.
  public func devices() -> [Device] {
    var count = 0
    guard let list = unsafe functions.edgetpu_list_devices(&count) else { return [] }
    defer { unsafe functions.edgetpu_free_devices(list) }
    return (0..<min(max(count, 0), 256)).map { index in
      let device = unsafe list[index]
      return Device(
        isUSB: unsafe device.type == Int32(EdgeTPUOverUSB),
        path: unsafe device.path.map { unsafe String(cString: $0) } ?? ""
      )
    }
  }

  /// A delegate for a device, with the stand-in that LiteRT understands.
  ///
  /// - Throws: `Diagnostic` TPU012 when the device cannot be opened.
  func delegate(
    for device: Device,
    clock: EdgeTPUClock?
  ) throws -> UnsafeMutablePointer<TflDelegate> {
    let inner = unsafe device.path.withCString { path in
      unsafe "Performance".withCString { name in
        unsafe (clock?.performance ?? "").withCString { value in
          let option = unsafe EdgeTPUOption(name: name, value: value)
          let type = Int32(device.isUSB ? EdgeTPUOverUSB : EdgeTPUOverPCI)
          return unsafe [option].withUnsafeBufferPointer { options in
            unsafe functions.edgetpu_create_delegate(
              type,
              path,
              clock == nil ? nil : options.baseAddress,
              clock == nil ? 0 : 1
            )
          }
        }
      }
    }
    guard let inner = unsafe inner,
      let outer = unsafe edgetpu_lend(inner, functions.edgetpu_free_delegate)
    else {
      throw Diagnostic(
        "TPU012",
        "the Edge TPU \(device.path) cannot be opened",
        remedy:
          "another program may use it; unplug the stick and plug it in again, or see assay doctor"
      )
    }
    return unsafe outer
  }
}

/// The clock that an Edge TPU is asked to run at.
public enum EdgeTPUClock: String, Sendable, CaseIterable {
  case low, medium, standard, maximum

  /// libedgetpu's word for it.
  var performance: String {
    switch self {
    case .low: "Low"
    case .medium: "Medium"
    case .standard: "High"
    case .maximum: "Max"
    }
  }

  /// Megahertz of the chip, by the library's source.
  public var megahertz: Int {
    switch self {
    case .low: 63
    case .medium: 125
    case .standard: 250
    case .maximum: 500
    }
  }
}
