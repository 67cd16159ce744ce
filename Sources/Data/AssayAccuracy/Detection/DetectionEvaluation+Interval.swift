import AssayBase
import AssayHost
import Synchronization

extension DetectionEvaluation {
  /// The 95 % percentile intervals of both means when pictures are drawn again with replacement.
  public struct Intervals: Sendable, Equatable {
    /// Of mAP50-95.
    public var mean: ClosedRange<Double>
    /// Of mAP50.
    public var at50: ClosedRange<Double>
  }

  /// Draws the pictures `replicates` times and scores each draw; `nil` for fewer than two pictures.
  ///
  /// The same seed gives the same interval on any number of threads.
  public func intervals(replicates: Int = 400, seed: UInt64 = 1, threads: Int = 1) -> Intervals? {
    guard imageCount > 1, objectCount > 0, replicates > 1 else { return nil }
    let slots = Mutex<[Int: (mean: Double, at50: Double)]>([:])
    Host.forEach(below: replicates, threads: threads) { replicate in
      var rng = SeededRNG(seed: seed &+ UInt64(replicate) &* 0x9E37_79B9_7F4A_7C15)
      var weights = [Int32](repeating: 0, count: imageCount)
      for _ in 0..<imageCount { weights[Int.random(in: 0..<imageCount, using: &rng)] += 1 }
      let scores = matches.compactMap { $0.score(.all, weights: weights) }
      guard !scores.isEmpty else { return }
      let count = Double(scores.count)
      let mean = scores.reduce(0) { $0 + $1.precisions.reduce(0, +) / 10 } / count
      let at50 = scores.reduce(0) { $0 + $1.precisions[0] } / count
      slots.withLock { $0[replicate] = (mean, at50) }
    }
    let draws = slots.withLock { Array($0.values) }
    guard draws.count > 1 else { return nil }
    return Intervals(
      mean: percentiles(draws.map(\.mean)),
      at50: percentiles(draws.map(\.at50))
    )
  }
}

/// The middle 95 % of values.
func percentiles(_ values: [Double]) -> ClosedRange<Double> {
  let sorted = values.sorted()
  func at(_ part: Double) -> Double {
    let place = part * Double(sorted.count - 1)
    let low = Int(place)
    let high = min(low + 1, sorted.count - 1)
    return sorted[low] + (sorted[high] - sorted[low]) * (place - Double(low))
  }
  return at(0.025)...at(0.975)
}
