import AssayBase
import AssayHost
import AssayRuntime

/// LiteRT (formerly TensorFlow Lite), driven through its CompiledModel interface.
///
/// On the CPU it runs models by XNNPACK; operators that XNNPACK does not take run on LiteRT's own
/// kernels. On the GPU it runs them by its WebGPU accelerator, in float32.
public struct LiteRTRuntime: InferenceRuntime {
  private let path: String?

  /// The runtime, with the library at `path` or, without one, the library found by the rules of
  /// `RuntimeLibrary` (variable `ASSAY_LITERT_LIB`).
  public init(library path: String? = nil) { self.path = path }

  /// `litert`.
  public var id: String { "litert" }
  /// `tflite`.
  public var formats: [String] { ["tflite"] }

  /// Loads the library.
  public func probe() -> Availability {
    do {
      return .available(version: try LiteRTLibrary.shared(path: path).version)
    } catch {
      return Availability(unavailableBecauseOf: error, remedy: RuntimeLibrary.remedy)
    }
  }

  /// Loads a model file.
  ///
  /// - Throws: `Diagnostic` RTM001 or RTM002 (library), RTM003 (operators that LiteRT lacks), RTM004
  ///   (file), RTM005 (model refused), RTM006 (provider).
  public func load(path: String, options: SessionOptions) throws -> any Session {
    let library = try LiteRTLibrary.shared(path: self.path)
    guard Host.kind(of: path) == .file else {
      throw Diagnostic(
        "RTM004",
        "there is no such model file",
        at: [path],
        remedy: "give the path of a .tflite file"
      )
    }
    return try locating(path) { try LiteRTSession(library, path: path, options: options) }
  }
}
