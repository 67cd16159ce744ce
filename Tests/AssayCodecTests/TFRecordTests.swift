import AssayBase
import Testing

@testable import AssayCodec

@Suite struct TFRecordTests {
  @Test func recordsComeBackAndBrokenOnesAreTold() throws {
    let contents: [[UInt8]] = [[], [1, 2, 3], Array(repeating: 7, count: 300)]
    let bytes = contents.flatMap(TFRecord.record)
    #expect(try TFRecord.records(ByteView(bytes)).map(\.array) == contents)
    for cut in [1, 11, bytes.count - 3] {
      #expect(throws: Diagnostic.self) { try TFRecord.records(ByteView(bytes.prefix(cut))) }
    }
    for at in [0, 9, 16 + 12, bytes.count - 1] {
      var broken = bytes
      broken[at] ^= 1
      #expect(throws: Diagnostic.self) { try TFRecord.records(ByteView(broken)) }
    }
  }

  @Test func anEventHasTheBytesThatTensorFlowWrites() throws {
    // Event(wall_time=1.5, step=7, summary=Summary(value=[Value(tag="loss", simple_value=0.25)]))
    // serialized by TensorFlow 2.21.
    let expected: [UInt8] = [
      0x09, 0, 0, 0, 0, 0, 0, 0xF8, 0x3F, 0x10, 0x07, 0x2A, 0x0D, 0x0A, 0x0B, 0x0A, 0x04, 0x6C,
      0x6F, 0x73, 0x73, 0x15, 0, 0, 0x80, 0x3E,
    ]
    let record = TensorBoardEvent.scalars([("loss", 0.25)], step: 7, time: 1.5)
    #expect(try TFRecord.records(ByteView(record)).map(\.array) == [expected])
  }
}
