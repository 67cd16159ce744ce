import AssayBase
import AssayData
import AssayTestSupport
import Testing

@testable import AssayDetect

struct ScoringTests {
  private func noise(_ count: Int, channels: Int = 1, seed: UInt64 = 1) -> [[Double]] {
    var rng = SeededRNG(seed: seed)
    return (0..<channels).map { _ in
      var last = 0.0
      return (0..<count).map { _ in
        last = 0.7 * last + Double(rng.normal()) + 0.1
        return last
      }
    }
  }

  /// Mean and covariance of windows as the words say.
  private func plain(_ errors: [[Double]], _ window: Int) -> ([Double], [Double]) {
    let count = errors[0].count - window + 1
    let rows = (0..<count).map { start in
      (0..<window).flatMap { offset in errors.map { $0[start + offset] } }
    }
    let width = rows[0].count
    let mean = (0..<width).map { column in rows.reduce(0) { $0 + $1[column] } / Double(count) }
    var covariance = [Double](repeating: 0, count: width * width)
    for row in rows {
      for a in 0..<width {
        for b in 0..<width {
          covariance[a * width + b] += (row[a] - mean[a]) * (row[b] - mean[b]) / Double(count - 1)
        }
      }
    }
    return (mean, covariance)
  }

  @Test("mean and covariance along diagonals are those of all windows", arguments: [1, 3])
  func statistics(channels: Int) {
    let errors = noise(300, channels: channels)
    let (mean, covariance) = plain(errors, 9)
    let found = ErrorStatistics(errors: errors, window: 9)
    for (a, b) in zip(found.mean, mean) { #expect(abs(a - b) < 1e-12) }
    for (a, b) in zip(found.covariance, covariance) { #expect(abs(a - b) < 1e-11) }
  }

  @Test("sampled statistics are seeded and near those of all windows")
  func sampled() {
    let errors = noise(4000)
    let all = ErrorStatistics(errors: errors, window: 5)
    let drawn = ErrorStatistics(errors: errors, window: 5, sampling: 0.98, seed: 3)
    #expect(drawn == ErrorStatistics(errors: errors, window: 5, sampling: 0.98, seed: 3))
    #expect(drawn != all)
    for (a, b) in zip(drawn.covariance, all.covariance) { #expect(abs(a - b) < 0.2) }
  }

  @Test("distances are those of the inverse covariance, whatever the threads", arguments: [1, 2])
  func distances(channels: Int) throws {
    let errors = noise(200, channels: channels)
    let statistics = ErrorStatistics(errors: errors, window: 6)
    let distance = Mahalanobis(statistics)
    let squares = distance.squaredDistances(errors)
    #expect(squares == distance.squaredDistances(errors, threads: 3))
    #expect(squares.count == 195)
    let width = statistics.dimension
    for start in [0, 7, 194] {
      let window = (0..<6).flatMap { offset in errors.map { $0[start + offset] } }
      let deviation = zip(window, statistics.mean).map { $0 - $1 }
      // C x = d by Gauss-Jordan elimination; the distance is d x.
      var matrix = (0..<width).map { row in
        Array(statistics.covariance[row * width..<(row + 1) * width]) + [deviation[row]]
      }
      for column in 0..<width {
        let pivot = matrix[column][column]
        for index in column...width { matrix[column][index] /= pivot }
        for row in 0..<width where row != column {
          let factor = matrix[row][column]
          for index in column...width { matrix[row][index] -= factor * matrix[column][index] }
        }
      }
      let expected = zip(deviation, matrix).reduce(0) { $0 + $1.0 * $1.1[width] }
      #expect(abs(squares[start] - expected) < 1e-9 * expected)
    }
    // On average a squared distance is the dimension, but for the one less that a covariance counts.
    let mean = squares.reduce(0, +) / 195
    #expect(abs(mean - Double(width) * 194 / 195) < 1e-6)
  }

  @Test("a singular covariance leaves plain squares, and says so")
  func singular() {
    let errors = [[Double]](repeating: noise(100)[0], count: 2)
    let distance = Mahalanobis(ErrorStatistics(errors: errors, window: 4))
    #expect(distance.isSingular)
    #expect(distance.squaredDistances(errors).allSatisfy { $0 >= 0 })
  }

  @Test("the average is centred as a convolution of the same length, zeros beyond the ends")
  func average() {
    var scoring = Scoring()
    let squares = (0..<100).map { Double($0 + 1) }
    // numpy.convolve(a, ones(50) / 50, "same") of 1...100, at 0, 24, 25, 60 and 99.
    for (index, expected) in [(0, 6.5), (24, 24.5), (25, 25.5), (60, 60.5), (99, 45.5)] {
      let value = scoring.averaged(squares, at: index)
      #expect(abs(value - expected) < 1e-12, "\(index): \(value)")
    }
    scoring.average = 1
    #expect(scoring.averaged(squares, at: 7) == 8)
  }

  @Test("thresholds, events and what counts")
  func detection() throws {
    var scoring = Scoring()
    scoring.window = 1
    var isAnomaly = [Bool](repeating: false, count: 3000)
    for index in 1000..<1100 { isAnomaly[index] = true }
    for index in 2000..<2100 { isAnomaly[index] = true }
    var scores = [Double](repeating: 1, count: 3000)
    scores[1050] = 9
    scores[1300] = 8  // within 250 of the first anomaly
    scores[1500] = 3
    scores[2990] = 20  // at the end, which nobody judges by
    scores[2050] = 2
    let labels = ScoreLabels(isAnomaly: isAnomaly, isIgnored: nil, firstSample: 0)
    let strict = try Detection(scores, .zeroFalsePositives, labels: labels, scoring: scoring)
    #expect(strict.threshold == 3)
    #expect(strict.events?.map(\.isDetected) == [true, false])
    #expect(strict.events?.map(\.peak) == [9, 2])
    #expect(strict.falseAlarms == [])
    #expect(strict.byEvent?.recall == 0.5 && strict.byEvent?.precision == 1)
    let loose = try Detection(scores, .value(1.5), labels: labels, scoring: scoring)
    #expect(loose.falseAlarms == [1500..<1501])
    #expect(loose.byEvent?.f1 == 0.8)
    #expect(loose.bySample?.truePositives == 2 && loose.bySample?.falsePositives == 1)
    let part = try Detection(scores, .quantile(0.999), labels: nil, scoring: scoring)
    #expect(part.threshold == 8 && part.events == nil)
    #expect(
      throws: Diagnostic.self,
      performing: { try Detection(scores, .zeroFalsePositives, labels: nil, scoring: scoring) }
    )
  }

  @Test("thresholds are read as they are written")
  func thresholds() throws {
    for text in ["zero-fp", "quantile:0.99", "12.5"] {
      #expect(try Threshold(parsing: text).text == text)
    }
    for text in ["quantile:2", "-1", "nan", "zero"] {
      #expect(throws: Diagnostic.self) { try Threshold(parsing: text) }
    }
  }
}
