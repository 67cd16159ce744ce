import AssayBase
import AssayTestSupport
import Testing

@testable import AssayAccuracy

/// Numbers of pycocotools 2.0.11 on seeded scenes (Tests/Goldens/make_accuracy_goldens.py).
@Suite struct DetectionEvaluationTests {
  private func fixture() throws -> JSON {
    try JSON(parsing: MappedFile(path: TestData.fixture("accuracy/detection.json")).view.array)
  }

  private func figures(_ summary: DetectionEvaluation.Summary) -> [Double] {
    ([summary.mean, summary.at50, summary.at75] + summary.bySize + summary.recalls
      + summary.recallBySize).map { $0 ?? -1 }
  }

  @Test(arguments: [DetectionRules.Kind.box, .mask])
  func figuresArePycocotools(_ kind: DetectionRules.Kind) throws {
    let golden = try fixture()
    let truth = try COCOTruth(json: try #require(golden["truth"]))
    let results = try #require(golden[kind == .box ? "boxes" : "segments"])
    let expected = try #require(golden[kind == .box ? "bbox" : "segm"]?.array).map {
      $0.double ?? 0
    }
    let (images, hasMasks) = try truth.images(results: results)
    #expect(hasMasks == (kind == .mask))
    let evaluation = DetectionEvaluation(
      images,
      kind: kind,
      categoryCount: truth.categories.count,
      threads: 2
    )
    let found = figures(evaluation.summary)
    #expect(found.count == expected.count)
    for (index, value) in found.enumerated() {
      #expect(abs(value - expected[index]) < 1e-9, "figure \(index)")
    }
    let intervals = try #require(evaluation.intervals(replicates: 200, threads: 2))
    #expect(intervals == evaluation.intervals(replicates: 200, threads: 1))
    #expect(intervals.mean.contains(try #require(evaluation.summary.mean)))
    #expect(intervals.at50.upperBound - intervals.at50.lowerBound > 0.05)
  }

  /// A run of the same pictures three times scores the same, and its interval is narrower.
  @Test func weightsCountPictures() throws {
    let golden = try fixture()
    let truth = try COCOTruth(json: try #require(golden["truth"]))
    let (images, _) = try truth.images(results: try #require(golden["boxes"]))
    let once = DetectionEvaluation(images, kind: .box, categoryCount: 4)
    for match in once.matches {
      let weights = [Int32](repeating: 3, count: images.count)
      let (a, b) = (match.score(.all), match.score(.all, weights: weights))
      #expect((a == nil) == (b == nil))
      for (x, y) in zip(a?.precisions ?? [], b?.precisions ?? []) { #expect(abs(x - y) < 0.03) }
      #expect(a?.recalls == b?.recalls)
    }
  }

  @Test func perfectFindsScoreOne() throws {
    let golden = try fixture()
    let truth = try COCOTruth(json: try #require(golden["truth"]))
    let images = truth.pictures.map { picture -> DetectedImage in
      // What has no pixels cannot be found.
      let visible = picture.objects.filter { $0.box.area > 0 && $0.area > 0 }
      return DetectedImage(
        truths: visible,
        found: visible.filter { !$0.isCrowd }.map {
          FoundObject(category: $0.category, score: 0.9, box: $0.box, mask: $0.mask)
        }
      )
    }
    for kind in DetectionRules.Kind.allCases {
      let evaluation = DetectionEvaluation(images, kind: kind, categoryCount: 4)
      #expect(abs((evaluation.summary.mean ?? 0) - 1) < 1e-12)
      let point = try #require(evaluation.workingPoint)
      #expect(point.precision == 1 && point.recall == 1 && point.score <= 0.9)
    }
  }

  @Test func nothingFoundScoresZero() {
    let truth = TruthObject(category: 0, box: Box(x: 1, y: 1, width: 50, height: 50))
    let evaluation = DetectionEvaluation(
      [DetectedImage(truths: [truth])],
      kind: .box,
      categoryCount: 1
    )
    #expect(evaluation.summary.mean == 0)
    #expect(evaluation.summary.bySize == [nil, 0, nil])
    #expect(evaluation.intervals() == nil)
    #expect(DetectionEvaluation([], kind: .box, categoryCount: 3).summary.mean == nil)
  }
}
