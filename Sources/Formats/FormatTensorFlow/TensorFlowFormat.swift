import AssayBase
import AssayCodec
import AssayFormat
import AssayGraph
import AssayTensorFlow

/// TensorFlow's networks: SavedModel folders, GraphDef files (`.pb`, `.pbtxt`), frozen or with a checkpoint beside
/// them, and the MetaGraph files (`.meta`) of TensorFlow 1's checkpoints.
///
/// What a file is follows from its bytes. Variables become Constants; a checkpoint is looked for in the
/// folder of the model.
public struct TensorFlowFormat: ModelFormat {
  /// Makes the format.
  public init() {}

  public var id: String { "tensorflow" }
  public var extensions: [String] { ["savedmodel", "pb", "pbtxt", "meta"] }
  public var folderEntries: [String] { ["saved_model.pb"] }

  /// The messages that a file may hold.
  enum Kind {
    case savedModel, metaGraph, graph
  }

  public func sniff(_ prefix: ByteView) -> Bool {
    Self.kind(prefix) != nil || GraphText.isText(prefix)
  }

  /// What the first fields of a file say that it is.
  static func kind(_ prefix: ByteView) -> Kind? {
    let bytes = Array((try? prefix.slice(0, min(prefix.count, 64)))?.array ?? prefix.array)
    guard bytes.count > 2 else { return nil }
    // SavedModel: schema version 1, then a MetaGraph.
    if bytes[0] == 0x08 { return bytes[1] == 1 && bytes[2] == 0x12 ? .savedModel : nil }
    guard bytes[0] == 0x0A else { return nil }
    // A first message: a node with name and operator, or the description of a MetaGraph.
    var position = 1
    func length() -> Int? {
      var value = 0
      for shift in stride(from: 0, to: 35, by: 7) {
        guard position < bytes.count else { return nil }
        let byte = bytes[position]
        position += 1
        value |= Int(byte & 0x7F) << shift
        if byte < 0x80 { return value }
      }
      return nil
    }
    guard length() != nil, position < bytes.count else { return nil }
    switch bytes[position] {
    case 0x0A:
      position += 1
      guard let count = length() else { return nil }
      let name = bytes[position...].prefix(count)
      guard name.allSatisfy({ (0x21..<0x7F).contains($0) }) else { return nil }
      position += count
      // A name that is longer than what is seen is a node's; a version is short.
      guard position < bytes.count else { return .graph }
      guard bytes[position] == 0x12 else { return nil }
      position += 1
      guard let size = length(), position < bytes.count, size > 0 else { return nil }
      return isLetter(bytes[position]) ? .graph : .metaGraph
    case 0x12: return .metaGraph
    default: return nil
    }
  }

  private static func isLetter(_ byte: UInt8) -> Bool {
    byte == 0x5F || (0x41...0x5A).contains(byte) || (0x61...0x7A).contains(byte)
  }

  public func importGraph(_ bytes: ByteView, options: ImportOptions) throws -> ImportReport {
    try locating(options.path) {
      do {
        return try read(bytes, options)
      } catch let fault as ByteView.OutOfBounds {
        throw Diagnostic(
          "TFG001",
          "the file is damaged: \(fault.length) bytes at \(fault.offset) of \(fault.count)"
        )
      }
    }
  }

  private func read(_ bytes: ByteView, _ options: ImportOptions) throws -> ImportReport {
    switch Self.kind(bytes) {
    case .savedModel: return try SavedModelReader.read(bytes, options)
    case .metaGraph:
      return try GraphFileReader.read(try TFMetaGraph(reading: ProtobufReader(bytes)), options)
    case .graph:
      var meta = TFMetaGraph()
      meta.graph = try TFGraph(reading: ProtobufReader(bytes))
      return try GraphFileReader.read(meta, options)
    case nil where GraphText.isText(bytes):
      var meta = TFMetaGraph()
      meta.graph = try TFGraph(reading: ProtobufReader(try GraphText.binary(bytes)))
      return try GraphFileReader.read(meta, options)
    case nil:
      throw Diagnostic("TFG001", "this is neither a SavedModel nor a graph of TensorFlow")
    }
  }

  public var canExport: Bool { true }

  /// Whether nodes with this operator can be written, as far as the operator alone decides.
  public func canExport(_ op: any Operator) -> Bool { canExportToTensorFlow(op) }

  /// A frozen graph.
  public func exportGraph(_ graph: Graph, options: ExportOptions) throws -> [ByteView] {
    try SavedModelWriter.frozen(graph)
  }

  /// A frozen graph for names that end with `.pb`, else a SavedModel folder.
  public func exportModel(_ graph: Graph, options: ExportOptions) throws -> ExportedModel {
    if options.fileName.lowercased().hasSuffix(".pb") {
      return ExportedModel(try exportGraph(graph, options: options))
    }
    return ExportedModel(folder: try SavedModelWriter.files(graph, options))
  }

  /// TensorFlow's operators that are read, in alphabetical order.
  public static var readOperators: [String] { TensorFlowImporter.readOperators }
}
