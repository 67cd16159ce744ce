/// Finds when numbered observations were made from when they arrived.
///
/// An arrival can only be late: by buffering and by the host being busy. Over stretches of the
/// recording the earliest arrivals are kept, and a line through them tells period and beginning.
struct ArrivalClock: Sendable {
  private var arrivals: [(number: Int, time: UInt64)] = []

  /// Notes that the observation `number` was the youngest that had come at `arrival`.
  mutating func add(number: Int, arrival: UInt64) {
    guard arrivals.last?.number != number else { return }
    arrivals.append((number, arrival))
  }

  /// The line.
  struct Fit: Sendable, Equatable {
    /// The time of observation 0, nanoseconds.
    var origin: Double
    /// Nanoseconds between observations.
    var period: Double
    /// Parts per million by which the meter's clock is slow against the nominal one.
    var driftPPM: Double
    /// Standard uncertainty of a time, nanoseconds.
    var uncertainty: Double

    /// When an observation was made.
    func time(of number: Int) -> Int64 { Int64((origin + period * Double(number)).rounded()) }
  }

  /// The line through the earliest arrivals; `nil` with fewer than two.
  ///
  /// The period is kept at the nominal one when the recording is too short to tell it to better than
  /// what crystals hold (100 ppm).
  func fit(nominalPeriod: Double) -> Fit? {
    guard arrivals.count >= 2, let first = arrivals.first, let last = arrivals.last else {
      return nil
    }
    let base = Double(first.time)
    // How late each is against the nominal clock.
    let late = arrivals.map { arrival in
      (
        number: Double(arrival.number),
        lag: Double(arrival.time) - base - nominalPeriod * Double(arrival.number - first.number)
      )
    }
    let stretches = min(max(arrivals.count / 16, 1), 64)
    let size = (arrivals.count + stretches - 1) / stretches
    var early: [(number: Double, lag: Double)] = []
    for start in stride(from: 0, to: late.count, by: size) {
      let stretch = late[start..<min(start + size, late.count)]
      if let least = stretch.min(by: { $0.lag < $1.lag }) { early.append(least) }
    }
    let span = nominalPeriod * Double(last.number - first.number)
    let count = Double(early.count)
    let middle = early.reduce(0) { $0 + $1.number } / count
    let mean = early.reduce(0) { $0 + $1.lag } / count
    var slope = 0.0
    let spread = early.reduce(0) { $0 + ($1.number - middle) * ($1.number - middle) }
    if early.count >= 4, span > 2e9, spread > 0 {
      slope = early.reduce(0) { $0 + ($1.number - middle) * ($1.lag - mean) } / spread
    }
    let residuals = early.map { $0.lag - mean - slope * ($0.number - middle) }
    let variance = residuals.reduce(0) { $0 + $1 * $1 } / max(count - 2, 1)
    // What even the earliest packet waited, nobody knows: up to a millisecond on full-speed USB.
    let hidden = 1e6 / 3.0.squareRoot() / 2
    return Fit(
      origin: base - nominalPeriod * Double(first.number) + mean - slope * middle,
      period: nominalPeriod + slope,
      driftPPM: slope / nominalPeriod * 1e6,
      uncertainty: (variance + hidden * hidden).squareRoot()
    )
  }
}
