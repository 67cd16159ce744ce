import AssayBase
import AssayCodec
import AssayTestSupport
import Testing

@Suite struct ZipTests {
  static func fixture(_ name: String) throws -> ByteView {
    try MappedFile(path: TestData.fixture("codec/" + name)).view
  }

  static func joined(_ pieces: [ByteView]) -> [UInt8] { pieces.flatMap(\.array) }

  static func archive(_ names: [String], deflated: Bool = false) throws -> [UInt8] {
    var writer = ZipWriter()
    for name in names {
      try writer.add(name, [ByteView(Array("content of \(name)".utf8))], deflated: deflated)
    }
    return joined(writer.finish())
  }

  @Test func readsDataDescriptorsAndZIP64() throws {
    let archive = try ZipArchive(Self.fixture("descriptors.zip"))
    #expect(archive.entries.map(\.name) == ["a.txt", "folder/b.txt"])
    for entry in archive.entries {
      #expect(try archive.read(entry).utf8 == String(repeating: "text ", count: 40))
    }
  }

  @Test(arguments: [false, true])
  func readsWhatItWrites(deflated: Bool) throws {
    let names = ["a", "b/c.txt", "ü/ß"]
    let archive = try ZipArchive(ByteView(Self.archive(names, deflated: deflated)))
    #expect(archive.entries.map(\.name) == names)
    for entry in archive.entries {
      #expect(entry.isDeflated == deflated)
      #expect(try archive.read(entry).utf8 == "content of \(entry.name)")
    }
    #expect(archive.entry("a")?.byteCount == 12)
    #expect(archive.entry("absent") == nil)
  }

  @Test func readsMoreEntriesThanSixteenBitsCount() throws {
    var writer = ZipWriter()
    for index in 0..<66_000 { try writer.add("\(index)", []) }
    let archive = try ZipArchive(ByteView(Self.joined(writer.finish())))
    #expect(archive.entries.count == 66_000)
  }

  @Test(arguments: ["/etc/passwd", "../up", "a/../../b", "a//b", "a\\b", "./a", "a\0b"])
  func refusesNamesThatLeaveTheFolder(name: String) throws {
    let bytes = ByteView(try Self.archive([name]))
    let fault = #expect(throws: Diagnostic.self) { try ZipArchive(bytes) }
    #expect(fault?.code == "ZIP013")
  }

  @Test func refusesTwoEntriesOfOneName() throws {
    let bytes = ByteView(try Self.archive(["a", "b", "a"]))
    let fault = #expect(throws: Diagnostic.self) { try ZipArchive(bytes) }
    #expect(fault?.code == "ZIP013")
  }

  @Test func refusesEntriesThatShareBytes() throws {
    var bytes = try Self.archive(["a", "b"])
    // The second row of the directory is made to point at the first entry.
    let row = try #require(
      bytes.indices.last { bytes[$0...].starts(with: [0x50, 0x4B, 1, 2]) }
    )
    for index in 0..<4 { bytes[row + 42 + index] = 0 }
    let fault = #expect(throws: Diagnostic.self) { try ZipArchive(ByteView(bytes)) }
    #expect(fault?.code == "ZIP012")
  }

  @Test func refusesBombs() throws {
    var writer = ZipWriter()
    let zeros = ByteView([UInt8](repeating: 0, count: 1 << 20))
    for index in 0..<4 { try writer.add("\(index)", [zeros], deflated: true) }
    let bytes = ByteView(Self.joined(writer.finish()))
    #expect(try ZipArchive(bytes, limit: 4 << 20).entries.count == 4)
    let fault = #expect(throws: Diagnostic.self) { try ZipArchive(bytes, limit: 3 << 20) }
    #expect(fault?.code == "ZIP014")
  }

  @Test func noticesDamage() throws {
    var bytes = try Self.archive(["a"])
    bytes[35] ^= 1
    let archive = try ZipArchive(ByteView(bytes))
    let fault = #expect(throws: Diagnostic.self) { try archive.read(archive.entries[0]) }
    #expect(fault?.code == "ZIP015")
  }

  /// Whatever is done to an archive, reading it ends with content or a diagnostic.
  @Test(arguments: ["descriptors.zip", "arrays_deflated.npz"])
  func survivesDamage(name: String) throws {
    let original = try Self.fixture(name).array
    func read(_ bytes: some Collection<UInt8>) {
      do {
        let archive = try ZipArchive(ByteView(bytes))
        for entry in archive.entries { _ = try archive.read(entry) }
      } catch is Diagnostic {
      } catch { Issue.record("\(error)") }
    }
    for count in 0..<original.count where count % 7 == 0 { read(original[..<count]) }
    var random = SeededRNG(seed: 4)
    for _ in 0..<3000 {
      var bytes = original
      for _ in 0...random.next() % 3 {
        let index = Int(random.next() % UInt64(bytes.count))
        bytes[index] = UInt8(truncatingIfNeeded: random.next())
      }
      read(bytes)
    }
  }
}
