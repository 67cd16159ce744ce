import AssayBase
import AssayHost

/// A tool in Python that set-up put below `$ASSAY_HOME/tools/<name>/<version>`, packages in that folder.
///
/// `setup.json` in the folder names the interpreter that it was made for; it is written last.
public struct PythonTool: Sendable {
  /// Its name, also that of its folder.
  public var name: String
  /// The version of the package.
  public var version: String
  /// The folder with the packages.
  public var folder: String
  /// The interpreter.
  public var python: String

  /// The newest installed version.
  ///
  /// - Throws: `Diagnostic` VND020 when there is none, or its interpreter is gone.
  public static func find(
    _ name: String,
    home: String = AssayHome.path,
    remedy: String
  ) throws -> PythonTool {
    let root = Host.join(Host.join(home, "tools"), name)
    for version in ((try? Host.list(root)) ?? []).sorted(by: isNewer) {
      let folder = Host.join(root, version)
      guard let text = Host.smallText(Host.join(folder, "setup.json")),
        let note = try? JSON(parsing: text), let python = note["python"]?.string
      else { continue }
      guard Host.exists(python) else {
        throw Diagnostic(
          "VND020",
          "\(name) was set up for \(python), which is gone",
          at: [folder],
          remedy: remedy
        )
      }
      return PythonTool(name: name, version: version, folder: folder, python: python)
    }
    throw Diagnostic("VND020", "\(name) is not installed", at: [root], remedy: remedy)
  }

  private static func isNewer(_ a: String, _ b: String) -> Bool {
    func numbers(_ text: String) -> [Int] {
      text.split { !$0.isNumber }.map { Int($0) ?? 0 }
    }
    return numbers(b).lexicographicallyPrecedes(numbers(a))
  }

  /// Variables for the interpreter: the packages of this folder and no others of the user.
  public var environment: [String: String] {
    ["PYTHONPATH": folder, "PYTHONNOUSERSITE": "1", "PYTHONDONTWRITEBYTECODE": "1"]
  }
}
