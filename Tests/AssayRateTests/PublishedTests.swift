import AssayBase
import AssayData
import AssayTestSupport
import Testing

@testable import AssayRate

/// The published tables of the study of USB accelerators, and what the library makes of them.
@Suite(
  .enabled(if: TestData.shared != nil, "set ASSAY_TEST_DATA to the folder of published results")
)
struct PublishedTests {
  /// A table by row and column.
  private struct Golden {
    var rows: [(model: String, environment: String, cells: [String: String])]

    init(_ path: String) throws {
      let records = try CSV.records(ofFile: path)
      let header = records.first?.fields ?? []
      rows = records.dropFirst().map { record in
        let cells = Dictionary(zip(header, record.fields)) { first, _ in first }
        return (cells["model"] ?? "", cells["environment"] ?? "", cells)
      }
    }

    func number(_ cells: [String: String], _ column: String) -> Double? {
      cells[column].flatMap(Double.init)
    }
  }

  private func properties(_ path: String) throws -> [PropertyMeta] {
    try PropertyMeta.read(try JSON(parsing: try #require(try MappedFile(path: path).view.utf8)))
  }

  private func row(_ ratings: Ratings, _ model: String, _ environment: String) throws -> Ratings.Row
  {
    let found = ratings.rows.first { row in
      row.source.model == model && row.source.environment == environment
    }
    return try #require(found)
  }

  @Test(
    arguments: [
      ("classification", RatingMethod.Index.best, ""),
      ("classification", .centered, "MobileNetV2"),
      ("segmentation", .best, ""),
      ("segmentation", .centered, "yolov8n-seg"),
    ]
  )
  func publishedRatingsComeOutToTheLetter(
    _ kind: String,
    _ index: RatingMethod.Index,
    _ reference: String
  ) throws {
    let base = try #require(TestData.shared) + "/strep/edge_\(kind)"
    let table = try MeasurementTable(
      CSV.records(ofFile: base + ".raw.csv"),
      properties: properties(base + ".properties.json")
    )
    let ratings = try RatingMethod(.edgeAcc, index: index, reference: .model(reference)).rate(table)
    let golden = try Golden("\(base).\(index.rawValue).mean.csv")
    #expect(golden.rows.count == ratings.rows.count && !golden.rows.isEmpty)
    for (model, environment, cells) in golden.rows {
      let row = try row(ratings, model, environment)
      for (place, property) in ratings.properties.enumerated() {
        let grade = try #require(row.properties[place])
        let want = try #require(golden.number(cells, "\(property.key).index"))
        #expect(abs(grade.index - want) <= 1e-9 * max(1, want), "\(model) \(property.key)")
        #expect(golden.number(cells, "\(property.key).rating") == Double(grade.letter.rawValue))
      }
      for (name, grade) in [(name: "compound", grade: row.compound)] + row.parts {
        let want = try #require(golden.number(cells, "\(name)_index"))
        #expect(abs(grade.index - want) <= 1e-9, "\(model) \(environment) \(name)")
        #expect(golden.number(cells, "\(name)_rating") == Double(grade.letter.rawValue))
      }
    }
    // The limits are those that were published.
    let text = try #require(
      try MappedFile(path: "\(base).\(index.rawValue).mean.boundaries.json").view.utf8
    )
    let published = try Boundaries(json: JSON(parsing: text))
    for (key, limits) in published.limits {
      let ours: [Double] = try #require(ratings.boundaries.limits[key], "\(key)")
      for (a, b) in zip(limits, ours) {
        let difference: Double = abs(a - b)
        #expect(difference <= 1e-9, "\(key)")
      }
    }
    var given = RatingMethod(.edgeAcc, index: index, reference: .model(reference))
    given.boundaries = published
    #expect(try given.rate(table).rows == ratings.rows)
  }

  @Test func theLibraryOfTodayGivesTheSame() throws {
    let quality = ["accuracy_k1", "accuracy_k3", "accuracy_k5", "accuracy_k10"]
    let masks = ["mAP50_M", "mAP50_95_M", "precision_M", "recall_M"]
    let resources = ["approx_USB_power_draw", "running_time", "total_parameters"]
    let properties =
      (quality + masks).map { PropertyMeta($0, group: "Quality", isMaximized: true) }
      + resources.map { PropertyMeta($0, group: "Resources", isMaximized: false) }
    let path = try #require(TestData.sharedFile("strep/edge_acc.current_library.csv"))
    let table = try MeasurementTable(CSV.records(ofFile: path), properties: properties)
    let ratings = try RatingMethod(.strep).rate(table)
    let golden = try Golden(path)
    var compared = 0
    for (model, environment, cells) in golden.rows {
      let row = try row(ratings, model, environment)
      for (place, property) in properties.enumerated() {
        guard let want = golden.number(cells, "\(property.key)_index") else {
          #expect(row.properties[place] == nil)
          continue
        }
        let grade = try #require(row.properties[place])
        #expect(abs(grade.index - want) <= 1e-9)
        #expect(golden.number(cells, "\(property.key)_rating") == Double(grade.letter.rawValue))
        compared += 1
      }
      for (name, grade) in [(name: "compound", grade: row.compound)] + row.parts {
        let want = try #require(golden.number(cells, "\(name)_index"))
        #expect(abs(grade.index - want) <= 1e-9)
        #expect(golden.number(cells, "\(name)_rating") == Double(grade.letter.rawValue))
      }
    }
    #expect(compared > 1000)
    let fault = #expect(throws: Diagnostic.self) {
      try RatingMethod(.strep, index: .centered).rate(table)
    }
    #expect(fault?.code == "RAT005")
  }
}
