/// Whether latencies have settled, and from which sample on, by change points.
///
/// The last stretch without a change is the steady state, with all stretches right before it whose
/// median is the same within a tolerance (as Barrett et al. 2017 classify warm-ups of virtual
/// machines). Nothing is assumed about how long a warm-up takes.
public struct SteadyState: Sendable, Equatable {
  /// How the series came to its end.
  public enum Course: String, Sendable {
    /// Steady from the first sample on.
    case flat
    /// Slower at first.
    case warmedUp
    /// Faster at first.
    case slowedDown
    /// Still changing in the later half.
    case unsteady
  }

  /// How the series came to its end.
  public var course: Course
  /// The index of the first sample of the steady state; for an unsteady series that of the last level.
  public var onset: Int
  /// The median of the steady state.
  public var level: Double

  /// Analyzes latencies in order of measurement.
  ///
  /// - Parameters:
  ///   - latencies: at least one.
  ///   - tolerance: medians that differ by less are one level, as a part of the smaller.
  ///   - steadyPart: how much of the series the steady state must cover.
  public init?(_ latencies: [Int64], tolerance: Double = 0.02, steadyPart: Double = 0.5) {
    guard !latencies.isEmpty else { return nil }
    // Medians of batches: a few hundred numbers say as much as a million and depend less on each other.
    let batch = max(1, (latencies.count + SteadyState.batches - 1) / SteadyState.batches)
    let starts = Array(stride(from: 0, to: latencies.count, by: batch))
    let values = starts.map { start in
      ChangePoints.median(latencies[start..<min(start + batch, latencies.count)].map { Double($0) })
    }
    let segments = ChangePoints(minimumChange: tolerance).segments(of: values)
    guard let last = segments.last else { return nil }
    level = last.median
    var first = segments.count - 1
    while first > 0,
      abs(segments[first - 1].median - level) <= tolerance * min(segments[first - 1].median, level)
    {
      first -= 1
    }
    onset = starts[segments[first].range.lowerBound]
    let isLateEnough = Double(latencies.count - onset) >= steadyPart * Double(latencies.count)
    if onset == 0 {
      course = .flat
    } else if !isLateEnough {
      course = .unsteady
    } else {
      course = segments[first - 1].median > level ? .warmedUp : .slowedDown
    }
  }

  /// How many batches a series is cut into at most.
  private static let batches = 400

  /// Whether the later part of the series is one level.
  public var isSteady: Bool { course != .unsteady }
}
