import AssayBase
import AssayStatistics

/// Why a figure has no place on a scale.
struct Reason: Error {
  var text: String
  init(_ text: String) { self.text = text }
}

/// A figure as scales compare it, by ratios: an amount, or of a fraction of right answers the errors.
struct Quantity: Sendable, Equatable {
  /// What is known of how far it is from the true one.
  enum Spread: Sendable, Equatable {
    case exact, unknown
    /// The natural logarithm is Student-distributed.
    case logarithm(standardError: Double, freedom: Double)
    /// A rate of errors, beta-distributed.
    case counted(errors: Double, rights: Double)
  }

  /// The amount; of counted errors the median of what the true rate may be.
  var amount: Double
  var spread: Spread

  /// Takes a figure of a property.
  init(_ figure: Measured, _ property: Scale.Property) throws(Reason) {
    let value = figure.value
    guard value.isFinite else { throw Reason("the figure is \(value)") }
    guard property.comparison == .fraction else {
      guard value > 0 else { throw Reason("\(Words.short(value)) has no ratio to others") }
      amount = value
      spread =
        switch figure.uncertainty {
        case .exact: .exact
        case .unknown, .counted: .unknown
        case .relative(let error, let freedom): .logarithm(standardError: error, freedom: freedom)
        }
      return
    }
    guard (0...1).contains(value) else {
      throw Reason("\(Words.short(value)) is no fraction from 0 to 1")
    }
    amount = Scale.Property.error(value)
    switch figure.uncertainty {
    case .exact: spread = .exact
    case .unknown: spread = .unknown
    case .relative(let error, let freedom):
      // d log(1 - x) = -x / (1 - x) d log x
      spread = .logarithm(standardError: error * value / amount, freedom: freedom)
    case .counted(let count):
      guard count > 0 else { throw Reason("nothing was counted") }
      // Jeffreys' prior: half an error and half a right answer.
      let rights = (value * Double(count)).rounded()
      let (a, b) = (Double(count) - rights + 0.5, rights + 0.5)
      amount = max(Beta.quantile(0.5, a, b), 1e-12)
      spread = .counted(errors: a, rights: b)
    }
  }

  /// A figure that is one by definition.
  init(reference: Double, _ property: Scale.Property) {
    amount = property.comparison == .fraction ? Scale.Property.error(reference) : reference
    spread = .exact
  }

  /// The standard error of the natural logarithm and its degrees of freedom.
  var moments: (standardError: Double, freedom: Double)? {
    switch spread {
    case .exact: (0, .infinity)
    case .unknown: nil
    case .logarithm(let error, let freedom): (error, freedom)
    case .counted(let a, let b): (Beta.logVariance(a, b).squareRoot(), .infinity)
    }
  }
}

/// Where a figure lies on a scale: its index, and how sure that is.
struct Position: Sendable, Equatable {
  /// What is known of the true index.
  enum Spread: Sendable, Equatable {
    case exact, unknown
    /// The index plus `standardError` times a Student-distributed number.
    case student(standardError: Double, freedom: Double)
    /// The error of a fraction is beta-distributed: its index is `log2(reference / error) / step`.
    case counted(errors: Double, rights: Double, reference: Double, step: Double)
  }

  /// The index; the median of what the true one may be.
  var index: Double
  var spread: Spread

  init(index: Double, spread: Spread) {
    self.index = index
    self.spread = spread
  }

  /// Compares two amounts whose uncertainties have nothing to do with one another.
  init(
    _ own: Quantity,
    against other: Quantity,
    _ property: Scale.Property,
    _ step: Double
  ) {
    let isMore = property.comparison == .more
    let doublings = logarithm2(isMore ? own.amount / other.amount : other.amount / own.amount)
    index = doublings / step
    if case .counted(let a, let b) = own.spread, other.spread == .exact {
      spread = .counted(errors: a, rights: b, reference: other.amount, step: step)
      return
    }
    guard let mine = own.moments, let theirs = other.moments else {
      spread = .unknown
      return
    }
    let (error, freedom) = Self.joined([mine, theirs])
    spread =
      error == 0
      ? .exact
      : .student(standardError: error / logarithm(2) / step, freedom: freedom)
  }

  /// Standard errors of a sum's parts as one; the degrees of freedom by Welch and Satterthwaite.
  private static func joined(
    _ parts: [(standardError: Double, freedom: Double)]
  ) -> (standardError: Double, freedom: Double) {
    var (variance, spread) = (0.0, 0.0)
    for part in parts {
      let square = part.standardError * part.standardError
      variance += square
      spread += square * square / part.freedom
    }
    let freedom = spread > 0 ? variance * variance / spread : .infinity
    return (variance.squareRoot(), max(freedom, 1))
  }

  /// Half the width of the central 95 % of what the true index may be.
  var reach: Double? {
    if case .counted(let a, let b, _, let step) = spread {
      let ends = [0.025, 0.975].map { max(Beta.quantile($0, a, b), 1e-12) }
      return logarithm2(ends[1] / ends[0]) / step / 2
    }
    guard let (error, freedom) = moments else { return nil }
    if error == 0 { return 0 }
    return error * (freedom > 1e6 ? 1.959963984540054 : StudentT.quantile(0.975, freedom: freedom))
  }

  /// The probability that the true index is at least a limit; `nil` when nothing is known.
  func probability(atLeast limit: Double) -> Double? {
    switch spread {
    case .exact: return index >= limit ? 1 : 0
    case .unknown: return nil
    case .student(let error, let freedom):
      guard error > 0 else { return index >= limit ? 1 : 0 }
      let z = (index - limit) / error
      return freedom > 1e6 ? Normal.cumulative(z) : StudentT.cumulative(z, freedom: freedom)
    case .counted(let errors, let rights, let reference, let step):
      return Beta.cumulative(min(reference / power2(limit * step), 1), errors, rights)
    }
  }

  /// The standard error of the index and its degrees of freedom; `nil` when nothing is known.
  var moments: (standardError: Double, freedom: Double)? {
    switch spread {
    case .exact: (0, .infinity)
    case .unknown: nil
    case .student(let error, let freedom): (error, freedom)
    case .counted(let errors, let rights, _, let step):
      (Beta.logVariance(errors, rights).squareRoot() / logarithm(2) / step, .infinity)
    }
  }

  /// The weighted mean of positions whose uncertainties have nothing to do with one another.
  ///
  /// Positions of which nothing is known count as exact, unless no other has an uncertainty.
  static func mean(_ parts: [(position: Position, weight: Double)]) -> Position? {
    let sum = parts.reduce(0) { $0 + $1.weight }
    guard sum > 0 else { return nil }
    let index = parts.reduce(0) { $0 + $1.weight / sum * $1.position.index }
    var moments: [(standardError: Double, freedom: Double)] = []
    for part in parts {
      guard let own = part.position.moments else { continue }
      moments.append((own.standardError * part.weight / sum, own.freedom))
    }
    let (error, freedom) = joined(moments)
    return Position(
      index: index,
      spread: error > 0
        ? .student(standardError: error, freedom: freedom)
        : moments.count == parts.count ? .exact : .unknown
    )
  }
}
