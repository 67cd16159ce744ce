extension DetectionEvaluation {
  /// Precision and recall at the score above which finds are best kept.
  public struct WorkingPoint: Sendable, Equatable {
    /// The score above which finds are kept: where the classes' mean F1 is highest.
    public var score: Double
    /// The mean over classes of the right part of what is kept.
    public var precision: Double
    /// The mean over classes of the part of the objects that is found.
    public var recall: Double
    /// The mean over classes of the harmonic mean of both.
    public var f1: Double
  }

  /// The working point at overlap 0.5; `nil` when there is nothing to find.
  ///
  /// Scores are tried in thousandths. A class of which nothing is kept counts as precision 0, so that a
  /// detector cannot gain by keeping silent.
  public var workingPoint: WorkingPoint? {
    let steps = 1000
    var sums = [(precision: Double, recall: Double, f1: Double)](
      repeating: (0, 0, 0),
      count: steps + 1
    )
    var classes = 0
    for match in matches {
      let total = match.wanted[0].reduce(0) { $0 + Int($1.count) }
      guard total > 0 else { continue }
      classes += 1
      var (right, kept, index) = (0, 0, 0)
      for step in stride(from: steps, through: 0, by: -1) {
        let threshold = Double(step) / Double(steps)
        while index < match.scores.count, match.scores[index] >= threshold {
          let flag = match.flags[0][index]
          if flag.ignored & 1 == 0 {
            kept += 1
            if flag.matched & 1 != 0 { right += 1 }
          }
          index += 1
        }
        let precision = kept > 0 ? Double(right) / Double(kept) : 0
        let recall = Double(right) / Double(total)
        sums[step].precision += precision
        sums[step].recall += recall
        let both = precision + recall
        sums[step].f1 += both > 0 ? 2 * precision * recall / both : 0
      }
    }
    guard classes > 0 else { return nil }
    var best = 0
    for step in 1...steps where sums[step].f1 > sums[best].f1 { best = step }
    let count = Double(classes)
    return WorkingPoint(
      score: Double(best) / Double(steps),
      precision: sums[best].precision / count,
      recall: sums[best].recall / count,
      f1: sums[best].f1 / count
    )
  }
}
