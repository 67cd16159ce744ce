import AssayBase
import AssayTensor
import AssayTestSupport
import Testing

@testable import AssayData

@Suite struct LetterboxTests {
  /// OpenCV's arithmetic has 11 bits: a gray level at most.
  @Test func letterboxesAreOpenCVsToOneGrayLevel() throws {
    let golden = try JSON(
      parsing: MappedFile(path: TestData.fixture("accuracy/letterbox.json")).view.array
    )
    let image = Image(
      width: try #require(golden["width"]?.int),
      height: try #require(golden["height"]?.int),
      channels: 3,
      pixels: try #require(golden["pixels"]?.ints).map { UInt8($0) }
    )
    let preprocessing = try Preprocessing.parse("yolo,scale=1")
    for entry in try #require(golden["letterboxes"]?.array) {
      let width = try #require(entry["width"]?.int)
      let height = try #require(entry["height"]?.int)
      let type = TensorType(.float32, [1, height, width, 3])
      let values = try preprocessing.tensor(image, for: type).floats()
      let expected = try #require(entry["pixels"]?.ints)
      #expect(values.count == expected.count)
      let greatest = zip(values, expected).map { abs($0 - Float($1)) }.max()
      #expect((greatest ?? 99) <= 1, "\(width) x \(height)")
    }
  }

  @Test func whatIsTooSmallIsPaddedAndWhatIsTooLargeIsCut() throws {
    let image = Image(width: 5, height: 2, channels: 1, pixels: [1, 2, 3, 4, 5, 6, 7, 8, 9, 10])
    let preprocessing = try Preprocessing.parse("resize=crop-or-pad")
    let values = try preprocessing.tensor(image, for: TensorType(.float32, [1, 4, 3, 1])).floats()
    #expect(values == [0, 0, 0, 2, 3, 4, 7, 8, 9, 0, 0, 0])
    // An odd rest goes below and to the right, as TensorFlow has it.
    let odd = try preprocessing.tensor(image, for: TensorType(.float32, [1, 3, 8, 1])).floats()
    #expect(Array(odd.prefix(8)) == [0, 1, 2, 3, 4, 5, 0, 0])
    #expect(Array(odd.suffix(8)) == [Float](repeating: 0, count: 8))
  }

  @Test func placementsTellWhereThePictureLies() throws {
    let type = TensorType(.float32, [1, 224, 224, 3])
    let fit = try Preprocessing.parse("crop=center:0.5").placement(
      width: 400,
      height: 200,
      for: type
    )
    #expect(fit.cut == (100, 50, 200, 100) && fit.offset == (0, 0) && fit.size == (224, 224))
    let middle = try Preprocessing.parse("resize=256").placement(width: 512, height: 256, for: type)
    #expect(middle.size == (512, 256) && middle.offset == (-144, -16))
    let box = try Preprocessing.parse("yolo").placement(width: 400, height: 200, for: type)
    #expect(box.size == (224, 112) && box.offset == (0, 56))
    #expect(throws: Diagnostic.self) {
      try Preprocessing.parse("resize=100").placement(width: 50, height: 50, for: type)
    }
  }

  @Test func specificationsReadBack() throws {
    for text in ["yolo", "resize=letterbox", "resize=crop-or-pad", "filter=opencv"] {
      let value = try Preprocessing.parse(text)
      #expect(try Preprocessing.parse(value.text) == value)
    }
  }
}
