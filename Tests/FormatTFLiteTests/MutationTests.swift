import AssayBase
import AssayCodec
import AssayFormat
import AssayGraph
import AssayTensor
import AssayTestSupport
import FormatTFLite
import Testing

/// Files with a few bytes changed are read or refused; nothing else happens.
@Suite struct MutationTests {
  @Test(arguments: OperatorGoldenTests.names) func changedBytesAreReadOrRefused(name: String) throws
  {
    let path = TestData.package + "/Tests/Fixtures/tflite/operators.zip"
    let archive = try ZipArchive(try MappedFile(path: path).view)
    let entry = try #require(archive.entry("\(name)/model.tflite"))
    let original = try archive.read(entry).array
    let format = TFLiteFormat()
    var rng = SeededRNG(seed: UInt64(name.utf8.reduce(0) { $0 &* 31 &+ UInt64($1) }))
    for _ in 0..<60 {
      var bytes = original
      for _ in 0..<rng.int(1...4) {
        let place = rng.int(8...bytes.count - 1)
        switch rng.int(0...3) {
        case 0: bytes[place] = UInt8(rng.int(0...255))
        case 1: bytes[place] = 0xFF
        case 2: bytes[place] = bytes[place] &+ 1
        default:
          // A field of eight bytes at its extremes.
          let extreme: [UInt8] = rng.bool() ? [0, 0, 0, 0, 0, 0, 0, 0x80] : [255, 255, 255, 127]
          for (offset, byte) in extreme.enumerated() where place + offset < bytes.count {
            bytes[place + offset] = byte
          }
        }
      }
      guard let report = try? format.importGraph(ByteView(bytes), options: ImportOptions()) else {
        continue
      }
      #expect(report.graph.validate() == [], "\(name)")
      _ = try? format.exportGraph(report.graph, options: ExportOptions(allowsCustom: true))
    }
  }
}
