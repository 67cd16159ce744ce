import AssayBase
import AssayCodec
import AssayFormat
import AssayGraph
import AssayTensor

/// Networks saved by Keras: HDF5 files of Keras 2 and 3 and the archives of Keras 3.
///
/// Sequential and functional models, nested ones, shared layers, several inputs and outputs. Weights
/// that the graph keeps in Keras's layout stay in the mapped file.
public struct KerasFormat: ModelFormat {
  /// Makes the format.
  public init() {}

  public var id: String { "keras" }
  public var extensions: [String] { ["h5", "keras", "hdf5"] }

  /// The classes of layers that are imported, by name.
  public static var layerClasses: [String] { KerasLayerKind.layerClasses }

  public func sniff(_ prefix: ByteView) -> Bool {
    if HDF5File.sniff(prefix) { return true }
    guard ZipArchive.sniff(prefix), let name = try? prefix.dropFirst(30) else { return false }
    return KerasFormat.archiveEntries.contains { name.starts(with: $0.utf8) }
  }

  /// - Throws: `Diagnostics` KER…, HDF…, ZIP…; the findings about layers all at once.
  public func importGraph(_ bytes: ByteView, options: ImportOptions) throws -> ImportReport {
    let file = try HDF5File.sniff(bytes) ? hdf5(bytes) : archive(bytes)
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

  /// A functional model with float32 weights: Keras 3's archive, or for a name that ends with `.h5` or
  /// `.hdf5` the HDF5 file of Keras 2, which Keras 3 reads too. Operators that Keras has not are
  /// decomposed where that is possible.
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

  private func hdf5(_ bytes: ByteView) throws -> Content {
    let root = try HDF5File(bytes).root()
    guard let text = try root.attribute("model_config")?.string else {
      throw Diagnostic(
        "KER001",
        "the file has no model: it holds weights only, or is not Keras's",
        remedy: "save the whole model with model.save(…), not its weights alone"
      )
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
