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

  /// Numbers of one buffer that are looked at; a distribution is known well from fewer than a great
  /// image has.
  static let samples = 1 << 16
  private static let lanes = 16

  /// Notes the numbers of a buffer; those that are not finite are left out.
  ///
  /// Of a buffer with more than `samples` numbers, runs of 16 are drawn, one of each stretch; every
  /// number counts for as many as it stands for, and which are drawn depends on the count alone.
  ///
  /// - Parameter peak: the greatest magnitude among its finite numbers.
  mutating func add(_ buffer: FloatBuffer, peak: Float) {
    if peak > 0 { cover(Double(peak)) }
    let factor = Float(1 / width)
    let runs = buffer.count / Self.lanes
    let stretch = max(1, runs / (Self.samples / Self.lanes))
    let weight = UInt64(stretch)
    var zeros: UInt64 = 0
    // The array is checked once, not for each number.
    unsafe counts.withUnsafeMutableBufferPointer { counts in
      func note(_ value: Float, _ weight: UInt64) {
        if value == 0 {
          zeros &+= weight
        } else if value.isFinite {
          let place = Self.places(SIMD16(repeating: value), factor)[0]
          unsafe counts[Int(place)] &+= weight
        }
      }
      for first in stride(from: 0, to: runs - stretch + 1, by: stretch) {
        // A fixed step could always meet the same channels.
        let drawn = stretch == 1 ? 0 : Self.scattered(first) % stretch
        let values = unsafe UnsafeRawPointer(buffer.base + (first + drawn) * Self.lanes)
          .loadUnaligned(as: SIMD16<Float>.self)
        let isZero = values .== 0
        // NaN is not at most anything.
        guard all(values.replacing(with: -values, where: values .< 0) .<= .greatestFiniteMagnitude)
        else {
          for lane in 0..<Self.lanes { note(values[lane], weight) }
          continue
        }
        zeros &+=
          weight &* UInt64(SIMD16<Int32>.zero.replacing(with: 1, where: isZero).wrappedSum())
        if all(isZero) { continue }
        let places = Self.places(values, factor)
        for lane in 0..<Self.lanes where !isZero[lane] {
          unsafe counts[Int(places[lane])] &+= weight
        }
      }
      for index in (runs - runs % stretch) * Self.lanes..<buffer.count { note(buffer[index], 1) }
    }
    self.zeros &+= zeros
  }

  /// The bins of finite numbers.
  ///
  /// Whole numbers are read off the bits of a sum that has no room for a fraction: the conversion of a
  /// vector would be done one by one.
  @inline(__always)
  private static func places(_ values: SIMD16<Float>, _ factor: Float) -> SIMD16<UInt32> {
    let place = (values * factor).rounded(.down).clamped(
      lowerBound: SIMD16(repeating: Float(-half)),
      upperBound: SIMD16(repeating: Float(half - 1))
    )
    return unsafe unsafeBitCast(place + Float(8_388_608 + half), to: SIMD16<UInt32>.self)
      & 0x7F_FFFF
  }

  /// A number that follows from another as if by chance.
  private static func scattered(_ value: Int) -> Int {
    var mixed = UInt64(truncatingIfNeeded: value) &* 0x9E37_79B9_7F4A_7C15
    mixed = (mixed ^ (mixed >> 29)) &* 0xBF58_476D_1CE4_E5B9
    return Int(truncatingIfNeeded: mixed >> 33)
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
