import AssayBase
import AssayCodec
import AssayTensor
import AssayTestSupport
import Testing

@Suite struct HDF5Tests {
  static let files = ["earliest.h5", "latest.h5"]

  static func open(_ name: String) throws -> HDF5File {
    try HDF5File(MappedFile(path: TestData.fixture("codec/" + name)).view)
  }

  static func tensor(_ name: String, _ path: String) throws -> Tensor {
    try #require(try open(name).object(path), "\(path)").tensor()
  }

  @Test(arguments: files)
  func readsNumbers(name: String) throws {
    let types: [(String, DType)] = [
      ("<f2", .float16), ("<f4", .float32), ("<f8", .float64), (">f4", .float32),
      (">f8", .float64), ("<i1", .int8), ("<i2", .int16), ("<i4", .int32), ("<i8", .int64),
      ("<u1", .uint8), ("<u2", .uint16), ("<u4", .uint32), ("<u8", .uint64), (">i4", .int32),
    ]
    for (code, dtype) in types {
      let tensor = try Self.tensor(name, "numbers/" + code)
      #expect(tensor.type == TensorType(dtype, [2, 3, 4]), "\(code)")
      #expect(tensor.floats() == (0..<24).map { Float($0) }, "\(code)")
    }
    #expect(try Self.tensor(name, "numbers/scalar").shape == [])
    #expect(try Self.tensor(name, "/numbers/scalar").floats() == [2.5])
    let truth = try Self.tensor(name, "numbers/truth")
    #expect(truth.dtype == .bool)
    #expect(truth.integers() == (0..<24).map { $0 % 3 == 0 ? 1 : 0 })
    #expect(try Self.tensor(name, "numbers/no_elements").shape == [0, 3])
    #expect(try Self.tensor(name, "numbers/unwritten").floats() == [1.5, 1.5, 1.5, 1.5])
    #expect(
      try Self.tensor(name, "numbers/of_committed").floats() == (0..<24).map { Float($0) }
    )
    let nothing = try #require(try Self.open(name).object("numbers/nothing"))
    #expect(try nothing.shape() == nil)
    guard case .empty = try nothing.value() else {
      Issue.record("a null dataspace holds something")
      return
    }
  }

  @Test(arguments: files)
  func readsChunks(name: String) throws {
    let grid = (0..<70).map { Float($0) }
    for dataset in ["plain", "one", "deflated", "all"] {
      let tensor = try Self.tensor(name, "chunks/" + dataset)
      #expect(tensor.shape == [7, 10], "\(dataset)")
      #expect(tensor.floats() == grid, "\(dataset)")
    }
    var part = [Int](repeating: -7, count: 40)
    part.replaceSubrange(8..<12, with: 1...4)
    #expect(try Self.tensor(name, "chunks/part").integers() == part)
    let lzf = #expect(throws: Diagnostic.self) { try Self.tensor(name, "chunks/lzf") }
    #expect(lzf?.code == "HDF005")
    #expect(lzf?.location == ["/chunks/lzf"])
  }

  @Test func readsPagedIndexesOfChunks() throws {
    #expect(try Self.tensor("latest.h5", "chunks/many").integers() == Array(0..<1500))
  }

  @Test func namesTheIndexesThatItDoesNotRead() throws {
    #expect(
      try Self.tensor("earliest.h5", "chunks/growable").floats() == (0..<70).map { Float($0) }
    )
    let fault = #expect(throws: Diagnostic.self) {
      try Self.tensor("latest.h5", "chunks/growable")
    }
    #expect(fault?.code == "HDF005")
    #expect(fault?.remedy != nil)
  }

  @Test(arguments: files)
  func readsText(name: String) throws {
    let text = try #require(try Self.open(name).object("text"))
    #expect(text.memberNames.sorted() == ["fixed", "list", "variable"])
    #expect(try text.member("variable")?.value().string == "größer")
    #expect(try text.member("list")?.value().strings == ["a", "", "ccc"])
    #expect(try text.member("fixed")?.value().strings == ["a", "", "ccc"])
  }

  @Test(arguments: files)
  func readsAttributes(name: String) throws {
    let few = try #require(try Self.open(name).object("few"))
    #expect(try few.attributeNames().count == 9)
    #expect(try few.attribute("variable")?.string == #"{"config": [1, 2]}"#)
    #expect(try few.attribute("bytes")?.string == "channels_last")
    #expect(try few.attribute("list")?.strings == ["kernel:0", "bias:0"])
    #expect(try few.attribute("objects")?.strings == ["x", "yy"])
    #expect(try few.attribute("empty_list")?.strings == [])
    #expect(try few.attribute("number")?.number == 1e-3)
    #expect(try few.attribute("absent") == nil)
    guard case .tensor(let numbers)? = try few.attribute("numbers"),
      case .empty? = try few.attribute("nothing"),
      case .unsupported? = try few.attribute("record")
    else {
      Issue.record("an attribute is of another kind")
      return
    }
    #expect(numbers.integers() == [0, 1, 2])
  }

  @Test(arguments: files)
  func readsManyAttributes(name: String) throws {
    let dense = try #require(try Self.open(name).object("dense"))
    #expect(try dense.attributeNames().count == 61)
    for index in 0..<60 {
      #expect(try dense.attribute("attribute\(index)")?.string == "value \(index)")
    }
    let long = try #require(try dense.attribute("long")?.strings)
    #expect(long.count == 600)
    #expect(long[599] == "weight_000599")
  }

  @Test(arguments: files)
  func findsMembers(name: String) throws {
    let file = try Self.open(name)
    let members = try #require(try file.object("members"))
    let expected = (0..<300).map { index in
      "member" + String(repeating: "0", count: 3 - "\(index)".count) + "\(index)"
    }
    #expect(members.memberNames.sorted() == ["cycle"] + expected + ["target"])
    #expect(try members.member("member257")?.isDataset == false)
    #expect(try members.member("member300") == nil)
    #expect(try file.object("layers/conv2d/vars/0")?.isDataset == true)
    #expect(try file.object("soft/vars/0")?.tensor().count == 24)
    #expect(try file.object("soft/vars/0")?.path == "/layers/conv2d/vars/0")
    #expect(try file.object("dangling") == nil)
    #expect(try file.object("layers/absent/vars") == nil)
  }

  @Test(arguments: files)
  func refusesCyclesAndOtherFiles(name: String) throws {
    let file = try Self.open(name)
    for path in ["members/cycle", "outside"] {
      let fault = #expect(throws: Diagnostic.self) { try file.object(path) }
      #expect(fault?.code == "HDF004")
      #expect(fault?.location == ["/" + path])
    }
  }

  @Test(arguments: files)
  func refusesADatasetOfAnotherKind(name: String) throws {
    let file = try Self.open(name)
    for path in ["text/fixed", "numbers/nothing", "members"] {
      let fault = #expect(throws: Diagnostic.self) { try file.object(path)?.tensor() }
      #expect(fault?.code == "HDF007")
    }
  }

  @Test func copiesNoContiguousElements() throws {
    let file = try MappedFile(path: TestData.fixture("codec/earliest.h5"))
    let tensor = try #require(try HDF5File(file.view).object("layers/conv2d/vars/0")).tensor()
    let isInside = unsafe tensor.bytes.withUnsafeBytes { elements in
      unsafe file.view.withUnsafeBytes { all in
        guard let a = elements.baseAddress, let b = all.baseAddress else { return false }
        return unsafe a >= b && a < b + all.count
      }
    }
    #expect(isInside)
  }

  @Test func saysWhatIsCutShort() throws {
    let bytes = try MappedFile(path: TestData.fixture("codec/earliest.h5")).view
    let half = try bytes.slice(0, bytes.count / 2)
    let fault = #expect(throws: Diagnostic.self) { try HDF5File(half) }
    #expect(fault?.code == "HDF003")
    let other = #expect(throws: Diagnostic.self) { try HDF5File(ByteView(Array("text".utf8))) }
    #expect(other?.code == "HDF001")
  }

  /// Reads all there is below an object, to a depth.
  static func readAll(_ object: HDF5Object, depth: Int = 0) throws {
    func attempt(_ body: () throws -> Void) throws {
      do { try body() } catch is Diagnostic {}
    }
    try attempt {
      for name in try object.attributeNames() { _ = try object.attribute(name) }
    }
    if object.isDataset { try attempt { _ = try object.value() } }
    guard depth < 4 else { return }
    for name in object.memberNames.prefix(40) {
      try attempt {
        if let member = try object.member(name) { try readAll(member, depth: depth + 1) }
      }
    }
  }

  /// Whatever is done to a file, reading it ends with content or a diagnostic.
  @Test(arguments: files)
  func survivesDamage(name: String) throws {
    let original = try MappedFile(path: TestData.fixture("codec/" + name)).view.array
    func read(_ bytes: some Collection<UInt8>) {
      do { try Self.readAll(HDF5File(ByteView(bytes)).root()) } catch is Diagnostic {
      } catch { Issue.record("\(error)") }
    }
    read(original)
    for count in 0..<original.count where count % 997 == 0 { read(original[..<count]) }
    var random = SeededRNG(seed: 6)
    // Bytes that stand for structure: those that are not zero, or lie near one that is not.
    let places = original.indices.dropFirst().filter { original[$0] != 0 || original[$0 - 1] != 0 }
    for _ in 0..<150 {
      var bytes = original
      for _ in 0...random.next() % 4 {
        let index = places[Int(random.next() % UInt64(places.count))]
        let values: [UInt8] = [0, 1, 0x7F, 0x80, 0xFF, UInt8(truncatingIfNeeded: random.next())]
        bytes[index] = values[Int(random.next() % 6)]
      }
      read(bytes)
    }
  }
}
