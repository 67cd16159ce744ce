import AssayBase
import AssayHost
import AssayTestSupport
import Testing

@testable import AssayFormat

#if canImport(Glibc)
import Glibc
#else
import Darwin
#endif

@Suite struct CompanionsTests {
  /// A folder with a model's files, and one beside it that is nobody's business.
  private func inFolder(_ body: (_ folder: String) throws -> Void) throws {
    let root = try Host.makeTemporaryFolder("companions")
    defer { try? Host.remove(root) }
    let folder = root + "/model"
    try Host.makeFolders(folder + "/parts")
    try AtomicFile.write("inside", to: folder + "/parts/weights.bin")
    try AtomicFile.write("secret", to: root + "/secret.bin")
    try body(folder)
  }

  private func code(_ body: () throws -> Void) -> String? {
    do { try body() } catch let fault as Diagnostic { return fault.code } catch { return "?" }
    return nil
  }

  @Test func filesBelowTheFolderAreOpened() throws {
    try inFolder { folder in
      let files = Companions(beside: folder + "/model.onnx")
      let bytes = try files.open("parts/weights.bin")
      #expect(bytes.count == 6)
      #expect(try files.open("./parts/weights.bin").count == 6)
      #expect(files.has("parts/weights.bin"))
      #expect(!files.has("parts/other.bin"))
    }
  }

  @Test func nothingOutsideIsOpened() throws {
    try inFolder { folder in
      let files = Companions(beside: folder + "/model.onnx")
      for name in ["../secret.bin", "parts/../../secret.bin", "/etc/hostname", "", "a\\b", "a\0"] {
        #expect(code { _ = try files.open(name) } == "FMT010", "\(name)")
      }
      #expect(code { _ = try files.open("missing.bin") } == "FMT011")
    }
  }

  private func link(_ path: String, to target: String) throws {
    try #require(unsafe symlink(target, path) == 0)
  }

  @Test func linksLeadNowhereElse() throws {
    try inFolder { folder in
      try link(folder + "/link.bin", to: "../secret.bin")
      try link(folder + "/up", to: "..")
      try link(folder + "/near.bin", to: "parts/weights.bin")
      let files = Companions(beside: folder + "/model.onnx")
      #expect(code { _ = try files.open("link.bin") } == "FMT010")
      #expect(code { _ = try files.open("up/secret.bin") } == "FMT010")
      #expect(try files.open("near.bin").count == 6)
    }
  }
}
