import AssayBase
import AssayHost

/// Where a runtime's shared library is, and what set-up noted about it.
public struct RuntimeLibrary: Sendable, Equatable {
  /// The library's path, or a bare name for the system's folders.
  public var path: String
  /// The version of the package that it came from; `nil` when that was not noted.
  public var version: String?
  /// The wheel that it came from.
  public var wheel: String?
  /// SHA-256 of the wheel, hexadecimal.
  public var wheelSHA256: String?

  /// Makes a description.
  public init(
    path: String,
    version: String? = nil,
    wheel: String? = nil,
    wheelSHA256: String? = nil
  ) {
    self.path = path
    self.version = version
    self.wheel = wheel
    self.wheelSHA256 = wheelSHA256
  }

  /// What to do when a runtime is missing.
  public static let remedy = "run `make setup`, or scripts/setup, which installs the runtimes"

  /// The candidates, best first: the one named by the environment variable (then no other), those
  /// that set-up put below `$ASSAY_HOME/runtimes/<id>/<version>/` (newest first), then the system's.
  ///
  /// - Parameters:
  ///   - id: the runtime's id, the name of its folder.
  ///   - variable: the environment variable that names a library.
  ///   - stem: the beginning of the library's file name, such as `libLiteRt.so`.
  public static func candidates(
    id: String,
    variable: String,
    stem: String,
    home: String = AssayHome.path
  ) -> [RuntimeLibrary] {
    if let given = Host.environment(variable) {
      return [described(in: Host.folder(of: given), stem: Host.name(of: given), path: given)]
    }
    let folder = Host.join(Host.join(home, "runtimes"), id)
    let versions = ((try? Host.list(folder)) ?? []).sorted { isNewer($0, than: $1) }
    let found = versions.compactMap { installed(in: Host.join(folder, $0), stem: stem) }
    return found + [RuntimeLibrary(path: stem)]
  }

  /// Whether version `a` comes after version `b`, number by number.
  static func isNewer(_ a: String, than b: String) -> Bool {
    func numbers(_ text: String) -> [Int] {
      text.split(whereSeparator: { !$0.isNumber }).map { Int($0) ?? 0 }
    }
    return numbers(b).lexicographicallyPrecedes(numbers(a))
  }

  private static func installed(in folder: String, stem: String) -> RuntimeLibrary? {
    if let note = note(in: folder), let name = note["library"]?.string {
      let path = Host.join(folder, name)
      if Host.exists(path) { return described(note, path: path) }
    }
    let names = ((try? Host.list(folder)) ?? []).filter { $0.hasPrefix(stem) }
    return names.first.map { RuntimeLibrary(path: Host.join(folder, $0)) }
  }

  private static func described(in folder: String, stem: String, path: String) -> RuntimeLibrary {
    if let note = note(in: folder), note["library"]?.string == stem {
      return described(note, path: path)
    }
    return RuntimeLibrary(path: path)
  }

  private static func described(_ note: JSON, path: String) -> RuntimeLibrary {
    RuntimeLibrary(
      path: path,
      version: note["version"]?.string,
      wheel: note["wheel"]?.string,
      wheelSHA256: note["sha256"]?.string
    )
  }

  private static func note(in folder: String) -> JSON? {
    Host.smallText(Host.join(folder, "runtime.json")).flatMap { try? JSON(parsing: $0) }
  }

  /// Loads the first candidate that can be loaded.
  ///
  /// - Throws: `Diagnostic` RTM001 with the loader's words for the first one.
  public static func load<Library>(
    _ name: String,
    _ candidates: [RuntimeLibrary],
    _ body: (RuntimeLibrary) throws -> Library
  ) throws -> Library {
    var first: Diagnostic?
    for candidate in candidates {
      do {
        return try body(candidate)
      } catch let error as Diagnostic {
        // What set-up installed tells more than what the system lacks.
        if first == nil { first = error }
      }
    }
    if let first, first.code != "HST020" { throw first }
    throw Diagnostic(
      "RTM001",
      "\(name) is not installed",
      at: candidates.first.map { [$0.path] } ?? [],
      remedy: remedy,
      cause: first?.cause
    )
  }
}
