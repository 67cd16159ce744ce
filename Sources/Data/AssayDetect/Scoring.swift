import AssayBase

#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#else
import Darwin
#endif

/// How reconstruction errors become a score: Mahalanobis distances of windows, averaged over
/// neighbouring windows, as their square root (Thill, Konen, Wang and Bäck, 2021).
public struct Scoring: Sendable, Equatable {
  /// Samples in a window of errors.
  public var window = 128
  /// Windows that a score is averaged over.
  public var average = 50

  /// The published figures.
  public init() {}

  /// The sample that score 0 belongs to: the last one of the first window.
  public var firstSample: Int { window - 1 }

  /// The number of scores of a series of `count` samples.
  public func scoreCount(_ count: Int) -> Int { max(0, count - window + 1) }

  /// Errors that the reconstruction of a series makes: the reconstruction less the series, where a
  /// reconstruction that is shorter counts as 0 at the end.
  public static func errors(_ series: [Float], reconstruction: [Float]) -> [Double] {
    series.indices.map { index in
      Double((index < reconstruction.count ? reconstruction[index] : 0) - series[index])
    }
  }

  /// The mean of the logarithm of the hyperbolic cosine, the loss that the network is trained with.
  public static func meanLogCosh(_ errors: some Collection<Double>) -> Double {
    let sum = errors.reduce(0) { $0 + abs($1) + log1p(exp(-2 * abs($1))) - log(2) }
    return errors.isEmpty ? 0 : sum / Double(errors.count)
  }

  /// The scores of all windows: score `i` belongs to sample `i + firstSample`.
  ///
  /// - Parameters:
  ///   - errors: the errors of each channel.
  ///   - distance: made for this window.
  ///   - threads: workers.
  public func scores(_ errors: [[Double]], _ distance: Mahalanobis, threads: Int = 1) -> [Double] {
    let squares = distance.squaredDistances(errors, threads: threads)
    return squares.indices.map { averaged(squares, at: $0).squareRoot() }
  }

  /// The mean of the squares around one; those beyond the ends count as 0.
  func averaged(_ squares: some RandomAccessCollection<Double>, at index: Int) -> Double {
    var sum = 0.0
    for neighbour in index - average / 2..<index - average / 2 + average {
      if neighbour >= 0, neighbour < squares.count {
        sum += squares[squares.index(squares.startIndex, offsetBy: neighbour)]
      }
    }
    return sum / Double(average)
  }

  /// Squares after its own that a score needs.
  var squaresAhead: Int { average - average / 2 - 1 }
}
