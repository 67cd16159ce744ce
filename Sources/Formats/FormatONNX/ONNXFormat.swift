import AssayBase
import AssayFormat
import AssayGraph

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
  static let writtenFor16Bits: (opset: Int64, irVersion: Int64) = (21, 10)
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

  /// ONNX's operators that are read, in alphabetical order.
  public static var readOperators: [String] { onnxReaders.keys.sorted() }

  public var canExport: Bool { true }

  /// Whether nodes with this operator can be written, as far as the operator alone decides.
  public func canExport(_ op: any Operator) -> Bool { op is any ONNXExportable }

  public func exportGraph(_ graph: Graph, options: ExportOptions) throws -> [ByteView] {
    try GraphExporter.model(of: graph, options: options).encoded()
  }
}
