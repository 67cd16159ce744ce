import AssayBase
import AssayCodec
import AssayTensor
import AssayTestSupport
import Testing

@Suite struct NPYTests {
  static func joined(_ pieces: [ByteView]) -> ByteView { ByteView(pieces.flatMap(\.array)) }

  @Test(arguments: ["arrays.npz", "arrays_deflated.npz"])
  func readsWhatNumPyWrites(file: String) throws {
    let arrays = try NPZ.read(ZipTests.fixture(file))
    let byName = Dictionary(uniqueKeysWithValues: arrays.map { ($0.name, $0.tensor) })
    #expect(arrays.count == 18)
    let eighths = (0..<24).map { Float($0) / 8 }
    let floats: [(String, DType, Shape)] = [
      ("f2", .float16, [2, 3, 4]), ("f4", .float32, [2, 3, 4]), ("f8", .float64, [2, 3, 4]),
      ("f4_big", .float32, [4, 6]), ("f4_fortran", .float32, [2, 3, 4]),
      ("f8_big_fortran", .float64, [3, 8]),
    ]
    for (name, dtype, shape) in floats {
      let tensor = try #require(byName[name])
      #expect(tensor.type == TensorType(dtype, shape), "\(name)")
      #expect(tensor.floats() == eighths, "\(name)")
    }
    let integers: [(String, DType, Int)] = [
      ("i1", .int8, 12), ("i2", .int16, 12), ("i4", .int32, 12), ("i8", .int64, 12),
      ("u1", .uint8, 0), ("u2", .uint16, 0), ("u4", .uint32, 0), ("u8", .uint64, 0),
    ]
    for (name, dtype, less) in integers {
      let tensor = try #require(byName[name])
      #expect(tensor.type == TensorType(dtype, [24]), "\(name)")
      #expect(tensor.integers() == (0..<24).map { $0 - less }, "\(name)")
    }
    #expect(byName["truth"]?.integers() == (0..<24).map { $0 % 3 == 0 ? 1 : 0 })
    #expect(byName["truth"]?.dtype == .bool)
    #expect(byName["scalar"]?.shape == [])
    #expect(byName["scalar"]?.floats() == [2.5])
    #expect(byName["empty"]?.shape == [0, 3])
    #expect(byName["in/x:0"]?.integers() == [0, 1, 2, 3, 4])
  }

  @Test(arguments: [false, true])
  func readsWhatItWrites(deflated: Bool) throws {
    let arrays = try NPZ.read(ZipTests.fixture("arrays.npz"))
    let copies = try NPZ.read(Self.joined(NPZ.write(arrays, deflated: deflated)))
    #expect(copies.map(\.name) == arrays.map(\.name))
    for (copy, array) in zip(copies, arrays) {
      #expect(copy.tensor.type == array.tensor.type)
      #expect(copy.tensor.bytes.hasSameBytes(as: array.tensor.bytes), "\(array.name)")
    }
  }

  @Test func writesTheBytesThatNumPyWrites() throws {
    let archive = try ZipArchive(ZipTests.fixture("arrays.npz"))
    for name in ["f4.npy", "u1.npy", "scalar.npy", "empty.npy", "truth.npy"] {
      let bytes = try archive.read(#require(archive.entry(name)))
      #expect(try Self.joined(NPY.write(NPY.read(bytes))).array == bytes.array, "\(name)")
    }
  }

  @Test func widensWhatNumPyDoesNotHave() throws {
    let tensor = Tensor([0x3F80, 0xC000] as [UInt16], [2], dtype: .bfloat16)
    #expect(try NPY.read(Self.joined(NPY.write(tensor))).floats() == [1, -2])
  }

  @Test(arguments: [
    ("{'descr': '|O', 'fortran_order': False, 'shape': (1,), }", "NPY003"),
    ("{'descr': '<c8', 'fortran_order': False, 'shape': (1,), }", "NPY003"),
    ("{'descr': [('a', '<f4')], 'fortran_order': False, 'shape': (1,), }", "NPY002"),
    ("{'descr': '<f4', 'fortran_order': False, 'shape': (3,), }", "NPY002"),
    ("{'descr': '<f4', 'fortran_order': False, 'shape': (99999999999, 99999999999), }", "NPY002"),
    ("{'descr': '<f4', 'fortran_order': False, 'shape': (-1,), }", "NPY002"),
    ("{'descr': '<f4', 'fortran_order': False, }", "NPY002"),
    ("{'descr': '<f4", "NPY002"),
    ("", "NPY002"),
  ])
  func refusesHeaders(header: String, code: String) {
    let prefix: [UInt8] = [0x93, 0x4E, 0x55, 0x4D, 0x50, 0x59, 1, 0, UInt8(header.utf8.count), 0]
    let bytes = ByteView(prefix + Array(header.utf8) + [0, 0, 0, 0])
    let fault = #expect(throws: Diagnostic.self) { try NPY.read(bytes) }
    #expect(fault?.code == code)
  }

  @Test func survivesDamage() throws {
    let archive = try ZipArchive(ZipTests.fixture("arrays.npz"))
    let original = try archive.read(#require(archive.entry("f8_big_fortran.npy"))).array
    func read(_ bytes: some Collection<UInt8>) {
      do { _ = try NPY.read(ByteView(bytes)) } catch is Diagnostic {
      } catch { Issue.record("\(error)") }
    }
    for count in original.indices { read(original[..<count]) }
    var random = SeededRNG(seed: 5)
    for _ in 0..<5000 {
      var bytes = original
      bytes[Int(random.next() % 128)] = UInt8(truncatingIfNeeded: random.next())
      read(bytes)
    }
  }
}
