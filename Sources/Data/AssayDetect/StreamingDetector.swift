import AssayBase

/// Scores samples as they come.
///
/// A score is that of the whole series under stored statistics. It comes a fixed number of samples after
/// its own one (`latency`): the network looks ahead, and the average does. What is kept of the past is
/// bounded by what the network looks back at.
public final class StreamingDetector {
  /// The score of one sample.
  public struct Score: Sendable, Equatable {
    /// The sample's number, from 0.
    public var sample: Int
    /// Its score.
    public var score: Double
    /// Whether it tells anything: not at the end of a series that is no whole number of the network's
    /// periods, where there is no reconstruction.
    public var isJudged = true
  }

  /// The most samples that come after a sample before its score is there.
  public let latency: Int
  /// The most samples of which something is kept between two calls of `append`.
  public let capacity: Int

  private let reconstruction: PiecewiseReconstruction
  private let state: DetectorState
  private let distance: Mahalanobis
  /// The last standardized samples of each channel, and the number of the first of them.
  private var samples: [[Float]]
  private var firstSample = 0
  /// The number of the first sample without an error yet.
  private var errorCount = 0
  /// The last errors of each channel; they end before `errorCount`.
  private var errors: [[Double]]
  /// The last squared distances, and the window that the first of them belongs to.
  private var squares: [Double] = []
  private var firstSquare = 0
  private var scoreCount = 0
  private var isFinished = false

  private var network: TemporalNetwork { reconstruction.network }
  private var channelCount: Int { samples.count }
  private var sampleCount: Int { firstSample + samples[0].count }

  /// Samples that are run through the network at once, at most: more of them waste less at the edges.
  private static let largestHop = 8192

  /// Prepares a detector.
  ///
  /// - Throws: `Diagnostic` DTC033 where network and state have different channels.
  public init(_ network: TemporalNetwork, _ state: DetectorState, threads: Int = 1) throws {
    guard network.channelCount == state.channels.count else {
      throw Diagnostic(
        "DTC033",
        "the network takes \(network.channelCount) channels, the detector knows "
          + "\(state.channels.count)"
      )
    }
    reconstruction = PiecewiseReconstruction(network, threads: threads)
    self.state = state
    distance = Mahalanobis(state.errors)
    samples = [[Float]](repeating: [], count: network.channelCount)
    errors = [[Double]](repeating: [], count: network.channelCount)
    latency = network.period - 1 + network.lookahead + state.scoring.squaresAhead
    capacity = network.lookback + network.lookahead + 2 * network.period
  }

  /// Takes samples.
  ///
  /// - Parameter new: the samples of each channel, equally many.
  /// - Returns: the scores that are there now and were not before, in order.
  /// - Throws: `Diagnostic` DTC002 for a sample that is no finite number; what `Evaluator` throws.
  public func append(_ new: [[Double]]) throws -> [Score] {
    precondition(new.count == channelCount && !isFinished, "\(new.count) channels")
    for (channel, values) in new.enumerated() {
      if let bad = values.firstIndex(where: { !$0.isFinite }) {
        throw Diagnostic(
          "DTC002",
          "a sample is missing or no finite number",
          at: ["sample \(sampleCount + bad)", "channel '\(state.channels[channel])'"]
        )
      }
    }
    var scores: [Score] = []
    // A large piece is taken in parts, so that memory stays bounded.
    let count = new[0].count
    for start in stride(from: 0, to: count, by: Self.largestHop) {
      let end = min(start + Self.largestHop, count)
      for channel in 0..<channelCount {
        samples[channel] += state.standardization.applied(
          to: Array(new[channel][start..<end]),
          channel
        )
      }
      let known = sampleCount - network.lookahead
      let reconstructed = known > 0 ? known / network.period * network.period : 0
      if reconstructed > errorCount { try reconstruct(upTo: reconstructed) }
      scores += newScores()
    }
    return scores
  }

  /// Ends the series: the last samples are scored as the network and the average see a series' end.
  ///
  /// - Returns: the scores that were not there before; none for a series shorter than a window.
  public func finish() throws -> [Score] {
    isFinished = true
    let reconstructed = network.outputLength(sampleCount)
    if reconstructed > errorCount { try reconstruct(upTo: reconstructed) }
    let judged = reconstructed == sampleCount ? Int.max : reconstructed
    // What is beyond the last whole period has no reconstruction, which counts as 0.
    for channel in 0..<channelCount {
      for index in errorCount..<sampleCount {
        errors[channel].append(-Double(samples[channel][index - firstSample]))
      }
    }
    errorCount = sampleCount
    return newScores().map { score in
      var score = score
      score.isJudged = score.sample + state.scoring.squaresAhead < judged
      return score
    }
  }

  /// Runs the network for the errors up to `end`, a multiple of the period.
  private func reconstruct(upTo end: Int) throws {
    let period = network.period
    let start = max(0, (errorCount - network.lookback)) / period * period
    // The network must not see an end that the series does not have.
    let last = isFinished ? sampleCount : min(sampleCount, end + network.lookahead)
    let input = samples.map { Array($0[start - firstSample..<last - firstSample]) }
    let output = try reconstruction(input)
    for channel in 0..<channelCount {
      for index in errorCount..<end {
        let error = output[channel][index - start] - samples[channel][index - firstSample]
        errors[channel].append(Double(error))
      }
    }
    errorCount = end
    let kept = max(0, errorCount - network.lookback) / period * period
    for channel in 0..<channelCount { samples[channel].removeFirst(kept - firstSample) }
    firstSample = kept
  }

  private func newScores() -> [Score] {
    let window = state.scoring.window
    squares += distance.squaredDistances(errors)
    for channel in 0..<channelCount {
      errors[channel].removeFirst(max(0, errors[channel].count - window + 1))
    }
    let known = firstSquare + squares.count
    let end = isFinished ? known : known - state.scoring.squaresAhead
    var scores: [Score] = []
    while scoreCount < end {
      let mean = state.scoring.averaged(squares, at: scoreCount - firstSquare)
      scores.append(
        Score(sample: scoreCount + state.scoring.firstSample, score: mean.squareRoot())
      )
      scoreCount += 1
    }
    let kept = max(firstSquare, scoreCount - state.scoring.average)
    squares.removeFirst(min(kept - firstSquare, squares.count))
    firstSquare = kept
    return scores
  }
}
