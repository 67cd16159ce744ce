import AssayBase
import AssayHost
import AssayRuntime

/// ONNX Runtime, run through an input and output binding over memory of ours.
public struct OnnxRuntime: InferenceRuntime {
  private let path: String?

  /// The runtime, with the library at `path` or, without one, the library found by the rules of
  /// `RuntimeLibrary` (variable `ASSAY_ONNXRUNTIME_LIB`).
  public init(library path: String? = nil) { self.path = path }

  /// `onnxruntime`.
  public var id: String { "onnxruntime" }
  /// `onnx`.
  public var formats: [String] { ["onnx"] }

  /// Loads the library.
  public func probe() -> Availability {
    do {
      return .available(version: try OnnxLibrary.shared(path: path).version)
    } catch {
      return Availability(unavailableBecauseOf: error, remedy: RuntimeLibrary.remedy)
    }
  }

  /// Loads a model file.
  ///
  /// The time of reading is that of reading the file through; parsing it counts as compiling.
  ///
  /// - Throws: `Diagnostic` RTM001 or RTM002 (library), RTM004 (file), RTM005 (model refused), RTM006
  ///   (provider), RTM007 (element type).
  public func load(path: String, options: SessionOptions) throws -> any Session {
    let library = try OnnxLibrary.shared(path: self.path)
    guard Host.kind(of: path) == .file else {
      throw Diagnostic(
        "RTM004",
        "there is no such model file",
        at: [path],
        remedy: "give the path of an .onnx file"
      )
    }
    return try locating(path) { try OnnxSession(library, path: path, options: options) }
  }
}
