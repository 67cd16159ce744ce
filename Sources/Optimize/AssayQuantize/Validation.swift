import AssayBase
import AssayEvaluator
import AssayGraph
import AssayTensor

#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#else
import Darwin
#endif

/// What a variant's loss is told by.
public enum Criterion: String, Sendable {
  /// The part of labelled samples that are classified rightly, less than before.
  case accuracy
  /// The part of samples whose greatest score is at another place than before.
  case agreement
  /// Noise power over signal power, averaged over the outputs: 1 % is a signal-to-noise ratio of 20 dB.
  case noise

  /// The criterion in words, for reports.
  public var text: String {
    switch self {
    case .accuracy: "drop of top-1 accuracy on labelled data"
    case .agreement: "part of the samples whose top-1 class changes (there are no labels)"
    case .noise: "noise power over signal power at the outputs (there are no labels; 1 % is 20 dB)"
    }
  }
}

/// How a variant compares with the network that it was made of.
public struct Quality: Sendable, Equatable {
  /// What the bound is on, by the criterion; 0 is the network itself.
  public var drop: Double
  /// Noise power over signal power, averaged over the outputs.
  public var noise: Double
  /// The part of labelled samples that are classified rightly; `nil` without labels.
  public var accuracy: Double?

  /// The signal-to-noise ratio at the outputs in dB; infinite when they are equal.
  public var snrDb: Double { noise > 0 ? -10 * log10(noise) : .infinity }
}

/// Samples with what the network gives for them.
public struct Validation {
  /// A sample and its class, where it is known.
  public struct Sample: Sendable {
    /// The tensors of the inputs, by name.
    public var inputs: [String: Tensor]
    /// The class, by index in the first output.
    public var label: Int?

    /// A sample.
    public init(inputs: [String: Tensor], label: Int? = nil) {
      self.inputs = inputs
      self.label = label
    }
  }

  /// The samples.
  public let samples: [Sample]
  /// What the loss is told by.
  public let criterion: Criterion
  /// The network's own accuracy; `nil` without labels.
  public let accuracy: Double?
  private let expected: [[[Float]]]
  private let threads: Int

  /// Runs the network on the samples.
  ///
  /// - Parameters:
  ///   - graph: the network in floats.
  ///   - isClassifier: whether the first output's greatest number is the answer; decides what is
  ///     compared when there are no labels.
  /// - Throws: `Diagnostic` QNT030 when there are no samples or only some have labels; what `Evaluator`
  ///   throws.
  public init(_ graph: Graph, samples: [Sample], isClassifier: Bool, threads: Int = 1) throws {
    guard !samples.isEmpty else {
      throw Diagnostic(
        "QNT030",
        "there are no samples to judge by",
        remedy: "give --representative"
      )
    }
    let labelled = samples.count { $0.label != nil }
    guard labelled == 0 || labelled == samples.count else {
      throw Diagnostic(
        "QNT030",
        "\(samples.count - labelled) of \(samples.count) samples have no label"
      )
    }
    self.samples = samples
    self.threads = threads
    criterion = labelled > 0 ? .accuracy : isClassifier ? .agreement : .noise
    let evaluator = try Evaluator(graph, threads: threads)
    expected = try samples.map { try evaluator.run($0.inputs).map { $0.tensor.floats() } }
    accuracy = labelled > 0 ? Self.accuracy(expected.map { $0.first ?? [] }, samples) : nil
  }

  private init(_ other: Validation, count: Int) {
    let step = max(Double(other.samples.count) / Double(max(count, 1)), 1)
    let chosen = (0..<min(count, other.samples.count)).map { Int(Double($0) * step) }
    samples = chosen.map { other.samples[$0] }
    expected = chosen.map { other.expected[$0] }
    criterion = other.criterion
    threads = other.threads
    accuracy =
      other.accuracy == nil ? nil : Self.accuracy(expected.map { $0.first ?? [] }, samples)
  }

  /// At most `count` of the samples, spread evenly.
  public func thinned(to count: Int) -> Validation { Validation(self, count: count) }

  private static func accuracy(_ scores: [[Float]], _ samples: [Sample]) -> Double {
    let right = zip(scores, samples).count { top($0) == $1.label }
    return Double(right) / Double(max(samples.count, 1))
  }

  private static func top(_ scores: [Float]) -> Int? {
    scores.indices.max { scores[$0] < scores[$1] || scores[$0] == scores[$1] && $0 > $1 }
  }

  /// Compares a variant with the network.
  ///
  /// - Throws: what `Evaluator` throws.
  public func judge(_ variant: Graph) throws -> Quality {
    let evaluator = try Evaluator(variant, threads: threads)
    let outputCount = expected.first?.count ?? 0
    var signal = [Double](repeating: 0, count: outputCount)
    var error = [Double](repeating: 0, count: outputCount)
    var firsts: [[Float]] = []
    for (sample, expected) in zip(samples, expected) {
      let got = try evaluator.run(sample.inputs).map { $0.tensor.floats() }
      firsts.append(got.first ?? [])
      for (place, (got, want)) in zip(got, expected).enumerated() {
        for (a, b) in zip(got, want) {
          signal[place] += Double(b) * Double(b)
          error[place] += (Double(a) - Double(b)) * (Double(a) - Double(b))
        }
      }
    }
    let ratios = zip(signal, error).map { $1 == 0 ? 0 : $1.isFinite ? $1 / max($0, 1e-30) : 1e30 }
    let noise = ratios.reduce(0, +) / Double(max(outputCount, 1))
    switch criterion {
    case .accuracy:
      let own = Self.accuracy(firsts, samples)
      return Quality(drop: (accuracy ?? own) - own, noise: noise, accuracy: own)
    case .agreement:
      let changed = zip(firsts, expected).count { Self.top($0) != Self.top($1.first ?? []) }
      return Quality(drop: Double(changed) / Double(samples.count), noise: noise)
    case .noise: return Quality(drop: noise, noise: noise)
    }
  }

  /// The signal-to-noise ratio of each sample in dB, averaged over the outputs.
  ///
  /// A network answers some samples firmly and is torn over others, whose noise would fill a sum; so each
  /// counts alike. Ratios are held between -20 and 80 dB.
  ///
  /// - Throws: what `Evaluator` throws.
  func decibels(_ variant: Graph) throws -> [Double] {
    let evaluator = try Evaluator(variant, threads: threads)
    return try zip(samples, expected).map { sample, expected in
      let got = try evaluator.run(sample.inputs).map { $0.tensor.floats() }
      let ratios = zip(got, expected).map { got, want in
        var (signal, error) = (0.0, 0.0)
        for (a, b) in zip(got, want) {
          signal += Double(b) * Double(b)
          error += (Double(a) - Double(b)) * (Double(a) - Double(b))
        }
        guard error > 0 else { return 80.0 }
        return error.isFinite ? min(max(10 * log10(signal / error), -20), 80) : -20
      }
      return ratios.reduce(0, +) / Double(max(ratios.count, 1))
    }
  }
}
