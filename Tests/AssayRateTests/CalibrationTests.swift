import AssayBase
import Testing

@testable import AssayRate

/// Whether grades come true as often as their probabilities say, on seeded simulations.
@Suite struct CalibrationTests {
  /// Predictions with what happened, in ten bins of probability.
  private struct Bins {
    var predicted = [Double](repeating: 0, count: 10)
    var happened = [Double](repeating: 0, count: 10)
    var counts = [Double](repeating: 0, count: 10)

    mutating func add(_ grade: Grade, _ truth: Letter) {
      for (letter, probability) in zip(Letter.allCases, grade.probabilities ?? []) {
        let bin = min(Int(probability * 10), 9)
        predicted[bin] += probability
        happened[bin] += letter == truth ? 1 : 0
        counts[bin] += 1
      }
    }

    /// The greatest distance of what happened from what was said, in standard errors, over the bins.
    var worst: Double {
      zip(zip(predicted, happened), counts).map { pair, count in
        guard count > 50 else { return 0 }
        let p = pair.0 / count
        let error = (max(p * (1 - p), 1e-4) / count).squareRoot()
        return abs(pair.1 / count - p) / error
      }.max() ?? 0
    }
  }

  private let scale: Scale = {
    guard let scale = Scale.builtIn.first else { preconditionFailure("no scale is built in") }
    return scale
  }()

  private func truth(_ values: [String: Double], _ key: String?) -> Letter? {
    let exact = scale.rate(
      Subject(id: "", model: "", values: values.mapValues { Measured($0, .exact) })
    )
    return key.map { exact[$0]?.grade?.letter } ?? exact.compound?.letter
  }

  @Test func latencyByRounds() {
    var rng = SeededRNG(seed: 5)
    var bins = Bins()
    for _ in 0..<4000 {
      let true2 = Double(rng.uniform(-9, -2))
      let spread = Double(rng.uniform(0.02, 0.5))
      let rounds = (0..<5).map { _ in true2 + spread * Double(rng.normal()) }
      let mean = rounds.reduce(0, +) / 5
      let variance = rounds.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / 4
      let error = (variance / 5).squareRoot() * logarithm(2)
      let measured = Measured(power2(mean), .relative(standardError: error, freedom: 4))
      let rating = scale.rate(Subject(id: "", model: "", values: ["latency": measured]))
      if let grade = rating["latency"]?.grade,
        let truth = truth(["latency": power2(true2)], "latency")
      {
        bins.add(grade, truth)
      }
    }
    #expect(bins.counts.reduce(0, +) == 20_000)
    #expect(bins.worst < 4)
  }

  @Test func accuracyByCounts() {
    var rng = SeededRNG(seed: 6)
    var bins = Bins()
    for _ in 0..<1500 {
      // The prior that the method has: the square of a sine of a uniform angle.
      let x = Double(rng.normal())
      let y = Double(rng.normal())
      let accuracy = x * x / (x * x + y * y)
      let rights = (0..<60).count { _ in Double(rng.uniform()) < accuracy }
      let measured = Measured(Double(rights) / 60, .counted(60))
      let rating = scale.rate(Subject(id: "", model: "", values: ["accuracy": measured]))
      if let grade = rating["accuracy"]?.grade,
        let truth = truth(["accuracy": accuracy], "accuracy")
      {
        bins.add(grade, truth)
      }
    }
    #expect(bins.worst < 4)
  }

  @Test func compoundsOfBoth() {
    var rng = SeededRNG(seed: 7)
    var bins = Bins()
    for _ in 0..<1500 {
      let latency = Double(rng.uniform(-9, -2))
      let accuracy = Double(rng.uniform(0.55, 0.92))
      let size = Double(rng.uniform(1e6, 3e8))
      let error = Double(rng.uniform(0.05, 0.6))
      let rights = (0..<400).count { _ in Double(rng.uniform()) < accuracy }
      let rating = scale.rate(
        Subject(
          id: "",
          model: "",
          values: [
            "latency": Measured(
              power2(latency + error * Double(rng.normal())),
              .relative(standardError: error * logarithm(2), freedom: .infinity)
            ),
            "accuracy": Measured(Double(rights) / 400, .counted(400)),
            "size": Measured(size, .exact),
          ]
        )
      )
      let values = ["latency": power2(latency), "accuracy": accuracy, "size": size]
      if let grade = rating.compound, let truth = truth(values, nil) { bins.add(grade, truth) }
    }
    // Moments stand in for the distribution of counts, and the truth was not drawn from the prior.
    #expect(bins.worst < 6)
  }
}
