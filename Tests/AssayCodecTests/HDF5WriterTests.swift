import AssayBase
import AssayTensor
import Testing

@testable import AssayCodec

@Suite struct HDF5WriterTests {
  private func file(_ root: HDF5Writer.Group) throws -> HDF5File {
    try HDF5File(ByteView(HDF5Writer.file(root).flatMap(\.array)))
  }

  @Test func whatIsWrittenIsRead() throws {
    var root = HDF5Writer.Group([
      ("text", .text("{\"a\": \"ä\"}")), ("empty", .text("")), ("list", .texts(["x", "yy", ""])),
      ("number", .tensor(Tensor([Float(2.5)], []))),
    ])
    let tensor = Tensor((0..<6).map { Float($0) }, [2, 3])
    root.add("layers/conv/vars/0", .dataset(tensor))
    root.add("layers/conv/vars/1", .dataset(Tensor([Int32(7), -8], [2])))
    root.add("layers/conv/nothing", .dataset(Tensor([Float](), [0, 4])))
    root.add("layers/relu", .group(HDF5Writer.Group([("name", .text("relu"))])))
    let file = try file(root)
    let top = try file.root()
    #expect(try top.attribute("text")?.string == "{\"a\": \"ä\"}")
    #expect(try top.attribute("empty")?.string == "")
    #expect(try top.attribute("list")?.strings == ["x", "yy", ""])
    #expect(try top.attribute("number")?.number == 2.5)
    let read = try #require(try file.object("layers/conv/vars/0")).tensor()
    #expect(read.type == tensor.type && read.floats() == tensor.floats())
    #expect(try file.object("layers/conv/vars/1")?.tensor().integers() == [7, -8])
    #expect(try file.object("layers/conv/nothing")?.shape() == [0, 4])
    #expect(try file.object("layers/relu")?.attribute("name")?.string == "relu")
    #expect(try file.object("layers")?.member("none") == nil)
  }

  @Test func everyNumberTypeIsRead() throws {
    let types: [DType] = [
      .float16, .bfloat16, .float32, .float64, .int8, .uint8, .int16, .uint16, .int32, .uint32,
      .int64, .uint64,
    ]
    var root = HDF5Writer.Group()
    let source = Tensor([Float(0), 1, 2, 100], [4])
    for type in types {
      root.add(type.rawValue, .dataset(try #require(source.converted(to: type))))
    }
    let file = try file(root)
    for type in types {
      let read = try #require(try file.object(type.rawValue)).tensor()
      #expect(read.dtype == type && read.floats() == [0, 1, 2, 100])
    }
  }

  /// Groups of one, of a full table, of several tables, and of more than one level of the tree.
  @Test(arguments: [0, 1, 8, 9, 256, 257, 3000]) func groupsOfAnySizeAreRead(count: Int) throws {
    var root = HDF5Writer.Group()
    for index in 0..<count {
      root.add("g/member_\(index)", .dataset(Tensor([Int32(index)], [1])))
    }
    if count == 0 { root.add("g", .group(HDF5Writer.Group())) }
    let group = try #require(try file(root).object("g"))
    let names = group.memberNames
    #expect(Set(names) == Set((0..<count).map { "member_\($0)" }))
    for index in [0, count / 2, count - 1] where index >= 0 && index < count {
      #expect(try group.member("member_\(index)")?.tensor().integers() == [index])
    }
  }

  @Test func longListsOfTextAreRead() throws {
    let texts = (0..<4000).map { "layer_\($0)" }
    let root = HDF5Writer.Group([("names", .texts(texts))])
    #expect(try file(root).root().attribute("names")?.strings == texts)
  }

  @Test func elementsAreAlignedAndPassedThrough() throws {
    let tensor = Tensor([Float](repeating: 1, count: 1000), [1000])
    var root = HDF5Writer.Group()
    root.add("a", .dataset(Tensor([UInt8(1)], [1], dtype: .uint8)))
    root.add("b", .dataset(tensor))
    let pieces = try HDF5Writer.file(root)
    let address = unsafe tensor.bytes.withUnsafeBytes { UInt(bitPattern: $0.baseAddress) }
    let place = pieces.firstIndex { piece in
      unsafe piece.withUnsafeBytes { UInt(bitPattern: $0.baseAddress) } == address
    }
    let before = pieces[..<(try #require(place))].reduce(0) { $0 + $1.count }
    #expect(before % 64 == 0)
  }

  @Test func theSameContentGivesTheSameBytes() throws {
    func bytes(_ order: [String]) throws -> [UInt8] {
      var root = HDF5Writer.Group([("a", .text("t"))])
      for name in order { root.add(name, .dataset(Tensor([Float(1)], [1]))) }
      return try HDF5Writer.file(root).flatMap(\.array)
    }
    #expect(try bytes(["x/a", "x/b", "c"]) == bytes(["c", "x/b", "x/a"]))
  }

  @Test func refusesWhatTheFormatCannotHold() throws {
    var text = HDF5Writer.Group()
    text.add("t", .dataset(Tensor([UInt8(0)], [1], dtype: .bool).with(quantization: nil)))
    #expect(throws: Never.self) { try HDF5Writer.file(text) }
    let large = Tensor([Float](repeating: 0, count: 20000), [20000])
    let fault = #expect(throws: Diagnostic.self) {
      try HDF5Writer.file(HDF5Writer.Group([("large", .tensor(large))]))
    }
    #expect(fault?.code == "HDF020")
  }
}
