import AssayBase
import AssayCodec
import Testing

@Suite struct FlatBufferTests {
  private func joined(_ pieces: [ByteView]) -> [UInt8] { pieces.flatMap(\.array) }

  private func table(_ bytes: [UInt8], identifier: String? = nil) throws -> FlatTable {
    try FlatBufferReader(ByteView(bytes)).root(identifier: identifier)
  }

  @Test func readsWhatFlatcWrites() throws {
    // {a: 7 (int16), b: "hi", c: [1, 2, 3] (int32), d: 2.5 (float)}, by the flatbuffers package for
    // Python, version 25.
    let bytes: [UInt8] = [
      0x14, 0, 0, 0, 0x54, 0x45, 0x53, 0x54, 0x0C, 0, 0x14, 0, 0x12, 0, 0x0C, 0, 8, 0, 4, 0, 0x0C,
      0, 0, 0, 0, 0, 0x20, 0x40, 0x0C, 0, 0, 0, 0x18, 0, 0, 0, 0, 0, 7, 0, 3, 0, 0, 0, 1, 0, 0, 0,
      2, 0, 0, 0, 3, 0, 0, 0, 2, 0, 0, 0, 0x68, 0x69, 0, 0,
    ]
    let root = try table(bytes, identifier: "TEST")
    #expect(try root.scalar(0, default: Int16(0)) == 7)
    #expect(try root.string(1) == "hi")
    #expect(try root.vector(2, of: Int32.self) == [1, 2, 3])
    #expect(try root.scalar(3, default: Float(0)) == 2.5)
    #expect(try root.scalar(4, default: Int32(-3)) == -3)
    #expect(throws: Diagnostic.self) { try table(bytes, identifier: "TFL3") }
  }

  @Test func keepsEveryKindOfField() throws {
    var child = FlatObject()
    child.set(0, Int64(-5))
    child.set(3, true)
    var object = FlatObject()
    object.set(0, Int8(-7))
    object.set(1, UInt64.max)
    object.set(2, Float(-0.25))
    object.set(3, "Grüße")
    object.set(4, [Int32](repeating: 9, count: 5))
    object.set(5, [Float(1), .infinity])
    object.set(6, [Int64(1), -2])
    object.set(7, child)
    object.set(8, [child, FlatObject(), child])
    object.set(9, ByteView([1, 2, 3]), alignment: 16)
    object.set(10, Int32(4), default: 4)
    let bytes = joined(try FlatBufferWriter.write(object, identifier: "ABCD"))
    #expect(FlatBufferReader.identifier(of: ByteView(bytes)) == "ABCD")
    let root = try table(bytes, identifier: "ABCD")
    #expect(try root.scalar(0, default: Int8(0)) == -7)
    #expect(try root.scalar(1, default: UInt64(0)) == .max)
    #expect(try root.scalar(2, default: Float(0)) == -0.25)
    #expect(try root.string(3) == "Grüße")
    #expect(try root.vector(4, of: Int32.self) == [9, 9, 9, 9, 9])
    #expect(try root.vector(5, of: Float.self) == [1, .infinity])
    #expect(try root.vector(6, of: Int64.self) == [1, -2])
    #expect(try root.table(7)?.scalar(0, default: Int64(0)) == -5)
    #expect(try root.table(7)?.bool(3) == true)
    #expect(try root.tables(8).map { try $0.bool(3) } == [true, false, true])
    #expect(try root.bytes(9)?.array == [1, 2, 3])
    #expect(try !root.has(10))
    #expect(try root.table(11) == nil)
    #expect(try root.tables(12).isEmpty)
    #expect(try root.vector(13, of: Int32.self) == nil)
  }

  @Test func handsLargeVectorsThroughAndAlignsThem() throws {
    let large = ByteView([UInt8](repeating: 5, count: 10_001))
    var object = FlatObject()
    object.set(
      0,
      [3, 10_001, 17, 10_001].map { count in
        var entry = FlatObject()
        entry.set(
          0,
          count == 10_001 ? large : ByteView([UInt8](repeating: 1, count: count)),
          alignment: 16
        )
        return entry
      }
    )
    let pieces = try FlatBufferWriter.write(object)
    #expect(pieces.count == 4)
    let isShared = unsafe large.withUnsafeBytes { original in
      unsafe pieces[1].withUnsafeBytes { unsafe $0.baseAddress == original.baseAddress }
    }
    #expect(isShared)
    let bytes = joined(pieces)
    let start = try #require(try table(bytes).tables(0)[2].bytes(0)).array
    #expect(start == [UInt8](repeating: 1, count: 17))
    // The places of the vectors, found by their lengths.
    for (count, value) in [(3, UInt8(1)), (10_001, 5), (17, 1)] {
      let header: [UInt8] = [UInt8(count & 255), UInt8(count >> 8), 0, 0, value]
      let place = try #require(
        bytes.indices.first { $0 % 4 == 0 && bytes[$0...].starts(with: header) }
      )
      #expect((place + 4) % 16 == 0)
    }
  }

  @Test func writesEqualVtablesOnce() throws {
    func size(_ count: Int) throws -> Int {
      var object = FlatObject()
      object.set(
        0,
        (0..<count).map { index in
          var entry = FlatObject()
          entry.set(0, Int32(index + 1))
          return entry
        }
      )
      return joined(try FlatBufferWriter.write(object)).count
    }
    // An offset, the distance to the shared vtable, and the field.
    #expect(try size(104) - size(4) == 100 * 12)
  }

  /// A random table of known fields, and a check that a read one is equal.
  private func random(
    _ rng: inout SeededRNG,
    depth: Int
  ) -> (
    FlatObject, (FlatTable) throws -> Bool
  ) {
    var object = FlatObject()
    var checks: [(FlatTable) throws -> Bool] = []
    for field in 0..<Int.random(in: 0...9, using: &rng) {
      switch Int.random(in: 0...(depth > 0 ? 7 : 5), using: &rng) {
      case 0:
        let value = Int8.random(in: .min ... .max, using: &rng)
        object.set(field, value)
        checks.append { try $0.scalar(field, default: Int8(0)) == value }
      case 1:
        let value = Int64.random(in: .min ... .max, using: &rng)
        object.set(field, value, default: 1)
        checks.append { try $0.scalar(field, default: Int64(1)) == value }
      case 2:
        let value = UInt16.random(in: .min ... .max, using: &rng)
        object.set(field, value)
        checks.append { try $0.scalar(field, default: UInt16(0)) == value }
      case 3:
        let text = String(repeating: "ä", count: Int.random(in: 0...9, using: &rng))
        object.set(field, text)
        checks.append { try $0.string(field) == text }
      case 4:
        let count = Int.random(in: 0...9, using: &rng)
        let values = (0..<count).map { _ in Int64.random(in: .min ... .max, using: &rng) }
        object.set(field, values)
        checks.append { try $0.vector(field, of: Int64.self) == values }
      case 5:
        let count = Int.random(in: 0...9000, using: &rng)
        let bytes = (0..<count).map { UInt8(truncatingIfNeeded: $0) }
        object.set(field, ByteView(bytes), alignment: 16)
        checks.append { try $0.bytes(field)?.array == bytes }
      case 6:
        let (child, check) = random(&rng, depth: depth - 1)
        object.set(field, child)
        checks.append { try $0.table(field).map(check) == true }
      default:
        let children = (0..<Int.random(in: 0...4, using: &rng)).map { _ in
          random(&rng, depth: depth - 1)
        }
        object.set(field, children.map(\.0))
        checks.append { table in
          let read = try table.tables(field)
          return try read.count == children.count
            && zip(read, children).allSatisfy { try $1.1($0) }
        }
      }
    }
    return (object, { table in try checks.allSatisfy { try $0(table) } })
  }

  @Test(arguments: 0..<60) func roundTrip(seed: UInt64) throws {
    var rng = SeededRNG(seed: seed)
    let (object, check) = random(&rng, depth: 3)
    let bytes = joined(try FlatBufferWriter.write(object))
    #expect(try check(table(bytes)), "seed \(seed)")
  }

  /// Visits all that a table can be taken for.
  private func walk(_ table: FlatTable, depth: Int) {
    for field in 0..<8 {
      _ = try? table.scalar(field, default: UInt64(0))
      _ = try? table.string(field)
      _ = try? table.vector(field, of: Int64.self)
      _ = try? table.bytes(field)
      guard depth > 0 else { continue }
      if let child = try? table.table(field) { walk(child, depth: depth - 1) }
      for child in ((try? table.tables(field)) ?? []).prefix(3) { walk(child, depth: depth - 1) }
    }
  }

  @Test(arguments: 0..<20) func damageIsReported(seed: UInt64) throws {
    var rng = SeededRNG(seed: seed)
    let (object, _) = random(&rng, depth: 2)
    let bytes = joined(try FlatBufferWriter.write(object))
    for _ in 0..<200 {
      var damaged = Array(bytes.prefix(Int.random(in: 0...bytes.count, using: &rng)))
      for _ in 0..<3 where !damaged.isEmpty {
        let place = Int.random(in: 0..<min(damaged.count, 200), using: &rng)
        damaged[place] = UInt8.random(in: 0...255, using: &rng)
      }
      if let root = try? table(damaged) { walk(root, depth: 2) }
    }
  }

  @Test func manyOffsetsToOneTableAreLimited() throws {
    // A vector of offsets that all lead to the root, which holds that vector.
    var bytes: [UInt8] = []
    func append(_ value: UInt32) {
      for shift in [0, 8, 16, 24] {
        bytes.append(UInt8(truncatingIfNeeded: value >> UInt32(shift)))
      }
    }
    append(12)
    bytes += [6, 0, 8, 0, 4, 0, 0, 0]
    append(8)
    append(4)
    let count = 50_000
    append(UInt32(count))
    for index in 0..<count {
      let place = 24 + 4 * index
      append(UInt32(bitPattern: Int32(truncatingIfNeeded: 12 - place)))
    }
    let root = try table(bytes)
    // Offsets lead forward only: such a cycle cannot be expressed.
    #expect(throws: Diagnostic.self) { try root.tables(0) }
  }

  @Test func budgetsEndAmplification() throws {
    var object = FlatObject()
    object.set(0, (0..<2000).map { _ in FlatObject() })
    let bytes = ByteView(joined(try FlatBufferWriter.write(object)))
    let tables = try FlatBufferReader(bytes, maximumTables: 100).root()
    #expect(performing: { try tables.tables(0) }, throws: { ($0 as? Diagnostic)?.code == "FLB002" })
    let elements = try FlatBufferReader(bytes, maximumElements: 10).root()
    #expect(
      performing: { try elements.tables(0) },
      throws: { ($0 as? Diagnostic)?.code == "FLB002" }
    )
    var deep = FlatObject()
    for _ in 0..<100 {
      var outer = FlatObject()
      outer.set(0, deep)
      deep = outer
    }
    var table = try self.table(joined(try FlatBufferWriter.write(deep)))
    #expect(
      performing: { while let next = try table.table(0) { table = next } },
      throws: { ($0 as? Diagnostic)?.code == "FLB002" }
    )
  }
}
