import AssayBase
import AssayCodec
import AssayTestSupport
import Testing

@Suite struct ZlibTests {
  /// Bytes that deflate finds something to do with.
  static func sample(_ count: Int, seed: UInt64) -> [UInt8] {
    var random = SeededRNG(seed: seed)
    return (0..<count).map { _ in UInt8(random.next() % 7 * 31) }
  }

  @Test(arguments: [Zlib.Wrapping.zlib, .raw, .gzip], [0, 1, 1000, 300_000])
  func inflatesWhatItDeflates(wrapping: Zlib.Wrapping, count: Int) throws {
    let bytes = Self.sample(count, seed: 1)
    let half = count / 2
    let pieces = [ByteView(bytes[..<half]), ByteView(bytes[half...])]
    let packed = try Zlib.deflate(pieces, wrapping: wrapping)
    #expect(count < 1000 || packed.count < count / 2)
    #expect(try Zlib.inflate(packed, wrapping: wrapping, limit: count).array == bytes)
    #expect(try Zlib.inflate(packed, wrapping: wrapping, count: count).array == bytes)
  }

  @Test func countsDeflatedBytesWithoutKeepingThem() throws {
    let bytes = ByteView(Self.sample(200_000, seed: 2))
    let packed = try Zlib.deflate([bytes], wrapping: .raw)
    #expect(try Zlib.deflatedByteCount(bytes) == packed.count)
  }

  @Test func refusesMoreThanTheLimit() throws {
    let packed = try Zlib.deflate(ByteView([UInt8](repeating: 0, count: 100_000)))
    let fault = #expect(throws: Diagnostic.self) { try Zlib.inflate(packed, limit: 99_999) }
    #expect(fault?.code == "ZIP002")
  }

  @Test(arguments: [0, 99_999, 100_001, Int.max])
  func refusesAnotherCount(count: Int) throws {
    let packed = try Zlib.deflate(ByteView([UInt8](repeating: 0, count: 100_000)))
    let fault = #expect(throws: Diagnostic.self) { try Zlib.inflate(packed, count: count) }
    #expect(fault?.code == "ZIP001")
  }

  @Test func refusesEveryTruncation() throws {
    let packed = try Zlib.deflate(ByteView(Self.sample(500, seed: 3)))
    for count in 0..<packed.count {
      let part = try packed.slice(0, count)
      #expect(throws: Diagnostic.self) { try Zlib.inflate(part, limit: 1000) }
      #expect(throws: Diagnostic.self) { try Zlib.inflate(part, count: 500) }
    }
  }

  @Test func knowsTheChecksum() {
    #expect(Zlib.crc32(ByteView(Array("123456789".utf8))) == 0xCBF4_3926)
    #expect(Zlib.crc32(ByteView([UInt8]())) == 0)
  }
}
