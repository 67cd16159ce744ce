import AssayBase
import AssayCodec
import AssayFormat
import AssayGraph

/// Networks that PyTorch exports: the archives of `torch.export.save` (`.pt2`).
///
/// Both layouts are read: that of PyTorch 2.1 to 2.6 (the program and pickled tensors side by side) and
/// the later one (`models/`, `data/weights/`, `data/constants/`), with tensors as files of their own or
/// pickled. TorchScript and pickled checkpoints are recognised and answered with what makes an archive
/// of them: they hold Python code, and no network, respectively.
public struct PyTorchFormat: ModelFormat {
  /// Makes the format.
  public init() {}

  public var id: String { "pytorch" }
  public var extensions: [String] { ["pt2", "pt", "pth"] }

  /// The ATen operators that are imported, by name without overload.
  public static var operators: [String] { atenReaders.keys.sorted() }

  public func sniff(_ prefix: ByteView) -> Bool {
    if Pickle.sniff(prefix) { return true }
    guard ZipArchive.sniff(prefix), let length = try? prefix.load(UInt16.self, at: 26),
      let name = try? prefix.slice(30, min(Int(length), prefix.count - 30)).utf8
    else { return false }
    if name.hasPrefix("serialized_") || name.hasPrefix("archive_format") { return true }
    // Everything that PyTorch's own writer makes lies in one folder named after the file.
    guard let slash = name.firstIndex(of: "/") else { return false }
    let inner = name[name.index(after: slash)...]
    return [
      "data", "models/", "code/", "constants", "version", "byteorder", "archive_", ".data/",
      "extra/",
      ".format_version", ".storage_alignment", "xl_model_weights/",
    ].contains { inner.hasPrefix($0) }
  }

  /// - Throws: `Diagnostics` PYT…, ZIP…, PKL…; the findings about operators all at once.
  public func importGraph(_ bytes: ByteView, options: ImportOptions) throws -> ImportReport {
    let archive = try PT2Archive(bytes)
    let program = try ExportedProgram(archive.program)
    var importer = ProgramImporter(program, archive, options)
    let graph = try importer.read()
    return ImportReport(
      graph: graph,
      diagnostics: importer.notes,
      producer: program.torchVersion.map { "torch \($0)" }
    )
  }
}
