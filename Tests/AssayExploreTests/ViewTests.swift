import AssayBase
import AssayData
import AssayRate
import AssayRecord
import AssayTestSupport
import Testing

@testable import AssayExplore

/// What the overview computes, on tables small enough to do by hand and on the published one.
@Suite struct ViewTests {
  private func view(
    _ pairs: [(String, String)],
    _ table: ExplorerTable = smallTable()
  ) throws -> JSON {
    try Explorer.view(of: table, query: pairs.map { (name: $0.0, value: $0.1) })
  }

  private func rows(_ json: JSON?) -> [Int] { json?["row"]?.ints ?? [] }

  @Test func theFrontHasWhatNothingBeats() throws {
    let made = try view([])
    #expect(made["x"] == "energy" && made["y"] == "top1")
    // Least energy first; the desktop's small one is beaten by the board's, a missing accuracy is not
    // drawn.
    #expect(rows(made["front"]) == [0, 1, 4, 2])
    #expect(rows(made["points"]) == [0, 1, 2, 3, 4])
    #expect(made["total"]?.int == 6 && made["shown"]?.int == 6 && made["drawn"]?.int == 5)
  }

  /// The front row by row against its definition, on coarse values with many ties.
  @Test func theFrontIsWhatItsDefinitionSays() throws {
    var random = SeededRNG(seed: 5)
    for _ in 0..<40 {
      var table = ExplorerTable(properties: smallTable().properties)
      var rows: [(Double, Double)] = []
      for row in 0..<Int.random(in: 1...60, using: &random) {
        let point = (
          Double(Int.random(in: 0...9, using: &random)),
          Double(Int.random(in: 0...9, using: &random))
        )
        rows.append(point)
        table.append(
          .init(
            id: "",
            facets: ["m\(row)", "e", "t", "d", "e", "r", "v"],
            values: [point.0, point.1],
            lows: [.nan, .nan],
            highs: [.nan, .nan]
          )
        )
      }
      // Less energy and more accuracy are better; of equal points the first one stands.
      let expected = rows.indices.filter { one in
        !rows.indices.contains { other in
          let isAsGood = rows[other].0 <= rows[one].0 && rows[other].1 >= rows[one].1
          return isAsGood && (rows[other] != rows[one] || other < one)
        }
      }.sorted { (rows[$0].0, $0) < (rows[$1].0, $1) }
      #expect(self.rows(try view([], table)["front"]) == expected)
      let best = (try view([("rows", "7")], table)["rows"]?.array ?? []).compactMap {
        $0["index"]?.double
      }
      #expect(best.count == min(7, rows.count) && best == best.sorted(by: >))
    }
  }

  /// A line on which nothing beats anything: the front's other way of being found.
  @Test func aFrontOfThousands() throws {
    var table = ExplorerTable(properties: smallTable().properties)
    for row in 0..<6000 {
      let value = Double((row * 7919) % 6000 + 1)
      table.append(
        .init(
          id: "",
          facets: ["m", "e", "t", "d", "e", "r", "v"],
          values: [value, value / 10_000],
          lows: [.nan, .nan],
          highs: [.nan, .nan]
        )
      )
    }
    let front = try view([], table)["front"]?["x"]?.array?.compactMap(\.double) ?? []
    #expect(front.count == ViewQuery.pointLimit && front == (1...front.count).map { Double($0) })
  }

  @Test func filtersRangesAndBrushes() throws {
    #expect(rows(try view([("environment", "desktop")])["points"]) == [3, 4])
    #expect(rows(try view([("model", "small"), ("model", "middle")])["points"]) == [0, 1, 3, 4])
    #expect(rows(try view([("range.top1", "0.7~")])["points"]) == [1, 2, 4])
    #expect(try view([("environment", "nowhere")])["shown"]?.int == 0)
    let brushed = try view([("brush.x", "0~2.5"), ("brush.y", "0~1")])
    #expect(brushed["shown"]?.int == 6 && brushed["chosen"]?.int == 2)
    #expect((brushed["grades"]?.ints ?? []).reduce(0, +) == 2)
    let letters = try view([])["grades"]?.ints ?? []
    let best = try view([("grade", "A")])
    #expect(best["shown"]?.int == letters[0])
    #expect(throws: Diagnostic.self) { try view([("x", "nothing")]) }
    #expect(throws: Diagnostic.self) { try view([("range.top1", "high")]) }
  }

  @Test func theBestForADemand() throws {
    func goal(_ bound: String) throws -> JSON? {
      try view([("best", "energy"), ("given", "top1"), ("bound", bound)])["goal"]
    }
    #expect(try goal("0.7")?["row"]?["row"]?.int == 1)
    #expect(try goal("0.71")?["row"]?["row"]?.int == 4)
    #expect(try goal("0.9")?["row"]?.isNull == true)
  }

  @Test func tilesStandWhereGradesDoNotMix() throws {
    let one = try view([("environment", "board")])
    // Indices of energy 1, 1/2 and 1/8: letters of quantiles in a group of three.
    let tiles = one["tiles"]?["x"]?.array ?? []
    #expect(tiles.first?["grade"] == "A" && tiles.first?["value"]?.isNull == true)
    #expect(tiles.count == 3 && tiles[1]["value"]?.double == 1.5 && tiles[2]["value"]?.double == 5)
    #expect(try view([])["tiles"]?["x"]?.isNull == true)
  }

  @Test func correlationsAreThoseOfPairsThatAreThere() throws {
    let values = try view([])["correlation"]?["values"]?.array ?? []
    #expect(values[0].array?[0].double == 1)
    // Five pairs; by hand, from (1, .6) (2, .7) (8, .8) (3, .6) (5, .71).
    let (xs, ys) = ([1.0, 2, 8, 3, 5], [0.6, 0.7, 0.8, 0.6, 0.71])
    let (mx, my) = (xs.reduce(0, +) / 5, ys.reduce(0, +) / 5)
    let st = zip(xs, ys).reduce(0) { $0 + ($1.0 - mx) * ($1.1 - my) }
    let ss = xs.reduce(0) { $0 + ($1 - mx) * ($1 - mx) }
    let tt = ys.reduce(0) { $0 + ($1 - my) * ($1 - my) }
    let expected = st / (ss * tt).squareRoot()
    #expect(abs((values[0].array?[1].double ?? 0) - expected) < 1e-12)
  }

  @Test func manyRowsBecomeCells() throws {
    var table = ExplorerTable(properties: smallTable().properties)
    var random = SeededRNG(seed: 7)
    for row in 0..<5000 {
      let energy = Double(Int.random(in: 1...1_000_000, using: &random)) / 100
      table.append(
        .init(
          id: "",
          facets: ["m\(row % 100)", "e", "t", "d", "e", "r", "v"],
          values: [energy, row % 10 == 0 ? .nan : Double(row % 97) / 97],
          lows: [.nan, .nan],
          highs: [.nan, .nan]
        )
      )
    }
    let made = try view([], table)
    #expect(made["points"] == nil && made["drawn"]?.int == 4500)
    let counts = made["grid"]?["counts"]?.array?.flatMap { $0.ints ?? [] } ?? []
    #expect(counts.count == 96 * 64 && counts.reduce(0, +) == 4500)
    #expect(made["grid"]?["isLogX"] == true && made["grid"]?["isLogY"] == false)
    #expect(made.text().utf8.count < 2_000_000)
  }

  @Test func theGridIsOnePageForAHundredThousandRows() throws {
    let table = ExplorerTable.made(100_000)
    #expect(try view([], table).text().utf8.count < 2_000_000)
  }

  @Test(
    "published energies",
    .enabled(if: TestData.sharedFile("strep/edge_classification.raw.csv") != nil, "no shared data")
  )
  func published() throws {
    let table = try publishedTable("edge_classification")
    #expect(table.count == 155)
    let goal = try view(
      [("best", "approx_USB_power_draw"), ("given", "accuracy_k1"), ("bound", "0.7")],
      table
    )["goal"]
    let e = try #require(table.place(of: "approx_USB_power_draw"))
    let t = try #require(table.place(of: "accuracy_k1"))
    let fitting = (0..<table.count).filter { table.columns[t][$0] >= 0.7 }
    let least = fitting.min { table.columns[e][$0] < table.columns[e][$1] }
    #expect(goal?["row"]?["row"]?.int == least)
    #expect(goal?["candidates"]?.int == fitting.count)
  }

  @Test func recordsAreRatedByAScaleEachByItself() throws {
    func record(_ number: Int, _ variant: String, _ nanoseconds: Int64) -> Record {
      var record = Record(
        id: "S-000\(number)",
        session: "S",
        finishedAt: 0,
        model: Record.Model(
          path: "/home/someone/net-\(variant).tflite",
          sha256: "",
          byteCount: 9000
        ),
        artefact: "tflite",
        variant: variant,
        runtime: "litert",
        version: "1",
        provider: "cpu",
        device: "local",
        threads: 1
      )
      record.samples = (0..<400).map { nanoseconds + Int64($0 % 7) }
      record.rounds = [100, 100, 100, 100]
      record.verdict = .valid
      record.accuracy = .value(0.9)
      record.accuracyCount = 1000
      record.command = ["assay", "bench", "/home/someone/net.tflite"]
      return record
    }
    let records = [record(0, "float32", 2_000_000), record(1, "static_int8", 900_000)]
    var both = ExplorerTable.ofRecords
    both.append(records, among: records)
    let rated = try RatedTable(both, .usual(for: both))
    #expect(rated.settings.scale == "variants")
    #expect(rated.grades.allSatisfy { $0 < RatedTable.unrated })
    #expect((0..<2).allSatisfy { rated.detail($0).chances.contains("%") })
    // Without the other row the grade is the same; its original is still known.
    var one = ExplorerTable.ofRecords
    one.append([records[1]], among: records)
    let alone = try RatedTable(one, .usual(for: one))
    #expect(alone.grades[0] == rated.grades[1] && alone.index[0] == rated.index[1])
    #expect(try ExplorerSettings(json: rated.settings.json) == rated.settings)
    // Published tables have nothing that a scale could take.
    var settings = ExplorerSettings()
    settings.scale = "variants"
    #expect(throws: Diagnostic.self) { try RatedTable(smallTable(), settings) }
    // What leaves the machine tells no folders.
    let text = Explorer.publicJSON(Explorer.withoutFolders(records[0])).text()
    #expect(!text.contains("someone") && text.contains("net-float32.tflite"))
  }

  @Test func settingsAreReadAndWritten() throws {
    var settings = ExplorerSettings()
    settings.method.weights = ["top1": 0.25]
    settings.method.boundaries = Boundaries(["top1": [0.9, 0.8, 0.5, 0.1]])
    settings.method.mode = .median
    #expect(try ExplorerSettings(json: settings.json) == settings)
    #expect(throws: Diagnostic.self) { try ExplorerSettings(json: .object(["method": "guess"])) }
    #expect(throws: Diagnostic.self) {
      try ExplorerSettings(json: .object(["weights": .object(["a": -1])]))
    }
    #expect(throws: Diagnostic.self) { try ExplorerSettings(json: .array([])) }
  }
}

/// A published table of the shared data.
func publishedTable(_ name: String) throws -> ExplorerTable {
  let path = try #require(TestData.sharedFile("strep/\(name).raw.csv"))
  let described = try #require(TestData.sharedFile("strep/\(name).properties.json"))
  let text = try #require(try MappedFile(path: described).view.utf8)
  return ExplorerTable(
    try MeasurementTable(
      CSV.records(ofFile: path),
      properties: PropertyMeta.read(try JSON(parsing: text))
    )
  )
}

extension ExplorerTable {
  /// Rows of 200 models in 12 environments.
  static func made(_ count: Int) -> ExplorerTable {
    var table = ExplorerTable(properties: smallTable().properties)
    var random = SeededRNG(seed: 3)
    for row in 0..<count {
      let energy = Double(Int.random(in: 1...100_000, using: &random)) / 1000
      let part = Double(Int.random(in: 0...1000, using: &random)) / 1000
      table.append(
        Row(
          id: "",
          facets: ["model \(row % 200)", "environment \(row % 12)", "t", "d", "e", "r", "v"],
          values: [energy, part],
          lows: [.nan, .nan],
          highs: [.nan, .nan]
        )
      )
    }
    return table
  }
}
