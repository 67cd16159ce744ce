import AssayBase
import AssayHost
import AssayTestSupport

/// What a run of the command gave.
struct CommandRun {
  var status: Int32
  var output: String
  var errors: String

  /// The standard output as JSON.
  func json() throws -> JSON { try JSON(parsing: output) }

  /// Whether a command that measures did its work, told as JSON: it ended with 0, or with 1 since the
  /// machine, which runs other tests beside it, was too restless for any figure to hold: too few samples
  /// (BEN101), rounds that differ (BEN103), a median too uncertain (BEN108).
  var hasMeasured: Bool {
    get throws {
      if status == 0 { return true }
      let records = try json()["records"]?.array ?? []
      let unrest: Set = ["BEN101", "BEN103", "BEN108"]
      return status == 1
        && records.contains { record in
          let faults = (record["reasons"]?.array ?? []).filter { $0["severity"] == "error" }
          return !faults.isEmpty && faults.allSatisfy { unrest.contains($0["code"]?.string ?? "") }
        }
    }
  }
}

/// The command that the package manager built beside the tests.
let command: String = {
  let folder = Host.folder(of: Host.executablePath ?? "")
  return Host.join(folder, "assay")
}()

/// Runs `assay` as a user would, in a folder of its own.
func assay(_ arguments: String..., in folder: String, home: String? = nil) throws -> CommandRun {
  try assay(arguments, in: folder, home: home)
}

/// Runs `assay` as a user would, in a folder of its own.
func assay(_ arguments: [String], in folder: String, home: String? = nil) throws -> CommandRun {
  let (output, errors) = (folder + "/.stdout", folder + "/.stderr")
  let line = (["exec", quoted(command)] + arguments.map(quoted)).joined(separator: " ")
  let process = try ChildProcess(
    "/bin/sh",
    ["-c", "cd \(quoted(folder)) && \(line) >\(quoted(output)) 2>\(quoted(errors))"],
    environment: home.map { ["ASSAY_HOME": $0] } ?? [:]
  )
  let end = process.wait()
  guard case .exited(let status) = end else {
    throw Diagnostic("TST001", "it ended by \(end.text)")
  }
  return CommandRun(
    status: status,
    output: try MappedFile(path: output).view.utf8 ?? "",
    errors: try MappedFile(path: errors).view.utf8 ?? ""
  )
}

private func quoted(_ text: String) -> String {
  "'" + text.split(separator: "'", omittingEmptySubsequences: false).joined(separator: "'\\''")
    + "'"
}

/// A folder that is removed when `body` is done.
func withFolder<T>(_ body: (String) throws -> T) throws -> T {
  let folder = try Host.makeTemporaryFolder("command")
  defer { try? Host.remove(folder) }
  return try body(folder)
}

/// The committed example.
let digits = TestData.package + "/Examples/digits"
