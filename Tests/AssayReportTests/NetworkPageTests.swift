import AssayBase
import AssayTestSupport
import Testing

@testable import AssayReport

@Suite struct NetworkPageTests {
  private func drawing(_ names: [String]) -> NetworkDrawing {
    var drawing = NetworkDrawing(title: "<b>net", facts: ["3 operators"], version: "0")
    for name in names {
      var box = NetworkDrawing.Box(kind: .convolution, title: "Conv2D", detail: "3x3", name: name)
      box.macs = 10
      box.attributes = [("strides", "1x1")]
      box.inputs = [NetworkDrawing.Port(name: "w", type: "float32 3", isConstant: true)]
      drawing.boxes.append(box)
    }
    drawing.edges = names.indices.dropFirst().map { ($0 - 1, $0) }
    return drawing
  }

  private func data(_ page: String) throws -> JSON {
    let start = try #require(page.firstRange(of: "id=\"data\">"))
    let end = try #require(page[start.upperBound...].firstRange(of: "</script>"))
    return try JSON(parsing: String(page[start.upperBound..<end.lowerBound]))
  }

  @Test func namesAreNeverMarkup() throws {
    let page = renderNetwork(drawing(["a</script><img src=x onerror=alert(1)>", "b&amp;\u{202E}"]))
    #expect(!page.contains("<img"))
    #expect(!page.contains("<b>net"))
    #expect(page.contains("default-src 'none'"))
    let json = try data(page)
    #expect(json["boxes"]?.array?.count == 2)
    #expect(
      json["boxes"]?.array?.first?["n"]?.string == "a</script><img src=x onerror=alert(1)>"
    )
    #expect(json["edges"]?.array == [[0, 1]])
  }

  @Test func nothingIsLoadedFromElsewhere() {
    let page = renderNetwork(drawing(["a", "b"]))
    let addresses = page.replacing("http://www.w3.org/2000/svg", with: "")
    #expect(addresses.contains("://") == false)
    #expect(page.contains("src=") == false)
  }

  @Test func colorsAreOfferedForWhatIsKnown() {
    var some = drawing(["a", "b"])
    #expect(renderNetwork(some).contains("value=\"m\""))
    #expect(!renderNetwork(some).contains("value=\"t\""))
    some.boxes[0].nanoseconds = 5
    some.boxes[0].placement = "cpu"
    some.boxes[1].snrDb = 40
    let page = renderNetwork(some)
    for key in ["t", "w", "e"] { #expect(page.contains("value=\"\(key)\"")) }
  }

  @Test func boxesWithCommonNamesBecomeOne() {
    let grouped = drawing(["a", "block/x", "block/y", "other/z", "end"]).grouped(depth: 1)
    #expect(grouped.boxes.map(\.name) == ["a", "block", "other/z", "end"])
    #expect(grouped.boxes[1].macs == 20)
    #expect(grouped.boxes[1].detail == "2 operators")
    #expect(grouped.edges.map { [$0.from, $0.to] } == [[0, 1], [1, 2], [2, 3]])
  }

  @Test func statisticsAreThoseOfTheElements() throws {
    let statistics = try #require(
      NetworkDrawing.Statistics(of: [0, 0, 1, 3, .nan], bins: 3)
    )
    #expect(statistics.low == 0 && statistics.high == 3)
    #expect(statistics.mean == 1)
    #expect(abs(statistics.deviation - 1.5.squareRoot()) < 1e-12)
    #expect(statistics.sparsity == 0.5)
    #expect(statistics.histogram == [2, 1, 1])
    #expect(NetworkDrawing.Statistics(of: [.nan]) == nil)
    #expect(NetworkDrawing.Statistics(of: [2, 2])?.histogram == [2])
  }
}
