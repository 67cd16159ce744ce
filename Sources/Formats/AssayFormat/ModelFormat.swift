import AssayBase
import AssayGraph
import AssayTensor

/// What an importer is told besides the bytes.
public struct ImportOptions: Sendable {
  /// Replaces an unknown first extent of the inputs.
  public var batch: Int
  /// Extents of inputs by name, where the file leaves them open.
  public var shapes: [String: Shape]
  /// The file's path, for messages and for companions beside it.
  public var path: String

  /// Makes options.
  public init(batch: Int = 1, shapes: [String: Shape] = [:], path: String = "") {
    self.batch = batch
    self.shapes = shapes
    self.path = path
  }
}

/// What an import gives: the graph and all that was noticed on the way.
public struct ImportReport: Sendable {
  /// The network.
  public var graph: Graph
  /// Warnings and notes; errors are thrown, all at once, as `Diagnostics`.
  public var diagnostics: [Diagnostic]
  /// What the file says of its maker, such as `keras 3.15.0`.
  public var producer: String?

  /// Makes a report.
  public init(graph: Graph, diagnostics: [Diagnostic] = [], producer: String? = nil) {
    self.graph = graph
    self.diagnostics = diagnostics
    self.producer = producer
  }
}

/// What an exporter is told besides the graph.
public struct ExportOptions: Sendable {
  /// Text kept in the file's description: producer and recipe.
  public var description: String

  /// Makes options.
  public init(description: String = "assay") { self.description = description }
}

/// A file format of networks: bytes <-> Graph.
public protocol ModelFormat: Sendable {
  /// A short name: `keras`, `tflite`, `onnx`.
  var id: String { get }
  /// File name extensions without the dot.
  var extensions: [String] { get }
  /// Whether the first bytes of a file (at least 64, or the whole file) look like this format.
  func sniff(_ prefix: ByteView) -> Bool

  /// Bytes -> graph.
  ///
  /// - Throws: `Diagnostics` with every operator, attribute or count that is not understood.
  func importGraph(_ bytes: ByteView, options: ImportOptions) throws -> ImportReport

  /// Whether graphs can be written.
  var canExport: Bool { get }

  /// Whether nodes with this operator can be written, as far as the operator alone decides.
  func canExport(_ op: any Operator) -> Bool

  /// Graph -> the file's bytes, in pieces to be written one after the other.
  ///
  /// - Throws: `Diagnostics` with every node that the format cannot hold.
  func exportGraph(_ graph: Graph, options: ExportOptions) throws -> [ByteView]
}

extension ModelFormat {
  /// Formats are read only, unless they say otherwise.
  public var canExport: Bool { false }

  /// No operator.
  public func canExport(_ op: any Operator) -> Bool { false }

  /// Refuses.
  public func exportGraph(_ graph: Graph, options: ExportOptions) throws -> [ByteView] {
    throw Diagnostic("FMT001", "networks cannot be written as \(id)")
  }
}
