import AssayAccuracy
import AssayBase
import AssayData
import AssayTensor
import AssayTestSupport
import Testing

@testable import AssayVision

@Suite struct HeadTests {
  private func golden() throws -> JSON {
    try JSON(parsing: MappedFile(path: TestData.fixture("accuracy/yolov8.json")).view.array)
  }

  private func floats(_ json: JSON?) throws -> [Float] {
    try #require(json?.array).map { Float($0.double ?? .nan) }
  }

  private func transposed(_ values: [Float], _ rows: Int) -> [Float] {
    let columns = values.count / rows
    return (0..<values.count).map { values[$0 % rows * columns + $0 / rows] }
  }

  /// A picture of 80 x 48 in a letterbox of 96 x 96.
  private func framing() throws -> Framing {
    let place = try Preprocessing.parse("yolo").placement(
      width: 80,
      height: 48,
      for: TensorType(.float32, [1, 96, 96, 3])
    )
    return Framing(place, width: 80, height: 48)
  }

  private func check(_ outputs: [Output]) throws {
    let golden = try golden()
    #expect(Head.guess(outputs) == .yolov8)
    let reading = try Head.yolov8.read(outputs, framing: framing())
    guard case .objects(let found) = reading else {
      Issue.record("no objects")
      return
    }
    let expected = try #require(golden["found"]?.array)
    #expect(found.count == expected.count)
    // Equal scores may come in either order.
    let areas = try #require(golden["areas"]?.ints)
    var first: FoundObject?
    for (row, area) in zip(expected, areas) {
      let values = (row.array ?? []).compactMap(\.double)
      let match = found.first { object in
        let edges = [object.box.x, object.box.y, object.box.right, object.box.bottom]
        return Double(object.category) == values[5] && abs(object.score - values[4]) < 1e-4
          && zip(edges, values).allSatisfy { abs($0 - $1) < 0.02 }
      }
      let object = try #require(match, "\(values)")
      // Ultralytics rounds a letterbox's border to whole cells of the prototypes (24 across, here), ours
      // is exact: edges move by a fraction of a cell.
      #expect(abs((object.mask?.area ?? -99) - area) <= max(2, area / 40))
      if first == nil { first = object }
    }
    let bits = try #require(first?.mask).bits
    let differences = zip(bits, try #require(golden["mask0"]?.string)).count { $0 != ($1 == "1") }
    // Of 3,840 pixels.
    #expect(differences <= 19)
  }

  @Test func tablesAreReadAsUltralyticsDoes() throws {
    let golden = try golden()
    let table = try floats(golden["table"])
    let prototypes = Output(
      name: "proto",
      extents: [32, 24, 24],
      values: try floats(golden["prototypes"])
    )
    let columns = 4 + 3 + 32
    let count = table.count / columns
    #expect(count == 189)
    try check([Output(name: "a", extents: [columns, count], values: table), prototypes])
    // As TFLite files have it: candidates by rows, boxes in parts of the input, channels last.
    var rows = transposed(table, columns)
    for row in 0..<count { for edge in 0..<4 { rows[row * columns + edge] /= 96 } }
    try check([
      Output(name: "a", extents: [count, columns], values: rows),
      Output(name: "p", extents: [24, 24, 32], values: transposed(prototypes.values, 32)),
    ])
  }

  @Test func distributionsAreDecodedAsUltralyticsDoes() throws {
    let golden = try golden()
    let maps = try #require(golden["maps"]?.array)
    let coefficients = try #require(golden["coefficients"]?.array)
    var outputs: [Output] = []
    for (index, side) in [12, 6, 3].enumerated() {
      outputs.append(
        Output(name: "m\(side)", extents: [67, side, side], values: try floats(maps[index]))
      )
      outputs.append(
        Output(
          name: "c\(side)",
          extents: [32, side, side],
          values: try floats(coefficients[index])
        )
      )
    }
    outputs.append(
      Output(name: "p", extents: [32, 24, 24], values: try floats(golden["prototypes"]))
    )
    try check(outputs)
  }

  @Test func letterboxesAreUltralyticss() throws {
    let framing = try framing()
    #expect(framing.place == Box(x: 0, y: 19, width: 96, height: 58))
    let there = framing.inputPoint(x: 40, y: 24)
    #expect(there.x == 48 && there.y == 48)
    let back = framing.point(x: there.x, y: there.y)
    #expect(abs(back.x - 40) < 1e-9 && abs(back.y - 24) < 1e-9)
  }

  private var plain: Framing { Framing(picture: (200, 100), input: (50, 50)) }

  @Test func chosenBoxesAreRead() throws {
    let outputs = [
      Output(
        name: "boxes",
        extents: [3, 4],
        values: [0, 0, 0.5, 0.5, 0.1, 0.2, 0.9, 1.2, 0, 0, 1, 1]
      ),
      Output(name: "classes", extents: [3], values: [2, 0, 1]),
      Output(name: "scores", extents: [3], values: [0.9, 0.6, 0.1]),
      Output(name: "count", extents: [1], values: [3]),
    ]
    #expect(Head.guess(outputs) == .ssd)
    let reading = try Head.ssd.read(outputs, framing: plain)
    guard case .objects(let found) = reading else { return }
    #expect(found.map(\.category) == [2, 0])
    #expect(found[0].box == Box(x: 0, y: 0, width: 100, height: 50))
    // The part outside of the picture is cut off.
    #expect(abs(found[1].box.right - 200) < 1e-6)
    let swapped = [outputs[2], outputs[1], outputs[3], outputs[0]]
    #expect(try Head.ssd.read(swapped, framing: plain) == reading)
  }

  @Test func anchorsOfMobileNetAre1917() throws {
    let anchors = try #require(SSDHead.anchors(count: 1917))
    // The first cell of the first map: 19 x 19, a small square and two boxes of 2 : 1.
    #expect(abs(anchors[0].width - 0.1) < 1e-9)
    #expect(abs(anchors[1].width - 0.2 * 2.0.squareRoot()) < 1e-9)
    #expect(abs(anchors[0].x + anchors[0].width / 2 - 0.5 / 19) < 1e-9)
    // The last map has one cell.
    #expect(abs(anchors[1916].width - 0.95.squareRoot()) < 1e-9)
    #expect(SSDHead.anchors(count: 1918) == nil)
    // An anchor without offsets is its own box; logits are told from probabilities.
    var scores = [Float](repeating: -9, count: 1917 * 3)
    scores[1916 * 3 + 2] = 3
    let outputs = [
      Output(name: "b", extents: [1917, 4], values: [Float](repeating: 0, count: 1917 * 4)),
      Output(name: "s", extents: [1917, 3], values: scores),
    ]
    guard case .objects(let found) = try Head.ssd.read(outputs, framing: plain) else { return }
    #expect(found.count == 1)
    #expect(found.first?.category == 1)
    #expect(abs((found.first?.score ?? 0) - 0.9525741) < 1e-5)
  }

  @Test func regionsAreResizedBeforeTheGreatestIsTaken() throws {
    // Left class 0, right class 1, nearly even in the middle.
    let values: [Float] = [1, 0, 0, 1, 1, 0, 0, 1]
    let outputs = [Output(name: "o", extents: [2, 2, 2], values: values)]
    let framing = Framing(picture: (8, 4), input: (2, 2))
    guard
      case .regions(let width, let height, let classes) = try Head.deeplab.read(
        outputs,
        framing: framing
      )
    else { return }
    #expect((width, height) == (8, 4))
    #expect(Array(classes.prefix(8)) == [0, 0, 0, 0, 1, 1, 1, 1])
    let chosen = [Output(name: "o", extents: [2, 2], values: [3, 4, 5, 6])]
    guard case .regions(_, _, let direct) = try Head.deeplab.read(chosen, framing: framing) else {
      return
    }
    #expect(direct[0] == 3 && direct[7] == 4 && direct[31] == 6)
  }

  @Test func pointsAreTold() throws {
    var values = [Float](repeating: 0.5, count: 51)
    values[0] = 0.25
    let outputs = [Output(name: "o", extents: [1, 17, 3], values: values)]
    #expect(Head.guess(outputs) == .movenet)
    guard case .points(let points) = try Head.movenet.read(outputs, framing: plain) else { return }
    #expect(points[0] == KeyPoint(x: 100, y: 25, score: 0.5))
  }

  @Test func otherShapesAreADiagnostic() {
    let outputs = [Output(name: "o", extents: [3, 5], values: [Float](repeating: 0, count: 15))]
    for head in [Head.yolov8, .ssd, .movenet] {
      #expect(throws: Diagnostic.self) { try head.read(outputs, framing: plain) }
    }
    #expect(throws: Diagnostic.self) { try Head.classes.read([], framing: plain) }
  }

  @Test func drawingStaysWithinThePicture() throws {
    let image = Image(width: 30, height: 20, channels: 1, pixels: [UInt8](repeating: 9, count: 600))
    var overlay = Overlay(image, names: ["a very long name"])
    overlay.draw(
      .objects([
        FoundObject(category: 0, score: 0.9, box: Box(x: -50, y: -50, width: 500, height: 500))
      ])
    )
    overlay.draw(.points([KeyPoint](repeating: KeyPoint(x: 1e9, y: .nan, score: 1), count: 17)))
    overlay.draw(.regions(width: 30, height: 20, classes: [UInt8](repeating: 3, count: 600)))
    overlay.draw(.classes([0.1, 0.9]))
    #expect(overlay.image.channels == 3)
    #expect(overlay.image.pixels.contains { $0 != 9 })
  }
}
