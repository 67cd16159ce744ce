extension CategoryMatches {
  /// What a class scores: the mean precision at each overlap, and the recall that is reached.
  struct Score: Sendable, Equatable {
    var precisions: [Double]
    var recalls: [Double]
  }

  /// The score of one size with at most `limit` finds a picture; `nil` when there is nothing to find.
  ///
  /// - Parameter weights: how often each picture counts (a bootstrap's draw); `nil` for once each.
  func score(
    _ size: DetectionRules.Size,
    limit: Int = DetectionRules.maximumFinds,
    weights: [Int32]? = nil
  ) -> Score? {
    let total = wanted[size.rawValue].reduce(0) { sum, entry in
      sum + Int(entry.count) * Int(weights?[Int(entry.image)] ?? 1)
    }
    guard total > 0 else { return nil }
    let thresholds = DetectionRules.overlaps.count
    let column = flags[size.rawValue]
    var score = Score(
      precisions: [Double](repeating: 0, count: thresholds),
      recalls: [Double](repeating: 0, count: thresholds)
    )
    // The points of the curve at which recall rises; between them precision only falls.
    var recalls: [Double] = []
    var precisions: [Double] = []
    for threshold in 0..<thresholds {
      let mask = UInt16(1) << UInt16(threshold)
      recalls.removeAll(keepingCapacity: true)
      precisions.removeAll(keepingCapacity: true)
      var (right, wrong) = (0, 0)
      for index in column.indices {
        let flag = column[index]
        if flag.ignored & mask != 0 || Int(ranks[index]) >= limit { continue }
        let weight = weights.map { Int($0[Int(images[index])]) } ?? 1
        if weight == 0 { continue }
        if flag.matched & mask != 0 {
          right += weight
          recalls.append(Double(right) / Double(total))
          precisions.append(Double(right) / Double(right + wrong))
        } else {
          wrong += weight
        }
      }
      score.recalls[threshold] = recalls.last ?? 0
      score.precisions[threshold] = CategoryMatches.meanPrecision(recalls, precisions)
    }
    return score
  }

  /// The mean over the rules' recalls of the highest precision at that recall or a higher one.
  private static func meanPrecision(_ recalls: [Double], _ precisions: [Double]) -> Double {
    let wanted = DetectionRules.recalls
    var sum = 0.0
    var index = recalls.count - 1
    var best = 0.0
    for recall in wanted.reversed() {
      while index >= 0, recalls[index] >= recall {
        best = max(best, precisions[index])
        index -= 1
      }
      sum += best
    }
    return sum / Double(wanted.count)
  }
}
