import AssayBase
import AssayCodec
import Testing

@Suite struct LevelDBTableTests {
  @Test func checksumOfTheStandard() {
    // RFC 3720, appendix B.4: 32 zeros, 32 ones, and the numbers from 0.
    #expect(CRC32C.checksum(ByteView([UInt8](repeating: 0, count: 32))) == 0x8A91_36AA)
    #expect(CRC32C.checksum(ByteView([UInt8](repeating: 0xFF, count: 32))) == 0x62A8_AB43)
    let numbers = (0..<32).map { UInt8($0) }
    #expect(CRC32C.checksum(ByteView(numbers)) == 0x46DD_794E)
    let first = CRC32C.checksum(ByteView(Array(numbers.prefix(13))))
    #expect(CRC32C.checksum(ByteView(Array(numbers.dropFirst(13))), after: first) == 0x46DD_794E)
  }

  @Test func snappyCopies() throws {
    // A literal, then copies of the three kinds, one of which overlaps itself.
    let bytes: [UInt8] =
      [40, 4 << 2] + Array("abcde".utf8) + [0b000_000_01, 5] + [19 << 2 | 2, 5, 0]
      + [10 << 2 | 3, 9, 0, 0, 0]
    let text = String(
      decoding: try Snappy.decompress(ByteView(bytes), limit: 1000),
      as: UTF8.self
    )
    #expect(text.count == 40)
    #expect(text.hasPrefix("abcdeabcd"))
    for length in 0..<bytes.count {
      #expect(throws: Diagnostic.self) {
        try Snappy.decompress(ByteView(Array(bytes.prefix(length))), limit: 1000)
      }
    }
    let code = #expect(throws: Diagnostic.self) {
      try Snappy.decompress(ByteView(bytes), limit: 39)
    }?.code
    #expect(code == "SNP002")
  }

  @Test func writtenTablesAreRead() throws {
    var writer = LevelDBTableWriter()
    var keys: [[UInt8]] = []
    for number in 0..<20_000 {
      let digits = String(number)
      keys.append(Array(("key/" + String(repeating: "0", count: 6 - digits.count) + digits).utf8))
    }
    for (index, key) in keys.enumerated() {
      writer.add(key, [UInt8](repeating: UInt8(index % 256), count: 40))
    }
    let bytes = ByteView(writer.finish())
    #expect(LevelDBTable.isTable(bytes))
    let entries = try LevelDBTable(bytes).entries
    #expect(entries.map(\.key) == keys)
    #expect(entries[777].value.array == [UInt8](repeating: UInt8(777 % 256), count: 40))
  }

  @Test func damageIsFound() throws {
    var writer = LevelDBTableWriter()
    writer.add([1], [2, 3])
    let bytes = writer.finish()
    for index in 0..<bytes.count - 48 {
      var flipped = bytes
      flipped[index] ^= 0x10
      // A flip in the empty block that nothing reads is no matter.
      let entries = try? LevelDBTable(ByteView(flipped)).entries
      #expect(entries == nil || entries?.first?.value.array == [2, 3])
    }
    #expect(throws: Diagnostic.self) { try LevelDBTable(ByteView(Array(bytes.dropLast()))) }
  }
}
