import AssayAccuracy
import AssayBase
import AssayTestSupport
import Testing

@testable import AssayVision

@Suite struct DrawingTests {
  /// The pixels within the ways of an outline, by the even-odd rule: vertical borders on the left of a pixel's
  /// middle are counted.
  private func filled(_ path: String, _ width: Int, _ height: Int) throws -> [Bool] {
    var crossings = [Int](repeating: 0, count: (width + 1) * height)
    for way in path.split(separator: "z") {
      var words = way.drop { $0 == "M" }
      func number() throws -> Int {
        let text = words.prefix { $0.isNumber || $0 == "-" }
        words = words.dropFirst(text.count)
        return try #require(Int(text))
      }
      var x = try number()
      #expect(words.first == " ")
      words = words.dropFirst()
      var y = try number()
      let start = (x, y)
      while let letter = words.first {
        words = words.dropFirst()
        let length = try number()
        #expect(length != 0)
        if letter == "h" {
          x += length
        } else {
          for row in min(y, y + length)..<max(y, y + length) {
            crossings[row * (width + 1) + x] += 1
          }
          y += length
        }
      }
      #expect((x, y) == start)
    }
    return (0..<width * height).map { index in
      let row = index / width * (width + 1)
      return crossings[row...row + index % width].reduce(0, +) % 2 == 1
    }
  }

  @Test func anOutlineFillsWhatItIsOf() throws {
    var random = SeededRNG(seed: 7)
    for (width, height) in [(1, 1), (7, 1), (1, 5), (9, 8), (16, 11)] {
      for share in [0, 20, 50, 80, 100] {
        let area = (0..<width * height).map { _ in Int.random(in: 0..<100, using: &random) < share }
        let path = MaskOutline(width: width, isInside: area).path
        #expect(try filled(path, width, height) == area)
        #expect(path.isEmpty == !area.contains(true))
      }
    }
    // One way around a whole, and one more around a hole.
    var ring = [Bool](repeating: true, count: 9)
    #expect(MaskOutline(width: 3, isInside: ring).path == "M0 0h3v3h-3v-3z")
    ring[4] = false
    #expect(MaskOutline(width: 3, isInside: ring).path == "M0 0h3v3h-3v-3zM1 1v1h1v-1h-1z")
    #expect(MaskOutline(width: 0, isInside: []).path.isEmpty)
  }

  @Test func aDrawingHoldsWhatWasSeen() throws {
    let mask = Mask(width: 40, height: 20) { x, y in x < 10 && y < 5 }
    let objects = Reading.objects([
      FoundObject(category: 1, score: 0.9, box: Box(x: -3, y: 2, width: 30, height: 90), mask: mask)
    ])
    let svg = objects.svg(picture: "a&b.jpg", width: 40, height: 20, names: ["x", "<dog>"])
    #expect(svg.hasPrefix("<svg xmlns=\"http://www.w3.org/2000/svg\""))
    #expect(svg.contains("xlink:href=\"a&amp;b.jpg\""))
    #expect(svg.contains("&lt;dog&gt; 0.90</text>") && !svg.contains("<dog>"))
    // The box within the picture, and the mask's own way.
    #expect(svg.contains("x=\"0.00\" y=\"2.00\" width=\"27.00\" height=\"18.00\""))
    #expect(svg.contains("d=\"M0 0h10v5h-10v-5z\""))

    let regions = Reading.regions(width: 4, height: 2, classes: [0, 2, 2, 255, 0, 3, 0, 0])
    let areas = regions.svg(picture: "p", width: 4, height: 2)
    #expect(areas.contains("M1 0h2v1h-2v-1z") && areas.contains("M1 1h1v1h-1v-1z"))
    #expect(areas.split(separator: "<path").count == 3)

    var points = [KeyPoint](repeating: KeyPoint(x: .nan, y: 1e9, score: 1), count: 17)
    points[5] = KeyPoint(x: 1, y: 2, score: 0.9)
    points[6] = KeyPoint(x: 3, y: 2, score: 0.9)
    points[7] = KeyPoint(x: 3, y: 9, score: 0.1)
    let body = Reading.points(points).svg(picture: "p", width: 4, height: 2)
    #expect(body.split(separator: "<circle").count == 3)
    #expect(body.contains("x1=\"1.00\" y1=\"2.00\" x2=\"3.00\" y2=\"2.00\""))
    #expect(!body.contains("nan"))

    let classes = Reading.classes([0.1, 0.9]).svg(picture: "p", width: 40, height: 20)
    #expect(classes.contains(">1 0.90</text>"))
  }
}
