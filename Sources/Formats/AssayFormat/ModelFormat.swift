import AssayBase
import AssayGraph
import AssayTensor

/// What an importer is told besides the bytes.
public struct ImportOptions: Sendable {
  /// Replaces an unknown first extent of the inputs.
  public var batch: Int
  /// Extents of inputs by name, where the file leaves them open; by "" of the only one.
  public var shapes: [String: Shape]
  /// The extents of an input that `shapes` does not name; `nil` for what the file says.
  public var openShape: Shape?
  /// The file's path, for messages and for companions beside it.
  public var path: String
  /// The signature to take, where a file has several; the format's usual one if `nil`.
  public var signature: String?
  /// The names of the nodes or values to take as inputs; what the file says, if empty.
  public var inputs: [String]
  /// The names of the nodes or values to take as outputs; what the file says, if empty.
  public var outputs: [String]
  /// Inputs by name whose values are known beforehand: they become Constants, the network is
  /// specialized on them and has no such inputs.
  public var values: [String: Tensor]

  /// Makes options.
  public init(
    batch: Int = 1,
    shapes: [String: Shape] = [:],
    openShape: Shape? = nil,
    path: String = "",
    signature: String? = nil,
    inputs: [String] = [],
    outputs: [String] = [],
    values: [String: Tensor] = [:]
  ) {
    self.batch = batch
    self.shapes = shapes
    self.openShape = openShape
    self.path = path
    self.signature = signature
    self.inputs = inputs
    self.outputs = outputs
    self.values = values
  }

  /// The extents that are asked for of an input, if any are.
  public func shape(of input: String) -> Shape? { shapes[input] ?? shapes[""] ?? openShape }
}

/// What an import gives: the graph and all that was noticed on the way.
public struct ImportReport: Sendable {
  /// The network.
  public var graph: Graph
  /// Warnings and notes; errors are thrown, all at once, as `Diagnostics`.
  public var diagnostics: [Diagnostic]
  /// What the file says of its maker, such as `keras 3.15.0`.
  public var producer: String?
  /// What else the file tells: its description, what is compiled into it.
  public var facts: [Fact]

  /// Something that a file tells of itself.
  public struct Fact: Sendable, Equatable {
    /// What it is about.
    public var name: String
    /// What the file says.
    public var value: String

    /// Makes a fact.
    public init(_ name: String, _ value: String) {
      self.name = name
      self.value = value
    }
  }

  /// Makes a report.
  public init(
    graph: Graph,
    diagnostics: [Diagnostic] = [],
    producer: String? = nil,
    facts: [Fact] = []
  ) {
    self.graph = graph
    self.diagnostics = diagnostics
    self.producer = producer
    self.facts = facts
  }
}

/// What an exporter is told besides the graph.
public struct ExportOptions: Sendable {
  /// Text kept in the file's description: producer and recipe.
  public var description: String
  /// The name of the written file or folder without the folders above it; companions are named after
  /// it.
  public var fileName: String
  /// ONNX's operator set; the format's usual one if `nil`.
  public var opset: Int?
  /// OpenVINO's IR version; the newest if `nil`.
  public var irVersion: Int?
  /// Whether operators that the format has not are kept as custom ones.
  public var allowsCustom: Bool

  /// Makes options.
  public init(
    description: String = "assay",
    fileName: String = "model",
    opset: Int? = nil,
    irVersion: Int? = nil,
    allowsCustom: Bool = false
  ) {
    self.description = description
    self.fileName = fileName
    self.opset = opset
    self.irVersion = irVersion
    self.allowsCustom = allowsCustom
  }

  /// `fileName` without its extension.
  public var stem: String {
    guard let dot = fileName.lastIndex(of: "."), dot != fileName.startIndex else {
      return fileName
    }
    return String(fileName[..<dot])
  }
}

/// What an export gives: bytes of one file, of a file with companions, or of a folder.
///
/// The bytes come in pieces to be written one after the other.
public struct ExportedModel: Sendable {
  /// One file with others beside or below it.
  public struct File: Sendable {
    /// The path relative to the model's folder.
    public var name: String
    /// The bytes.
    public var parts: [ByteView]

    /// Makes a file.
    public init(_ name: String, _ parts: [ByteView]) {
      self.name = name
      self.parts = parts
    }
  }

  /// The bytes of the model's own file; `nil` for a model that is a folder.
  public var main: [ByteView]?
  /// The other files: beside the model's own one, or those in its folder.
  public var companions: [File]
  /// What the user should know of it, such as operators that not every runtime has.
  public var notes: [Diagnostic] = []

  /// A model in a file.
  public init(_ main: [ByteView], companions: [File] = [], notes: [Diagnostic] = []) {
    self.main = main
    self.companions = companions
    self.notes = notes
  }

  /// A model that is a folder with these files.
  public init(folder files: [File]) { companions = files }

  /// The number of bytes of all files.
  public var byteCount: Int {
    ((main ?? []) + companions.flatMap(\.parts)).reduce(0) { $0 + $1.count }
  }
}

/// A file format of networks: bytes <-> Graph.
public protocol ModelFormat: Sendable {
  /// A short name: `keras`, `tflite`, `onnx`.
  var id: String { get }
  /// File name extensions without the dot.
  var extensions: [String] { get }
  /// Names of files by which a folder is known to be a model of this format; the first that is there
  /// is what `importGraph` gets.
  var folderEntries: [String] { get }
  /// Whether the first bytes of a file (at least 64, or the whole file) look like this format.
  func sniff(_ prefix: ByteView) -> Bool

  /// Bytes -> graph.
  ///
  /// - Throws: `Diagnostics` with every operator, attribute or count that is not understood.
  func importGraph(_ bytes: ByteView, options: ImportOptions) throws -> ImportReport

  /// Whether graphs can be written.
  var canExport: Bool { get }

  /// Whether a network read from this format is written to it layer by layer, as its owner knows it,
  /// rather than in canonical form.
  var keepsLayers: Bool { get }

  /// Whether nodes with this operator can be written, as far as the operator alone decides.
  func canExport(_ op: any Operator) -> Bool

  /// Graph -> the file's bytes, in pieces to be written one after the other.
  ///
  /// - Throws: `Diagnostics` with every node that the format cannot hold.
  func exportGraph(_ graph: Graph, options: ExportOptions) throws -> [ByteView]

  /// Graph -> all files of the model; by default the one of `exportGraph`.
  ///
  /// - Throws: `Diagnostics` with every node that the format cannot hold.
  func exportModel(_ graph: Graph, options: ExportOptions) throws -> ExportedModel
}

extension ModelFormat {
  /// A model is a file.
  public var folderEntries: [String] { [] }

  /// One file.
  public func exportModel(_ graph: Graph, options: ExportOptions) throws -> ExportedModel {
    ExportedModel(try exportGraph(graph, options: options))
  }

  /// Networks are written in canonical form.
  public var keepsLayers: Bool { false }

  /// Formats are read only, unless they say otherwise.
  public var canExport: Bool { false }

  /// No operator.
  public func canExport(_ op: any Operator) -> Bool { false }

  /// Refuses.
  public func exportGraph(_ graph: Graph, options: ExportOptions) throws -> [ByteView] {
    throw Diagnostic("FMT001", "networks cannot be written as \(id)")
  }
}
