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
