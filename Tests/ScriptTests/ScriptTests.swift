import AssayBase
import AssayHost
import AssayTestSupport
import Testing

#if canImport(Glibc)
import Glibc
#else
import Darwin
#endif

/// The scripts that users run before there is a command.
@Suite struct ScriptTests {
  @Test(
    "scripts/setup",
    arguments: [
      "unpacks", "downloads", "resumes", "unreachable", "otherHash", "otherVersion", "absentWheel",
      "check", "tests", "assets", "usage", "lock",
    ]
  )
  func setup(name: String) throws {
    let pipe = try Pipe()
    let shell = try ChildProcess(
      "/usr/bin/env",
      ["bash", TestData.tests("ScriptTests") + "/setup.sh", name],
      descriptors: [1: pipe.writeEnd, 2: pipe.writeEnd]
    )
    pipe.closeWrite()
    var said: [UInt8] = []
    var chunk = [UInt8](repeating: 0, count: 4096)
    while case let count = unsafe read(pipe.readEnd, &chunk, chunk.count), count > 0 {
      said += chunk.prefix(count)
    }
    let text = String(decoding: said, as: UTF8.self)
    #expect(shell.wait() == .exited(0), "\(text)")
  }
}
