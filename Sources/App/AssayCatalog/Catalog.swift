import AssayBase
import AssayFormat
import AssayGraph
import AssayRemote
import AssayRuntime
import FormatKeras
import FormatONNX
import FormatOpenVINO
import FormatPyTorch
import FormatTFLite
import FormatTensorFlow
import RuntimeLiteRT
import RuntimeOnnxRuntime
import RuntimeOpenVINO
import RuntimeReference

/// Every plug-in, a row each: the only place that names them.
public enum Catalog {
  /// File formats of networks.
  public static let formats: [any ModelFormat] = [
    KerasFormat(),
    TFLiteFormat(),
    ONNXFormat(),
    PyTorchFormat(),
    TensorFlowFormat(),
    OpenVINOFormat(),
  ]

  /// Assay's own execution of files that are imported in a given way.
  public static func referenceRuntime(_ options: ImportOptions) -> any InferenceRuntime {
    ReferenceRuntime { path in try importModel(path: path, options: options).graph }
  }

  /// Software that executes networks, in the order of tables.
  ///
  /// Programs of the user's come last; one under a name that is taken is left out.
  public static let runtimes: [any InferenceRuntime] =
    own
    + programs.runtimes.filter { program in
      !own.contains { $0.id == program.id }
    }

  private static let own: [any InferenceRuntime] = [
    LiteRTRuntime(),
    OnnxRuntime(),
    OpenVINORuntime(),
    referenceRuntime(ImportOptions()),
    NullRuntime(),
  ]

  /// Programs of the user's that stand for runtimes and importers; none where their file cannot be read,
  /// which doctor tells.
  public static let programs: ProgramBook =
    (try? ProgramBook()) ?? (try? ProgramBook(text: "{}")) ?? noPrograms()

  private static func noPrograms() -> ProgramBook {
    preconditionFailure("an empty book can be read")
  }

  /// The runtimes that a comparison takes unless told: those that a user ships.
  public static var shipping: [any InferenceRuntime] {
    own.filter { !["reference", "null"].contains($0.id) }
  }

  /// The formats that a runtime is given when files are made for it, the first that can hold the network.
  ///
  /// OpenVINO reads ONNX as well, but ends with a fault of memory on some networks of integers, and is
  /// faster with its own.
  public static func preferredFormats(of runtime: any InferenceRuntime) -> [String] {
    switch runtime.id {
    case "litert", "reference": ["tflite"]
    case "onnxruntime": ["onnx"]
    case "openvino": ["openvino", "onnx"]
    default: Array(runtime.formats.prefix(1))
    }
  }

  /// The file that a network lies in, in a format: `stem` with the format's extension.
  public static func file(_ stem: String, format id: String) -> String {
    "\(stem).\(format(id)?.extensions.first ?? id)"
  }

  /// The format with this id.
  public static func format(_ id: String) -> (any ModelFormat)? { formats.first { $0.id == id } }

  /// The runtime with this id.
  ///
  /// - Throws: `Diagnostic` CAT001 with the nearest name.
  public static func runtime(_ id: String) throws -> any InferenceRuntime {
    if let found = runtimes.first(where: { $0.id == id }) { return found }
    let guess = nearest(to: id, among: runtimes.map(\.id)).map { "; did you mean \($0)?" } ?? ""
    throw Diagnostic(
      "CAT001",
      "there is no runtime '\(id)'",
      remedy: "one of \(runtimes.map(\.id).joined(separator: ", "))\(guess)"
    )
  }
}
