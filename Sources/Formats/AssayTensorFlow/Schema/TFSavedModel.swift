import AssayBase
import AssayCodec

/// An input or output of a signature (`TensorInfo`).
public struct TFTensorInfo: Sendable {
  /// The value in the graph, such as `serving_default_x:0`.
  public var name = ""
  /// The type of its elements.
  public var dtype: TFDataType = .invalid
  /// Its shape.
  public var shape = TFShape(nil)

  /// Makes an entry.
  public init(name: String, dtype: TFDataType, shape: TFShape) {
    self.name = name
    self.dtype = dtype
    self.shape = shape
  }

  init(reading message: ProtobufReader) throws {
    var reader = message
    while let field = try reader.next() {
      switch field.number {
      case 1: name = try field.string()
      case 2: dtype = TFDataType(number: try field.integer())
      case 3: shape = try TFShape(reading: try reader.message(field))
      default: break
      }
    }
  }

  func encoded() -> ProtobufWriter {
    var writer = ProtobufWriter()
    writer.string(1, name)
    writer.integer(2, dtype.rawValue)
    writer.message(3, shape.encoded())
    return writer
  }
}

/// A way to call a network: its inputs and outputs by name (`SignatureDef`).
public struct TFSignature: Sendable {
  /// What the user feeds.
  public var inputs: [String: TFTensorInfo] = [:]
  /// What the user gets.
  public var outputs: [String: TFTensorInfo] = [:]
  /// What kind of call it is.
  public var method = ""

  /// Makes a signature.
  public init(inputs: [String: TFTensorInfo], outputs: [String: TFTensorInfo], method: String) {
    self.inputs = inputs
    self.outputs = outputs
    self.method = method
  }

  init(reading message: ProtobufReader) throws {
    var reader = message
    while let field = try reader.next() {
      switch field.number {
      case 1, 2:
        let (key, value) = try mapEntry(try reader.message(field))
        guard let value else { continue }
        let info = try TFTensorInfo(reading: value)
        if field.number == 1 { inputs[key] = info } else { outputs[key] = info }
      case 3: method = try field.string()
      default: break
      }
    }
  }

  func encoded() -> ProtobufWriter {
    var writer = ProtobufWriter()
    for (number, ports) in [(1, inputs), (2, outputs)] {
      for (key, info) in ports.sorted(by: { $0.key < $1.key }) {
        writer.message(number) {
          $0.string(1, key)
          $0.message(2, info.encoded())
        }
      }
    }
    writer.string(3, method)
    return writer
  }
}

/// How a graph's variables are saved and restored (`SaverDef`).
public struct TFSaver: Sendable {
  /// The placeholder of the checkpoint's path.
  public var filename = ""
  /// The value that running a save gives.
  public var save = ""
  /// The node that restores all variables.
  public var restore = ""

  /// Makes a description of a saver.
  public init(filename: String, save: String, restore: String) {
    self.filename = filename
    self.save = save
    self.restore = restore
  }

  init(reading message: ProtobufReader) throws {
    var reader = message
    while let field = try reader.next() {
      switch field.number {
      case 1: filename = try field.string()
      case 2: save = try field.string()
      case 3: restore = try field.string()
      default: break
      }
    }
  }

  func encoded() -> ProtobufWriter {
    var writer = ProtobufWriter()
    writer.string(1, filename)
    writer.string(2, save)
    writer.string(3, restore)
    writer.integer(4, 5)
    writer.float(6, 10_000)
    // Version 2: tensor bundles.
    writer.integer(7, 2)
    return writer
  }
}

/// A graph with what is needed to run it (`MetaGraphDef`).
public struct TFMetaGraph: Sendable {
  /// What it is for: `serve`, `train`.
  public var tags: [String] = []
  /// The version of TensorFlow that wrote it.
  public var version = ""
  /// The graph.
  public var graph = TFGraph()
  /// How its variables are restored.
  public var saver: TFSaver?
  /// The ways to call it, by name.
  public var signatures: [String: TFSignature] = [:]
  /// The objects of the program that saved it.
  public var objects: TFObjectGraph?
  /// Lists of serialized messages by name, such as `variables`.
  public var collections: [String: [ByteView]] = [:]

  /// An empty graph.
  public init() {}

  /// Reads one message.
  ///
  /// - Throws: `Diagnostic` PRB… when it is malformed.
  public init(reading message: ProtobufReader) throws {
    var reader = message
    while let field = try reader.next() {
      switch field.number {
      case 1:
        var info = try reader.message(field)
        while let part = try info.next() {
          if part.number == 4 { tags.append(try part.string()) }
          if part.number == 5 { version = try part.string() }
        }
      case 2: graph = try TFGraph(reading: try reader.message(field))
      case 3: saver = try TFSaver(reading: try reader.message(field))
      case 5:
        let (key, value) = try mapEntry(try reader.message(field))
        if let value { signatures[key] = try TFSignature(reading: value) }
      case 7: objects = try TFObjectGraph(reading: try reader.message(field))
      default: break
      }
    }
  }

  func encoded() -> ProtobufWriter {
    var writer = ProtobufWriter()
    writer.message(1) { info in
      for tag in tags { info.string(4, tag) }
      info.string(5, version)
    }
    writer.message(2, graph.encoded())
    if let saver { writer.message(3, saver.encoded()) }
    for (key, values) in collections.sorted(by: { $0.key < $1.key }) {
      writer.message(4) { entry in
        entry.string(1, key)
        entry.message(2) { collection in
          collection.message(2) { list in for value in values { list.bytes(1, [value]) } }
        }
      }
    }
    for (key, signature) in signatures.sorted(by: { $0.key < $1.key }) {
      writer.message(5) {
        $0.string(1, key)
        $0.message(2, signature.encoded())
      }
    }
    return writer
  }
}

/// The file `saved_model.pb` (`SavedModel`).
public struct TFSavedModel: Sendable {
  /// The version of the format; 1 is the only one.
  public var schemaVersion: Int64 = 1
  /// The graphs, one for each set of tags.
  public var metaGraphs: [TFMetaGraph] = []

  /// A file with one graph.
  public init(_ metaGraph: TFMetaGraph) { metaGraphs = [metaGraph] }

  /// Reads one message.
  ///
  /// - Throws: `Diagnostic` PRB… when it is malformed.
  public init(_ bytes: ByteView) throws {
    var reader = ProtobufReader(bytes)
    while let field = try reader.next() {
      switch field.number {
      case 1: schemaVersion = try field.integer()
      case 2: metaGraphs.append(try TFMetaGraph(reading: try reader.message(field)))
      default: break
      }
    }
  }

  /// The message's bytes.
  public func encoded() -> [ByteView] {
    var writer = ProtobufWriter()
    writer.integer(1, schemaVersion)
    for metaGraph in metaGraphs { writer.message(2, metaGraph.encoded()) }
    return writer.finish()
  }
}
