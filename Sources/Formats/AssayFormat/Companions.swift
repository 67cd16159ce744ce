import AssayBase
import AssayHost

/// The files that belong to a model: those in its folder and below.
///
/// Names come from the model's own bytes and are not trusted: what would lead out of the folder, by
/// its name or by a link, is refused.
public struct Companions: Sendable {
  /// The folder.
  public let folder: String

  /// The files beside a model.
  public init(beside path: String) { folder = Host.folder(of: path) }

  /// The path of a file that is there.
  ///
  /// - Parameter name: a path relative to the folder, with slashes.
  /// - Throws: `Diagnostic` FMT010 for a name that leads out of the folder, FMT011 for a file that is
  ///   not there.
  public func path(_ name: String) throws -> String {
    let parts = name.split(separator: "/", omittingEmptySubsequences: false)
    guard !name.isEmpty, !name.hasPrefix("/"), !name.contains("\\"), !name.contains("\0"),
      !parts.contains("..")
    else { throw Self.outside(name) }
    let path = Host.join(folder, name)
    guard let root = Host.realPath(folder), let real = Host.realPath(path) else {
      throw Diagnostic(
        "FMT011",
        "the file '\(name)' that belongs to the model is not there",
        at: [path],
        remedy: "keep the model's files together"
      )
    }
    guard real.hasPrefix(root == "/" ? "/" : root + "/") else { throw Self.outside(name) }
    return real
  }

  /// Whether a file is there and may be opened.
  public func has(_ name: String) -> Bool { (try? path(name)) != nil }

  /// The bytes of a file, mapped.
  ///
  /// - Throws: `Diagnostic` FMT010, FMT011, or FIL… when it cannot be opened.
  public func open(_ name: String) throws -> ByteView { try MappedFile(path: path(name)).view }

  private static func outside(_ name: String) -> Diagnostic {
    Diagnostic(
      "FMT010",
      "the file '\(name)' lies outside the model's folder",
      remedy: "put a copy of it, not a link, beside the model"
    )
  }
}

extension ImportOptions {
  /// The files beside the model that is imported.
  public var companions: Companions { Companions(beside: path) }
}
