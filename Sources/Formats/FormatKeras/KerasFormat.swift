import AssayBase
import AssayCodec
import AssayFormat
import AssayGraph
import AssayTensor

/// Networks saved by Keras: HDF5 files of Keras 2 and 3 and the archives of Keras 3.
///
/// Sequential and functional models, nested ones, shared layers, several inputs and outputs. Weights
/// stay in the mapped file. Of a model that Keras saved unzipped, the weights' file is what to give; its
/// `config.json` is read beside it. Weights alone are recognised and answered with what makes a model
/// of them.
public struct KerasFormat: ModelFormat {
  /// Makes the format.
  public init() {}

  public var id: String { "keras" }
  public var extensions: [String] { ["h5", "keras", "hdf5"] }

  /// The classes of layers that are imported, by name.
  public static var layerClasses: [String] { KerasLayerKind.layerClasses }

  public func sniff(_ prefix: ByteView) -> Bool {
    if HDF5File.sniff(prefix) || KerasFormat.isShardIndex(prefix) { return true }
    guard ZipArchive.sniff(prefix), let name = try? prefix.dropFirst(30) else { return false }
    return KerasFormat.archiveEntries.contains { name.starts(with: $0.utf8) }
  }

  /// - Throws: `Diagnostics` KER…, HDF…, ZIP…; the findings about layers all at once.
  public func importGraph(_ bytes: ByteView, options: ImportOptions) throws -> ImportReport {
    if KerasFormat.isShardIndex(bytes) { throw KerasFormat.weightsOnly("an index of such files") }
    let file = try HDF5File.sniff(bytes) ? hdf5(bytes, options) : archive(bytes)
    let model = try KerasModelReader(version: file.version).model(file.config)
    let builder = KerasBuilder(weights: file.weights, version: file.version, options: options)
    let graph = try builder.graph(of: model)
    let producer = "keras" + (file.version.text.isEmpty ? "" : " " + file.version.text)
    return ImportReport(graph: graph, diagnostics: builder.notes, producer: producer)
  }

  public var canExport: Bool { true }

  /// Networks go back to Keras with the layers that they came with.
  public var keepsLayers: Bool { true }

  /// Whether nodes with this operator can be written, as far as the operator alone decides.
  public func canExport(_ op: any Operator) -> Bool {
    op is any KerasExportable && (op as? Binary)?.kind != .truncatedModulo || op is Dequantize
  }

  /// A functional model with float32 weights.
  ///
  /// It is Keras 3's archive, or for a name that ends with `.h5` or `.hdf5` the HDF5 file of Keras 2,
  /// which Keras 3 reads too. Operators that Keras has not are decomposed where that is possible.
  ///
  /// - Throws: `Diagnostics` KER1… with every node that Keras cannot hold.
  public func exportGraph(_ graph: Graph, options: ExportOptions) throws -> [ByteView] {
    let suffix = options.fileName.split(separator: ".").last?.lowercased()
    let isHDF5 = suffix == "h5" || suffix == "hdf5"
    // What cannot be decomposed is named by the exporter, all of it at once.
    let simple = (try? graph.decomposed { !canExport($0) }) ?? graph
    return try KerasExporter(simple, isHDF5 ? .hdf5 : .archive).encoded()
  }

  /// What both containers hold.
  private struct Content {
    var config: JSON
    var version: KerasVersion
    var weights: any KerasWeights
  }

  private static let archiveEntries = ["config.json", "metadata.json", "model.weights.h5"]

  /// Whether a file is the index that `save_weights(…, max_shard_size=…)` writes: JSON that begins with
  /// the sum of the sizes.
  private static func isShardIndex(_ bytes: ByteView) -> Bool {
    guard let start = try? bytes.slice(0, min(bytes.count, 64)).array, start.first == 0x7B else {
      return false
    }
    let text = String(decoding: start, as: UTF8.self)
    return text.contains("\"metadata\"") && text.contains("\"total_size\"")
  }

  private static func weightsOnly(_ what: String) -> Diagnostic {
    Diagnostic(
      "KER001",
      "this is a file of weights, which does not say how the network computes (\(what))",
      remedy: """
        build the model in Python as it was trained, then: \
        model.load_weights('this file'); model.save('model.keras')
        """
    )
  }

  private func hdf5(_ bytes: ByteView, _ options: ImportOptions) throws -> Content {
    let root = try HDF5File(bytes).root()
    guard let text = try root.attribute("model_config")?.string else {
      return try weights(root, options)
    }
    let config = try locating("attribute 'model_config'") { try JSON(parsing: text) }
    let weights = try root.member("model_weights") ?? root
    let version = try root.attribute("keras_version") ?? weights.attribute("keras_version")
    return Content(
      config: config,
      version: KerasVersion(version?.string ?? ""),
      weights: KerasH5Weights(root: weights)
    )
  }

  /// Weights by themselves: those of a model that was saved unzipped have its configuration beside
  /// them.
  private func weights(_ root: HDF5Object, _ options: ImportOptions) throws -> Content {
    let isKeras3 = try ["layers", "_layer_checkpoint_dependencies", "vars"].contains {
      try root.member($0) != nil
    }
    if isKeras3, !options.path.isEmpty, options.companions.has("config.json") {
      let files = options.companions
      let config = try locating("config.json") {
        try JSON(parsing: files.open("config.json").array)
      }
      var version = KerasVersion("3")
      if files.has("metadata.json") {
        let metadata = try JSON(parsing: files.open("metadata.json").array)
        version = KerasVersion(metadata["keras_version"]?.string ?? "3")
      }
      return Content(config: config, version: version, weights: KerasArchiveWeights(root: root))
    }
    if isKeras3 { throw KerasFormat.weightsOnly("by save_weights of Keras 3") }
    if try root.attribute("layer_names") != nil || root.member("top_level_model_weights") != nil {
      throw KerasFormat.weightsOnly("by save_weights of Keras 2")
    }
    throw Diagnostic(
      "KER001",
      "the file has no model: it is HDF5, but not what Keras writes",
      remedy: "give a file that model.save('….keras') or model.save('….h5') wrote"
    )
  }

  private func archive(_ bytes: ByteView) throws -> Content {
    guard ZipArchive.sniff(bytes) else {
      throw Diagnostic(
        "KER001",
        "this is neither an HDF5 file nor an archive of Keras",
        remedy: "give a file that model.save('….keras') or model.save('….h5') wrote"
      )
    }
    let archive = try ZipArchive(bytes)
    func entry(_ name: String) throws -> ByteView {
      guard let entry = archive.entry(name) else {
        throw Diagnostic(
          "KER001",
          "the archive has no \(name)",
          remedy: "give a file that model.save('….keras') wrote"
        )
      }
      return try archive.read(entry)
    }
    let config = try JSON(parsing: try entry("config.json").array)
    var version = KerasVersion("3")
    if archive.entry("metadata.json") != nil {
      let metadata = try JSON(parsing: try entry("metadata.json").array)
      version = KerasVersion(metadata["keras_version"]?.string ?? "3")
    }
    let weights = try entry("model.weights.h5")
    return try locating("model.weights.h5") {
      let root = try HDF5File(weights).root()
      return Content(
        config: config,
        version: version,
        weights: KerasArchiveWeights(root: root)
      )
    }
  }
}

/// The version of Keras that wrote a file.
struct KerasVersion: Sendable {
  /// As the file gives it; empty when it does not.
  let text: String
  /// The first number; 2 when it is unknown, as old files do not say.
  let major: Int

  init(_ text: String) {
    self.text = text
    major = text.split(separator: ".").first.flatMap { Int($0) } ?? 2
  }
}
