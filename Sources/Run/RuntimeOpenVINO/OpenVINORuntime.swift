import AssayBase
import AssayHost
import AssayRuntime

/// OpenVINO, with one stream and one synchronous request.
///
/// On processors with bfloat16 OpenVINO computes float32 networks in bfloat16 by itself; here they are
/// computed in float32, so that runtimes are compared like with like, and what it used is noted.
public struct OpenVINORuntime: InferenceRuntime {
  private let path: String?

  /// The runtime, with the library at `path` or, without one, the library found by the rules of
  /// `RuntimeLibrary` (variable `ASSAY_OPENVINO_LIB`).
  public init(library path: String? = nil) { self.path = path }

  /// `openvino`.
  public var id: String { "openvino" }
  /// `onnx` unless told, `openvino` (the `.xml` of an IR) and `tflite`.
  public var formats: [String] { ["onnx", "openvino", "tflite"] }

  /// Loads the library.
  public func probe() -> Availability {
    do {
      return .available(version: try OpenVINOLibrary.shared(path: path).version)
    } catch {
      return Availability(unavailableBecauseOf: error, remedy: RuntimeLibrary.remedy)
    }
  }

  /// Loads a model file; extents that the model leaves open become 1.
  ///
  /// - Throws: `Diagnostic` RTM001 or RTM002 (library), RTM004 (file), RTM005 (model refused), RTM006
  ///   (provider), RTM007 (element type).
  public func load(path: String, options: SessionOptions) throws -> any Session {
    let library = try OpenVINOLibrary.shared(path: self.path)
    guard Host.kind(of: path) == .file else {
      throw Diagnostic(
        "RTM004",
        "there is no such model file",
        at: [path],
        remedy: "give the path of an .onnx, .xml or .tflite file"
      )
    }
    return try locating(path) { try OpenVINOSession(library, path: path, options: options) }
  }
}
