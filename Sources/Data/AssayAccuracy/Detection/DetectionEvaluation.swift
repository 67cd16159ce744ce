import AssayBase
import AssayHost
import Synchronization

/// A detector's finds on a set of pictures, judged by COCO's rules.
public struct DetectionEvaluation: Sendable {
  /// The figures that COCO's summary has; `nil` where there is no object of that size.
  public struct Summary: Sendable, Equatable {
    /// Mean precision over the overlaps 0.5 to 0.95 (mAP50-95).
    public var mean: Double?
    /// At overlap 0.5 (mAP50).
    public var at50: Double?
    /// At overlap 0.75.
    public var at75: Double?
    /// Of small, medium and large objects.
    public var bySize: [Double?]
    /// Mean recall with at most 1, 10 and 100 finds a picture.
    public var recalls: [Double?]
    /// Mean recall of small, medium and large objects.
    public var recallBySize: [Double?]
  }

  /// What is compared.
  public let kind: DetectionRules.Kind
  /// How many pictures were judged.
  public let imageCount: Int
  /// How many classes there are.
  public let categoryCount: Int
  /// How many objects must be found.
  public let objectCount: Int
  let matches: [CategoryMatches]

  /// Matches finds to objects.
  ///
  /// - Parameters:
  ///   - images: in the order that decides between equal scores: COCO's is that of the images' ids.
  ///   - categoryCount: classes; finds of others are left out.
  ///   - threads: classes that are matched at once.
  public init(
    _ images: [DetectedImage],
    kind: DetectionRules.Kind,
    categoryCount: Int,
    threads: Int = 1
  ) {
    self.kind = kind
    imageCount = images.count
    self.categoryCount = categoryCount
    var members = [[(image: Int, truths: [Int], found: [Int])]](repeating: [], count: categoryCount)
    func place(_ image: Int, _ category: Int) -> Int? {
      guard members.indices.contains(category) else { return nil }
      if members[category].last?.image != image { members[category].append((image, [], [])) }
      return members[category].count - 1
    }
    for (index, image) in images.enumerated() {
      for (number, truth) in image.truths.enumerated() {
        guard let last = place(index, truth.category) else { continue }
        members[truth.category][last].truths.append(number)
      }
      for (number, find) in image.found.enumerated() {
        guard let last = place(index, find.category) else { continue }
        members[find.category][last].found.append(number)
      }
    }
    let slots = Mutex<[Int: CategoryMatches]>([:])
    let all = members
    Host.forEach(below: categoryCount, threads: threads) { category in
      let result = CategoryMatches(all[category], of: images, kind: kind)
      slots.withLock { $0[category] = result }
    }
    let done = slots.withLock { $0 }
    matches = (0..<categoryCount).compactMap { done[$0] }
    objectCount = matches.reduce(0) { sum, match in
      sum + match.wanted[0].reduce(0) { $0 + Int($1.count) }
    }
  }

  /// COCO's summary.
  public var summary: Summary {
    let all = scores(.all)
    let bySize = [DetectionRules.Size.small, .medium, .large].map { scores($0) }
    func average(
      _ scores: [CategoryMatches.Score],
      _ part: (CategoryMatches.Score) -> [Double]
    )
      -> Double?
    {
      let values = scores.flatMap(part)
      return values.isEmpty ? nil : values.reduce(0, +) / Double(values.count)
    }
    return Summary(
      mean: average(all) { $0.precisions },
      at50: average(all) { [$0.precisions[0]] },
      at75: average(all) { [$0.precisions[5]] },
      bySize: bySize.map { average($0) { $0.precisions } },
      recalls: [1, 10, DetectionRules.maximumFinds].map { limit in
        average(scores(.all, limit: limit)) { $0.recalls }
      },
      recallBySize: bySize.map { average($0) { $0.recalls } }
    )
  }

  /// Mean precision of each class over the overlaps and at 0.5; `nil` where there is nothing to find.
  public var byCategory: [(mean: Double, at50: Double)?] {
    matches.map { match in
      match.score(.all).map { score in
        let mean = score.precisions.reduce(0, +) / Double(score.precisions.count)
        return (mean, score.precisions[0])
      }
    }
  }

  private func scores(
    _ size: DetectionRules.Size,
    limit: Int = DetectionRules.maximumFinds
  ) -> [CategoryMatches.Score] {
    matches.compactMap { $0.score(size, limit: limit) }
  }
}
