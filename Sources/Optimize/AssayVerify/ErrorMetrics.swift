import AssayBase

/// How far one array lies from another that is taken as the truth.
public struct ErrorMetrics: Sendable, Equatable {
  /// 10 log10(sum reference^2 / sum error^2); infinite when there is no error, NaN when the reference
  /// is all zeros and there is one.
  public var snrDb: Double
  /// The cosine of the angle between the two; 1 when both are zero.
  public var cosine: Double
  /// The largest |a - b|.
  public var maxAbs: Double
  /// The largest |a - b| over the largest |b|, b being the reference.
  public var relative: Double
  /// The root of the mean squared error.
  public var rms: Double
  /// The largest |b| of the reference.
  public var peak: Double
  /// How many elements are NaN or infinite in one of the two and not the same in the other.
  public var nonFinite: Int
  /// The number of elements.
  public var count: Int

  /// Whether there is no error at all.
  public var isIdentical: Bool { maxAbs == 0 && nonFinite == 0 }

  /// The largest |a - b| in units in the last place of a float as large as the largest |b|.
  ///
  /// Not each element's own last place: that of a number near zero says nothing about an array.
  public var maxUlp: Double {
    isIdentical ? 0 : peak == 0 ? .infinity : maxAbs / Double(Float(peak).ulp)
  }

  /// The signal-to-noise ratio in words, also where it is no number.
  public var ratioText: String {
    if isIdentical { return "identical" }
    if nonFinite > 0 { return "\(nonFinite) elements NaN or infinite" }
    return snrDb.isNaN ? "not zero as the original is" : "SNR \(Words.fixed(snrDb, 1)) dB"
  }
}

/// Compares arrays of equal length.
///
/// - Precondition: the lengths are equal.
public func compareTensors(reference: [Float], other: [Float]) -> ErrorMetrics {
  var sums = ErrorSums()
  sums.add(reference: reference, other: other)
  return sums.metrics
}

/// Sums from which `ErrorMetrics` follow, over as many arrays as are added.
public struct ErrorSums: Sendable {
  private var signal = 0.0
  private var noise = 0.0
  private var dot = 0.0
  private var otherSignal = 0.0
  private var worst = 0.0
  private var peak = 0.0
  private var nonFinite = 0
  private var count = 0

  /// No arrays yet.
  public init() {}

  /// Adds a pair of arrays.
  ///
  /// - Precondition: the lengths are equal.
  public mutating func add(reference: [Float], other: [Float]) {
    precondition(reference.count == other.count, "\(reference.count) and \(other.count) elements")
    count += reference.count
    for index in reference.indices {
      let (a, b) = (Double(reference[index]), Double(other[index]))
      guard a.isFinite, b.isFinite else {
        // Equal infinities, or NaN on both sides, are no difference.
        if a != b, !(a.isNaN && b.isNaN) { nonFinite += 1 }
        continue
      }
      let error = a - b
      signal += a * a
      otherSignal += b * b
      dot += a * b
      noise += error * error
      worst = max(worst, error.magnitude)
      peak = max(peak, a.magnitude)
    }
  }

  /// The root of the mean squared reference.
  var referenceRMS: Double { count == 0 ? 0 : (signal / Double(count)).squareRoot() }

  /// What follows from the sums.
  public var metrics: ErrorMetrics {
    let isExact = noise == 0 && nonFinite == 0
    let snr = isExact ? Double.infinity : 10 * logarithm10(signal / noise)
    let norm = signal.squareRoot() * otherSignal.squareRoot()
    return ErrorMetrics(
      snrDb: nonFinite > 0 ? -.infinity : signal == 0 && !isExact ? .nan : snr,
      cosine: norm > 0 ? min(max(dot / norm, -1), 1) : signal == otherSignal ? 1 : 0,
      maxAbs: nonFinite > 0 ? .infinity : worst,
      relative: nonFinite > 0 ? .infinity : worst == 0 ? 0 : worst / peak,
      rms: nonFinite > 0 ? .infinity : count == 0 ? 0 : (noise / Double(count)).squareRoot(),
      peak: peak,
      nonFinite: nonFinite,
      count: count
    )
  }
}
