import AssayKernels

/// How often numbers were seen, in bins of one width around zero.
///
/// It grows with what it sees: the outer ends stand at a power of two, and when a greater number comes,
/// neighbouring bins join. So its memory is bounded, and what it holds does not depend on the order of
/// the data.
struct Histogram: Sendable, Equatable {
  /// The number of bins on each side of zero.
  static let half = 2048

  /// Bins cover the numbers from `-2^exponent` to `2^exponent`; `nil` before a number other than zero.
  private(set) var exponent: Int?
  /// Counts of numbers other than zero, from the lowest bin up.
  private(set) var counts = [UInt64](repeating: 0, count: 2 * half)
  /// How many were exactly zero, which every quantization keeps.
  private(set) var zeros: UInt64 = 0

  /// The width of a bin.
  var width: Double { Self.power(exponent ?? 0) / Double(Self.half) }

  /// The number of elements seen, zeros left out.
  var total: UInt64 { counts.reduce(0, &+) }

  /// The middle of a bin.
  func middle(_ bin: Int) -> Double { (Double(bin - Self.half) + 0.5) * width }

  private static func power(_ exponent: Int) -> Double {
    Double(sign: .plus, exponent: exponent, significand: 1)
  }

  /// Notes the numbers of a buffer; those that are not finite are left out.
  ///
  /// - Parameter peak: the greatest magnitude among its finite numbers.
  mutating func add(_ buffer: FloatBuffer, peak: Float) {
    if peak > 0 { cover(Double(peak)) }
    let factor = Float(1 / width)
    let last = 2 * Self.half - 1
    var zeros: UInt64 = 0
    for index in 0..<buffer.count {
      let value = buffer[index]
      if value == 0 {
        zeros &+= 1
      } else if value.isFinite {
        let place = Int((value * factor).rounded(.down)) + Self.half
        counts[min(max(place, 0), last)] &+= 1
      }
    }
    self.zeros &+= zeros
  }

  /// Takes over what another one has seen.
  mutating func merge(_ other: Histogram) {
    guard let reach = other.exponent else {
      zeros &+= other.zeros
      return
    }
    var other = other
    let wanted = max(exponent ?? reach, reach)
    grow(to: wanted)
    other.grow(to: wanted)
    for bin in counts.indices { counts[bin] &+= other.counts[bin] }
    zeros &+= other.zeros
  }

  private mutating func cover(_ magnitude: Double) {
    // Numbers so small that no 8-bit scale could tell them from zero share the inner bins.
    let wanted = max(magnitude.exponent + (magnitude.significand > 1 ? 1 : 0), -110)
    grow(to: max(wanted, exponent ?? wanted))
  }

  private mutating func grow(to wanted: Int) {
    guard let old = exponent else {
      exponent = wanted
      return
    }
    // After this many steps all counts lie in the bins next to zero.
    for _ in 0..<min(wanted - old, 12) {
      var joined = [UInt64](repeating: 0, count: counts.count)
      for bin in counts.indices where counts[bin] > 0 {
        let place = bin - Self.half
        joined[(place >= 0 ? place / 2 : (place - 1) / 2) + Self.half] &+= counts[bin]
      }
      counts = joined
    }
    exponent = wanted
  }
}
