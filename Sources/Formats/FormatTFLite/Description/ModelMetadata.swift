import AssayBase
import AssayCodec
import AssayFormat
import AssayGraph

/// The description that a .tflite file may carry (metadata entry TFLITE_METADATA, a FlatBuffer with
/// the identifier M001), and files appended to it as a ZIP archive, such as labels.
enum ModelMetadata {
  /// The name of the metadata entry.
  static let entry = "TFLITE_METADATA"
  /// Entries that an export writes itself.
  static let own: Set<String> = [
    "min_runtime_version", "reduced_precision_support", "CONVERSION_METADATA",
  ]

  /// What it says, as lines for people; nothing of a description that is damaged.
  static func facts(_ bytes: ByteView) -> [ImportReport.Fact] {
    (try? read(bytes)) ?? []
  }

  private static func read(_ bytes: ByteView) throws -> [ImportReport.Fact] {
    let root = try FlatBufferReader(bytes).root(identifier: "M001")
    var facts: [ImportReport.Fact] = []
    func add(_ name: String, _ value: String?) {
      if let value, !value.isEmpty { facts.append(ImportReport.Fact(name, value)) }
    }
    add("name", try root.string(0))
    add("description", try root.string(1))
    add("version", try root.string(2))
    add("author", try root.string(4))
    add("license", try root.string(5))
    for subgraph in try root.tables(3) {
      for (kind, field) in [("input", 2), ("output", 3)] {
        for (index, tensor) in try subgraph.tables(field).enumerated() {
          var parts = [try tensor.string(0), try tensor.string(1)].compactMap { $0 }
          if let stats = try tensor.table(5) {
            let high = try stats.vector(0, of: Float.self) ?? []
            let low = try stats.vector(1, of: Float.self) ?? []
            if let low = low.first, let high = high.first {
              parts.append("values \(low) to \(high)")
            }
          }
          for unit in try tensor.tables(4) {
            // The first kind of unit is a normalization.
            guard try unit.scalar(0, default: UInt8(0)) == 1, let options = try unit.table(1) else {
              continue
            }
            let mean = try options.vector(0, of: Float.self) ?? []
            let deviation = try options.vector(1, of: Float.self) ?? []
            parts.append("normalized by mean \(mean) and deviation \(deviation)")
          }
          let files = try tensor.tables(6).compactMap { try $0.string(0) }
          if !files.isEmpty { parts.append("files \(files.joined(separator: ", "))") }
          add("\(kind) \(index)", parts.joined(separator: "; "))
        }
      }
    }
    let files = try root.tables(6).compactMap { try $0.string(0) }
    if !files.isEmpty { add("files", files.joined(separator: ", ")) }
    return facts
  }

  /// The most bytes of associated files that are kept.
  private static let mostBytes = 1 << 26

  /// The files of the ZIP archive behind a file's tables; none where there is no sound archive.
  static func associatedFiles(_ bytes: ByteView) -> [Graph.Attachment] {
    let length = 22
    guard bytes.count > length, let end = try? bytes.slice(bytes.count - length, length),
      end.starts(with: [0x50, 0x4B, 0x05, 0x06]),
      let archive = archive(bytes, end: end)
    else { return [] }
    return archive.entries.prefix(64).compactMap { entry in
      guard let content = try? archive.read(entry) else { return nil }
      return Graph.Attachment(entry.name, content, isFile: true)
    }
  }

  /// The archive whose last record is `end`; its offsets count from the start of the file or, where it
  /// was appended as it was, from its own start.
  private static func archive(_ bytes: ByteView, end: ByteView) -> ZipArchive? {
    if let whole = try? ZipArchive(bytes, limit: mostBytes) { return whole }
    guard let size = try? end.load(UInt32.self, at: 12),
      let offset = try? end.load(UInt32.self, at: 16)
    else { return nil }
    let start = bytes.count - end.count - Int(size) - Int(offset)
    guard start > 0, let own = try? bytes.slice(start, bytes.count - start) else { return nil }
    return try? ZipArchive(own, limit: mostBytes)
  }

  /// An archive of a Graph's associated files; `nil` where there is none.
  static func archive(of graph: Graph) throws -> [ByteView]? {
    let files = graph.attachments.filter(\.isFile)
    guard !files.isEmpty else { return nil }
    var writer = ZipWriter()
    for file in files { try writer.add(file.name, [file.bytes]) }
    return writer.finish()
  }
}
