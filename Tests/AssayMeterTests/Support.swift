import AssayBase
import AssayHost
import AssayMeter
import AssayTestSupport
import Testing

/// A temporary folder with files, gone with the object.
final class Tree {
  let path: String

  init(_ files: [String: String] = [:]) throws {
    path = try Host.makeTemporaryFolder("assay-meter")
    for (name, text) in files { try write(name, text) }
  }

  deinit { try? Host.remove(path) }

  func write(_ name: String, _ text: String) throws {
    let file = Host.join(path, name)
    try Host.makeFolders(Host.folder(of: file))
    // In place, so that a file that is held open shows it, as the system's do.
    try Host.remove(file)
    try Host.append(Array(text.utf8), to: file)
  }

  /// Writes over a file that is held open.
  func update(_ name: String, _ text: String) throws {
    try PlainFile.overwrite(Host.join(path, name), text)
  }
}

/// A library made of a C file of the fixtures; `nil` without a compiler.
enum CLibrary {
  static func build(_ source: String, in folder: String) throws -> String? {
    let folders = (Host.environment("PATH") ?? "").split(separator: ":").map { String($0) }
    let compilers = ["cc", "clang", "gcc"].flatMap { name in
      folders.map { Host.join($0, name) }
    }
    guard let compiler = compilers.first(where: { Host.exists($0) }) else { return nil }
    let output = Host.join(folder, source + ".so")
    let process = try ChildProcess(
      compiler,
      ["-shared", "-fPIC", "-o", output, TestData.fixture("meters/\(source).c")],
      descriptors: [1: 1, 2: 2]
    )
    guard case .exited(0) = process.wait() else { return nil }
    return output
  }
}

/// Reads a meter by hand, without a thread.
func rows(
  _ reader: any MeterReader,
  _ count: Int,
  between: (Int) throws -> Void = { _ in }
)
  throws -> PowerTrace
{
  var trace = PowerTrace(
    identity: reader.identity,
    channels: reader.channels,
    clock: reader.clock,
    period: reader.period
  )
  for index in 0..<count {
    try reader.read(into: &trace, until: Host.monotonicNanoseconds() &+ 1_000_000_000)
    try between(index)
  }
  reader.finish(&trace)
  return trace
}

extension Availability {
  var reason: String? { if case .unavailable(let reason, _) = self { reason } else { nil } }
  var remedy: String? { if case .unavailable(_, let remedy) = self { remedy } else { nil } }
  var version: String? { if case .available(let version) = self { version } else { nil } }
}
