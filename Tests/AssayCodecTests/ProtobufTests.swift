import AssayBase
import Testing

@testable import AssayCodec

@Suite struct ProtobufTests {
  private func bytes(_ writer: ProtobufWriter) -> [UInt8] { writer.finish().flatMap(\.array) }

  private func fields(_ bytes: [UInt8], maximumDepth: Int = 64) throws -> [ProtobufField] {
    var reader = ProtobufReader(ByteView(bytes), maximumDepth: maximumDepth)
    var result: [ProtobufField] = []
    while let field = try reader.next() { result.append(field) }
    return result
  }

  private func code(_ body: () throws -> Void) -> String? {
    do {
      try body()
      return nil
    } catch { return (error as? Diagnostic)?.code }
  }

  /// The specification's own examples.
  @Test func writesTheSpecificationsBytes() {
    var writer = ProtobufWriter()
    writer.integer(1, 150)
    #expect(bytes(writer) == [0x08, 0x96, 0x01])
    writer = ProtobufWriter()
    writer.string(2, "testing")
    #expect(bytes(writer) == [0x12, 0x07] + "testing".utf8)
    writer = ProtobufWriter()
    writer.packed(6, [3, 270, 86942])
    #expect(bytes(writer) == [0x32, 0x06, 0x03, 0x8E, 0x02, 0x9E, 0xA7, 0x05])
    writer = ProtobufWriter()
    writer.integer(1, -2)
    #expect(bytes(writer) == [0x08, 0xFE] + [UInt8](repeating: 0xFF, count: 8) + [0x01])
  }

  @Test func readsWhatItWrites() throws {
    let large = ByteView((0..<10_000).map { UInt8(truncatingIfNeeded: $0) })
    var writer = ProtobufWriter()
    writer.integer(1, .min)
    writer.float(2, -1.5)
    writer.message(3) { inner in
      inner.string(1, "größe")
      inner.bytes(536_870_911, [large, ByteView([1, 2, 3])])
    }
    writer.packed(4, [0, -1, .max])
    let count = writer.count
    let pieces = writer.finish()
    #expect(count == pieces.reduce(0) { $0 + $1.count })
    var reader = ProtobufReader(ByteView(pieces.flatMap(\.array)))
    #expect(try reader.next()?.integer() == .min)
    #expect(try reader.next()?.float() == -1.5)
    let message = try #require(try reader.next())
    var inner = try reader.message(message)
    #expect(try inner.next()?.string() == "größe")
    let blob = try #require(try inner.next())
    #expect(blob.number == 536_870_911)
    #expect(try blob.bytes().array == large.array + [1, 2, 3])
    #expect(try inner.next() == nil)
    var integers: [Int64] = []
    try reader.next()?.append(to: &integers)
    #expect(integers == [0, -1, .max])
    #expect(try reader.next() == nil)
  }

  /// A large field goes out as the view that came in.
  @Test func copiesNoLargeField() throws {
    let large = ByteView([UInt8](repeating: 7, count: 1 << 16))
    var writer = ProtobufWriter()
    writer.message(1) { outer in outer.message(2) { $0.bytes(9, [large]) } }
    let address = unsafe large.withUnsafeBytes { UInt(bitPattern: $0.baseAddress) }
    let addresses = writer.finish().map { piece in
      unsafe piece.withUnsafeBytes { UInt(bitPattern: $0.baseAddress) }
    }
    #expect(addresses.contains(address))
  }

  @Test func readsUnpackedAndPackedLists() throws {
    var floats: [Float] = []
    for field in try fields([0x0D, 0, 0, 0x80, 0x3F, 0x0A, 4, 0, 0, 0, 0x40]) {
      try field.append(to: &floats)
    }
    #expect(floats == [1, 2])
    var integers: [Int64] = []
    for field in try fields([0x08, 5, 0x0A, 2, 6, 7]) { try field.append(to: &integers) }
    #expect(integers == [5, 6, 7])
  }

  @Test func refusesHostileBytes() {
    let cases: [(String, [UInt8])] = [
      ("PRB001", [0x08]), ("PRB001", [0x08, 0x80]), ("PRB001", [0x80]),
      ("PRB001", [0x0A, 5, 1, 2]), ("PRB001", [0x0D, 1, 2, 3]), ("PRB001", [0x09, 1]),
      ("PRB001", [0x0A] + [UInt8](repeating: 0xFF, count: 9) + [0x01]),
      ("PRB002", [0x08] + [UInt8](repeating: 0xFF, count: 10)),
      ("PRB002", [0x08] + [UInt8](repeating: 0xFF, count: 9) + [0x02]),
      ("PRB002", [0x0B, 0x0C]), ("PRB002", [0x0C]), ("PRB002", [0x0E]), ("PRB002", [0x00]),
    ]
    for (expected, bytes) in cases {
      #expect(code { _ = try fields(bytes) } == expected, "\(bytes)")
    }
    #expect(code { _ = try fields([0x0A, 1, 0x80])[0].append(to: &discarded) } == "PRB004")
    #expect(code { _ = try fields([0x08, 1])[0].bytes() } == "PRB004")
    #expect(code { _ = try fields([0x0A, 1, 0xFF])[0].string() } == "PRB004")
  }

  private var discarded: [Int64] {
    get { [] }
    nonmutating set {}
  }

  @Test func limitsDepth() throws {
    var bytes: [UInt8] = []
    for _ in 0..<20 { bytes = [0x0A, UInt8(bytes.count)] + bytes }
    func descend(_ reader: ProtobufReader) throws -> Int {
      var reader = reader
      guard let field = try reader.next() else { return 0 }
      return 1 + (try descend(reader.message(field)))
    }
    #expect(try descend(ProtobufReader(ByteView(bytes))) == 20)
    #expect(
      code { _ = try descend(ProtobufReader(ByteView(bytes), maximumDepth: 5)) } == "PRB003"
    )
  }
}
