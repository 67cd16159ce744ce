import AssayBase
import AssayCatalog
import AssayData
import AssayDetect
import AssayFormat
import AssayHost

/// The folder whose models, pictures and series the explorer's page offers.
///
/// Everything is named by its path below the folder, and a name counts only when the folder lists it:
/// no name of a request is ever joined to a path.
struct ModelsFolder: Sendable {
  let path: String

  /// What lies in it, by kind.
  struct Content: Sendable {
    /// Model files, with the id of their format.
    var models: [(name: String, format: String, byteCount: Int)] = []
    /// Folders of pictures, with the pictures in them.
    var pictures: [(folder: String, names: [String])] = []
    /// Detectors: folders that `assay train tcn-autoencoder` wrote.
    var detectors: [String] = []
    var series: [String] = []
    /// Texts, which may be lists of labels.
    var labels: [String] = []
  }

  /// The path of a name.
  func path(_ name: String) -> String { name.isEmpty ? path : Host.join(path, name) }

  /// Looks into the folder, three folders deep.
  func content() -> Content {
    var content = Content()
    var budget = 5000
    look(into: "", depth: 0, &content, &budget)
    return content
  }

  private func look(
    into folder: String,
    depth: Int,
    _ content: inout Content,
    _ budget: inout Int
  ) {
    var pictures: [String] = []
    var series: [String] = []
    for name in (try? Host.list(path(folder))) ?? [] where !name.hasPrefix(".") && budget > 0 {
      budget -= 1
      let whole = folder.isEmpty ? name : "\(folder)/\(name)"
      switch Host.kind(of: path(whole)) {
      case .folder:
        if Host.exists(Host.join(path(whole), DetectorState.fileName)) {
          content.detectors.append(whole)
        } else if depth < 3 {
          look(into: whole, depth: depth + 1, &content, &budget)
        }
      case .file:
        switch Self.kind(of: name) {
        case .model:
          // Formats tell themselves by their first bytes; a name is a promise only.
          guard let format = try? format(ofModel: path(whole)).id else { continue }
          content.models.append((whole, format, Host.byteCount(of: path(whole)) ?? 0))
        case .picture: pictures.append(whole)
        case .series: series.append(whole)
        case .labels: content.labels.append(whole)
        case nil: continue
        }
      default: continue
      }
    }
    if pictures.isEmpty {
      content.series += series
    } else {
      // A table beside pictures is their labels, and no series.
      content.pictures.append((folder, pictures))
    }
  }

  enum Kind { case model, picture, series, labels }

  /// What a file is by its name.
  static func kind(of name: String) -> Kind? {
    guard let ending = name.split(separator: ".").last?.lowercased(), name.contains(".") else {
      return nil
    }
    if Catalog.formats.flatMap(\.extensions).contains(ending) { return .model }
    if ImageCodec.allCases.contains(where: { $0.extensions.contains(ending) }) { return .picture }
    if ["csv", "npy", "npz"].contains(ending) { return .series }
    return ending == "txt" ? .labels : nil
  }

  /// Where a file goes that is dropped on the page.
  ///
  /// - Throws: `Diagnostic` EXP006 for a name that is a path, hidden, or of no kind that is known.
  func place(ofUpload name: String) throws -> String {
    let isPlain = name.unicodeScalars.allSatisfy { $0.value >= 32 && $0 != "/" && $0 != "\\" }
    guard isPlain, !name.isEmpty, name.utf8.count <= 200, !name.hasPrefix(".") else {
      throw Diagnostic("EXP006", "this name cannot be a file's", remedy: "rename the file")
    }
    guard let kind = Self.kind(of: name) else {
      throw Diagnostic(
        "EXP006",
        "'\(Words.printable(name))' is no model, picture or series",
        remedy: "drop .tflite, .onnx and other models, .jpg, .png, .webp, .csv or .npy"
      )
    }
    let folder = kind == .picture ? path("dropped") : path
    try Host.makeFolders(folder)
    return Host.join(folder, name)
  }
}
