import AssayBase
import AssayData
import AssayHost

/// A file, or a folder of files, that somebody's results are read from.
public struct ImportSource: Sendable {
  /// The path as the user gave it.
  public var path: String
  /// The bytes of each file, by its path below the folder; of a single file, by its name.
  public var files: [String: [UInt8]]

  /// The greatest file that is read; tables and logs are smaller.
  static let fileLimit = 256 << 20
  /// How many files of a folder are looked at.
  static let countLimit = 2000

  /// A source in memory.
  public init(path: String, files: [String: [UInt8]]) {
    self.path = path
    self.files = files
  }

  /// What a path names.
  ///
  /// Of a folder the files in it and in three levels below are read.
  ///
  /// - Throws: `Diagnostic` IMP002 when it is too much, FIL… when it cannot be read.
  public init(path: String) throws {
    self.init(path: path, files: [:])
    switch Host.kind(of: path) {
    case .file: try add(path, as: Host.name(of: path))
    case .folder: try addFolder(path, below: "", depth: 0)
    default: throw Diagnostic("FIL001", "there is no such file or folder", at: [path])
    }
  }

  private mutating func add(_ path: String, as name: String) throws {
    guard (Host.byteCount(of: path) ?? 0) <= ImportSource.fileLimit else {
      throw Diagnostic(
        "IMP002",
        "the file is larger than \(Words.bytes(ImportSource.fileLimit))",
        at: [path],
        remedy: "give the tool's summary instead of its trace"
      )
    }
    files[name] = try MappedFile(path: path).view.array
  }

  private mutating func addFolder(_ folder: String, below prefix: String, depth: Int) throws {
    for name in try Host.list(folder) where !name.hasPrefix(".") {
      let path = Host.join(folder, name)
      switch Host.kind(of: path) {
      case .folder where depth < 3:
        try addFolder(path, below: prefix + name + "/", depth: depth + 1)
      case .file:
        // Pictures, networks and the like are no results.
        guard ImportSource.isText(name) else { continue }
        guard files.count < ImportSource.countLimit else {
          throw Diagnostic(
            "IMP002",
            "the folder has more than \(ImportSource.countLimit) files",
            at: [self.path],
            remedy: "give the folder of one run"
          )
        }
        try add(path, as: prefix + name)
      default: continue
      }
    }
  }

  private static func isText(_ name: String) -> Bool {
    let text = ["txt", "json", "csv", "log", "yaml", "md"]
    guard let dot = name.lastIndex(of: ".") else { return true }
    return text.contains(String(name[name.index(after: dot)...]).lowercased())
  }

  /// Whether it is one file.
  public var isSingle: Bool { files.count == 1 && files.keys.first == Host.name(of: path) }

  /// The names of its files, in order.
  public var names: [String] { files.keys.sorted() }

  /// The text of a file; `nil` when it is not there or no text.
  public func text(_ name: String) -> String? {
    guard let bytes = files[name], var text = String(validating: bytes, as: UTF8.self) else {
      return nil
    }
    if text.hasPrefix("\u{FEFF}") { text.removeFirst() }
    return text
  }

  /// The text of the only file.
  ///
  /// - Throws: `Diagnostic` IMP003 when it is a folder, or no text.
  public func text() throws -> String {
    guard let name = names.first, files.count == 1 else {
      throw Diagnostic("IMP003", "this format is read from a file, not from a folder", at: [path])
    }
    guard let text = text(name) else {
      throw Diagnostic("IMP003", "the file is no UTF-8 text", at: [path])
    }
    return text
  }

  /// The JSON of a file; `nil` when it is not there.
  func json(_ name: String) throws -> JSON? {
    guard let bytes = files[name] else { return nil }
    return try locating(name) { try JSON(parsing: bytes) }
  }

  /// SHA-256 of the file, or of all files with their names.
  public var sha256: String {
    if isSingle, let bytes = files.values.first { return AssayBase.sha256(ByteView(bytes)) }
    var words = ""
    for name in names {
      words += name + " " + AssayBase.sha256(ByteView(files[name] ?? [])) + "\n"
    }
    return AssayBase.sha256(words)
  }
}

/// The records of a CSV.
///
/// - Throws: `Diagnostic` IMP005 when text follows a quote that ends a field, since such a field could be
///   taken for a number that stands nowhere; DAT031 when a quote does not end.
func table(_ text: String) throws -> [(line: Int, fields: [String])] {
  let bytes = Array(text.utf8)
  var isQuoted = false
  var isFieldStart = true
  var line = 1
  var index = 0
  while index < bytes.count {
    let byte = bytes[index]
    if byte == 0x0A { line += 1 }
    if isQuoted {
      if byte == UInt8(ascii: "\"") {
        let next = index + 1 < bytes.count ? bytes[index + 1] : 0x0A
        if next == byte {
          index += 1
        } else {
          isQuoted = false
          guard [UInt8(ascii: ","), 0x0A, 0x0D].contains(next) else {
            throw Diagnostic("IMP005", "text follows a quoted field", at: ["line \(line)"])
          }
        }
      }
    } else if byte == UInt8(ascii: "\""), isFieldStart {
      isQuoted = true
      isFieldStart = false
    } else {
      isFieldStart = [UInt8(ascii: ","), 0x0A, 0x0D].contains(byte)
    }
    index += 1
  }
  return try CSV.records(of: text)
}
