import AssayBase
import AssayCodec
import AssayFormat
import AssayGraph
import AssayTensor

/// ONNX files (`.onnx`), read and written.
///
/// Specification: https://onnx.ai/onnx/ (IR and operators).
public struct ONNXFormat: ModelFormat {
  /// Makes the format.
  public init() {}

  public var id: String { "onnx" }
  public var extensions: [String] { ["onnx"] }

  /// Operator set and file version of written files: the first with Gelu.
  static let written: (opset: Int64, irVersion: Int64) = (20, 9)
  /// Those of files with 16-bit quantization, which the set before has not.
  ///
  /// They are not for all files: ONNX Runtime 1.31 fails to optimize some 8-bit networks in them
  /// (its rewrites contradict the attribute output_dtype).
  static let writtenForNewIntegers: (opset: Int64, irVersion: Int64) = (21, 10)
  /// The operator sets that are read.
  public static let readOpsets: ClosedRange<Int64> = 7...28

  /// Whether the first field is `ir_version` (every writer puts it there) with a known version.
  public func sniff(_ prefix: ByteView) -> Bool {
    guard prefix.count >= 2, let tag = try? prefix.load(UInt8.self, at: 0),
      let version = try? prefix.load(UInt8.self, at: 1), tag == 0x08, (3...20).contains(version)
    else { return false }
    // What follows is a field of ModelProto: 2…8, 14, 20, 25, 26, of the wire type it has there.
    guard prefix.count > 2, let next = try? prefix.load(UInt8.self, at: 2) else { return true }
    return [0x12, 0x1A, 0x22, 0x28, 0x32, 0x3A, 0x42, 0x72].contains(next)
  }

  public func importGraph(_ bytes: ByteView, options: ImportOptions) throws -> ImportReport {
    try GraphImporter.importGraph(bytes, options: options)
  }

  /// The tensor of a file that holds one `TensorProto`, and its name.
  ///
  /// - Throws: `Diagnostic` ONX01x, or what is wrong with the message.
  public static func readTensor(_ bytes: ByteView) throws -> (name: String, tensor: Tensor) {
    let stored = try ONNXTensor(ProtobufReader(bytes, maximumDepth: 8))
    let tensor = try stored.tensor { name in
      throw Diagnostic("ONX013", "the elements lie in another file", at: ["'\(name)'"])
    }
    return (stored.name, tensor)
  }

  /// ONNX's operators that are read, in alphabetical order.
  public static var readOperators: [String] { onnxReaders.keys.sorted() }

  public var canExport: Bool { true }

  /// Whether nodes with this operator can be written, as far as the operator alone decides.
  public func canExport(_ op: any Operator) -> Bool {
    op is any ONNXExportable || op is any DecomposableOperator
  }

  /// Bytes that one file can have: protobuf's lengths end there.
  static let largestFile = Int(Int32.max)

  public func exportGraph(_ graph: Graph, options: ExportOptions) throws -> [ByteView] {
    let parts = try GraphExporter.model(of: graph, options: options).encoded()
    guard parts.reduce(0, { $0 + $1.count }) <= Self.largestFile else {
      throw Diagnostic(
        "ONX105",
        "the network takes more than 2 GB, which one ONNX file cannot hold",
        remedy: "write it as a file with external data"
      )
    }
    return parts
  }

  /// One file, or above 2 GB a file with its constants beside it (`NAME.data`).
  public func exportModel(_ graph: Graph, options: ExportOptions) throws -> ExportedModel {
    try exportModel(graph, options: options, largestFile: Self.largestFile)
  }

  /// The model, with its constants in a file of their own where one file would be too large.
  func exportModel(
    _ graph: Graph,
    options: ExportOptions,
    largestFile: Int
  ) throws -> ExportedModel {
    var model = try GraphExporter.model(of: graph, options: options)
    let parts = model.encoded()
    guard parts.reduce(0, { $0 + $1.count }) > largestFile else { return ExportedModel(parts) }
    let name = options.fileName + ".data"
    let data = model.moveConstants(to: name)
    return ExportedModel(model.encoded(), companions: [.init(name, data)])
  }
}
