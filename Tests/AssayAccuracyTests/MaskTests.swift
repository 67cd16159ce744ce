import AssayBase
import AssayTestSupport
import Testing

@testable import AssayAccuracy

@Suite struct MaskTests {
  @Test func polygonsAreRasterizedAsPycocotoolsDoes() throws {
    let golden = try JSON(
      parsing: MappedFile(path: TestData.fixture("accuracy/detection.json")).view.array
    )
    let cases = try #require(golden["polygons"]?.array)
    #expect(cases.count == 60)
    for entry in cases {
      let mask = Mask(
        polygon: (entry["polygon"]?.array ?? []).compactMap(\.double),
        width: try #require(entry["width"]?.int),
        height: try #require(entry["height"]?.int)
      )
      #expect(mask.text == entry["counts"]?.string)
      #expect(mask.area == entry["area"]?.int)
      let box = mask.boundingBox
      #expect([box.x, box.y, box.width, box.height] == entry["box"]?.array?.map(\.double))
      #expect(try Mask(text: mask.text, width: mask.width, height: mask.height) == mask)
    }
  }

  /// Runs against pixels, on random masks.
  @Test func runsComputeWhatPixelsDo() throws {
    var rng = SeededRNG(seed: 5)
    for _ in 0..<60 {
      let (width, height) = (Int.random(in: 1...9, using: &rng), Int.random(in: 1...9, using: &rng))
      let bits = (0..<2).map { _ in
        (0..<width * height).map { _ in Int.random(in: 0..<3, using: &rng) == 0 }
      }
      let masks = bits.map { bits in
        Mask(width: width, height: height) { x, y in bits[y * width + x] }
      }
      #expect(masks[0].bits == bits[0])
      let both = zip(bits[0], bits[1]).count { $0 && $1 }
      let either = zip(bits[0], bits[1]).map { $0 || $1 }
      #expect(masks[0].intersection(masks[1]) == both)
      #expect(Mask.union(masks)?.bits == either)
      #expect(masks[0].area == bits[0].count { $0 })
      #expect(try Mask(text: masks[1].text, width: width, height: height).bits == bits[1])
    }
  }

  @Test(arguments: ["", "0", "zzzz", "P", "ooooooooooooooo0", "04\u{7F}", "é"])
  func brokenTextIsADiagnostic(_ text: String) {
    #expect(throws: Diagnostic.self) { try Mask(text: text, width: 4, height: 4) }
  }

  @Test func runsMustFillThePicture() {
    #expect(throws: Diagnostic.self) { try Mask(checked: [3, -1, 14], width: 4, height: 4) }
    #expect(throws: Diagnostic.self) { try Mask(checked: [3, 14], width: 4, height: 4) }
    #expect(throws: Diagnostic.self) { try Mask(checked: [16], width: 0, height: 4) }
    #expect(throws: Diagnostic.self) { try Mask(checked: [1], width: 1 << 40, height: 1 << 40) }
  }
}
