import AssayBase
import Testing

@testable import AssayRate

/// The methods on tables small enough to rate by hand.
@Suite struct MethodTests {
  private let speed = PropertyMeta("time", group: "Resources", weight: 0.5, isMaximized: false)
  private let accuracy = PropertyMeta("top1", group: "Performance", weight: 0.5, isMaximized: true)

  private func table(_ rows: [(String, String, Double?, Double?)]) -> MeasurementTable {
    MeasurementTable(
      properties: [speed, accuracy],
      rows: rows.map {
        .init(model: $0.0, environment: $0.1, task: "t", dataset: "d", values: [$0.2, $0.3])
      }
    )
  }

  private func fault(_ body: () throws -> Void) -> String? {
    do {
      try body()
      return nil
    } catch {
      return (error as? Diagnostic)?.code ?? "\(error)"
    }
  }

  @Test func theBestHasNoAWhereItIsTheLimit() throws {
    // Five models of one index: the limit of A is 1, and nothing lies above.
    let same = table((1...5).map { ("m\($0)", "e", 2, 0.5) })
    #expect(try RatingMethod(.edgeAcc).rate(same).rows.allSatisfy { $0.compound.letter == .e })
    #expect(try RatingMethod(.strep).rate(same).rows.allSatisfy { $0.compound.letter == .a })
  }

  @Test func meansMediansBestAndWorst() throws {
    let rows = table([("a", "e", 1, 0.4), ("b", "e", 2, 0.8)])
    func compound(
      _ mode: RatingMethod.Mode,
      _ kind: RatingMethod.Kind = .edgeAcc
    ) throws -> [Double] {
      try RatingMethod(kind, mode: mode).rate(rows).rows.map(\.compound.index)
    }
    #expect(try compound(.mean) == [0.75, 0.75])
    #expect(try compound(.best) == [1, 1])
    #expect(try compound(.worst) == [0.5, 0.5])
    // Two values of half the weight each: their mean.
    #expect(try compound(.median) == [0.75, 0.75])
    #expect(try compound(.worst, .strep) == [0.5, 0.5])
    // The value before the one that takes the sum over one half.
    #expect(publishedMedian([0.9, 0.5, 0.1], [0.2, 0.6, 0.2]) == 0.9)
    #expect(publishedMedian([0.9, 0.5, 0.1], [0.6, 0.2, 0.2]) == 0.9)
    #expect(publishedMedian([0.9, 0.5, 0.1], [0.25, 0.25, 0.5]) == 0.3)
  }

  @Test func referencesAreGivenOrFound() throws {
    let rows = table([
      ("a", "e1", 1, 0.4), ("b", "e1", 2, 0.5), ("c", "e1", 4, 0.6),
      ("a", "e2", 9, 0.4), ("b", "e2", 2, 0.5), ("c", "e2", 1, 0.6),
    ])
    let given = try RatingMethod(.edgeAcc, index: .centered, reference: .model("c")).rate(rows)
    #expect(given.rows[0].properties[0]?.index == 4)
    // The middle of the first environment is the reference in all.
    let found = try RatingMethod(.edgeAcc, index: .centered, reference: .optimal).rate(rows)
    let name = try #require(found.references["d"])
    for row in found.rows where row.source.model == name {
      #expect(row.properties.allSatisfy { $0?.index == 1 })
    }
    #expect(
      fault {
        _ = try RatingMethod(.edgeAcc, index: .centered, reference: .model("z")).rate(rows)
      } == "RAT007"
    )
  }

  @Test func valuesThatAreMissingInfiniteOrNegative() throws {
    let rows = table([("a", "e", 1, nil), ("b", "e", .infinity, 0.5), ("c", "e", -3, 1)])
    let ratings = try RatingMethod(.edgeAcc).rate(rows)
    // Missing beside others counts as nothing; infinite time is no speed at all.
    #expect(ratings.rows[0].properties[1]?.index == 0)
    #expect(ratings.rows[1].properties[0]?.index == 0)
    // Times are moved so that the least is one.
    #expect(ratings.rows[2].properties[0]?.index == 1)
    #expect(ratings.rows[0].properties[0]?.index == 0.2)
    #expect(fault { _ = try RatingMethod(.strep).rate(rows) } == "RAT006")
    let zero = table([("a", "e", 0, 0), ("b", "e", 1, 0)])
    for kind in RatingMethod.Kind.allCases {
      for row in try RatingMethod(kind).rate(zero).rows {
        #expect(row.compound.index.isFinite && (0...1).contains(row.compound.index))
      }
    }
  }

  @Test func tablesAreRead() throws {
    func read(_ lines: [[String]]) throws -> MeasurementTable {
      try MeasurementTable(
        lines.enumerated().map { (line: $0.offset + 1, fields: $0.element) },
        properties: [speed, accuracy]
      )
    }
    // Repetitions become their mean.
    let twice = try read([
      ["model", "environment", "time"], ["m", "e", "1"], ["m", "e", "3"], ["n", "e", ""],
    ])
    #expect(twice.rows.map(\.values) == [[2], [nil]])
    #expect(twice.rows[0].dataset == "unknown")
    #expect(fault { _ = try read([]) } == "RAT002")
    #expect(fault { _ = try read([["name", "time"]]) } == "RAT002")
    #expect(fault { _ = try read([["model", "size"]]) } == "RAT002")
    #expect(fault { _ = try read([["model", "time"], ["m"]]) } == "RAT002")
    #expect(fault { _ = try read([["model", "time"], ["m", "fast"]]) } == "RAT003")
    #expect(fault { _ = try RatingMethod(.strep).rate(try read([["model", "time"]])) } == "RAT002")
  }

  @Test func propertiesWeightsAndBoundariesAreRead() throws {
    let json = try JSON(parsing: #"{"time": {"group": "Resources", "weight": 0.5}}"#)
    #expect(try PropertyMeta.read(json)[0].isMaximized == false)
    for text in ["{}", "[]", #"{"a": 1}"#, #"{"a": {"weight": -1}}"#, #"{"a": {"weight": "x"}}"#] {
      #expect(fault { _ = try PropertyMeta.read(try JSON(parsing: text)) } == "RAT001", "\(text)")
    }
    let limits = Boundaries(["time": [0.9, 0.8, 0.7, 0.6]])
    #expect(try Boundaries(json: limits.json) == limits)
    for text in ["[]", #"{"a": [1, 2]}"#, #"{"a": [0.1, 0.2, 0.3, 0.4]}"#, #"{"a": "x"}"#] {
      #expect(fault { _ = try Boundaries(json: try JSON(parsing: text)) } == "RAT004", "\(text)")
    }
    let rows = table([("a", "e", 1, 0.4), ("b", "e", 2, 0.8)])
    let weighted = try RatingMethod(.edgeAcc, weights: ["time": 1.5]).rate(rows)
    #expect(weighted.rows[0].compound.index == 0.875)
    #expect(fault { _ = try RatingMethod(.edgeAcc, weights: ["size": 1]).rate(rows) } == "RAT002")
  }
}
