#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#else
import Darwin
#endif

/// The Mersenne Twister as NumPy's legacy `RandomState` draws from it, so that published seeds give
/// published series.
///
/// MT19937 with the 32-bit seeding of Matsumoto and Nishimura (2002). Everything else in Assay draws
/// from `SeededRNG`.
public struct LegacyRandom: Sendable {
  private static let length = 624
  private var state: [UInt32]
  private var position = length
  private var spareNormal: Double?

  /// Starts the sequence that `numpy.random.seed(seed)` starts.
  public init(seed: UInt32) {
    state = [seed]
    state.reserveCapacity(Self.length)
    for index in 1..<Self.length {
      let last = state[index - 1]
      state.append(1_812_433_253 &* (last ^ (last >> 30)) &+ UInt32(index))
    }
  }

  /// The next 32 random bits.
  public mutating func next() -> UInt32 {
    if position == Self.length { refill() }
    var word = state[position]
    position += 1
    word ^= word >> 11
    word ^= (word << 7) & 0x9D2C_5680
    word ^= (word << 15) & 0xEFC6_0000
    return word ^ (word >> 18)
  }

  private mutating func refill() {
    let length = Self.length
    for index in 0..<length {
      let joined =
        (state[index] & 0x8000_0000) | (state[(index + 1) % length] & 0x7FFF_FFFF)
      let odd: UInt32 = joined & 1 == 0 ? 0 : 0x9908_B0DF
      state[index] = state[(index + 397) % length] ^ (joined >> 1) ^ odd
    }
    position = 0
  }

  /// A whole number below `bound` (`randint`): bits under a mask, drawn again while too large.
  ///
  /// - Precondition: `bound` is at least 1 and at most 2^32.
  public mutating func integer(below bound: Int) -> Int {
    precondition(bound >= 1 && bound <= 1 << 32, "bound \(bound)")
    let greatest = UInt32(bound - 1)
    if greatest == 0 { return 0 }
    let mask = UInt32.max >> UInt32(greatest.leadingZeroBitCount)
    while true {
      let word = next() & mask
      if word <= greatest { return Int(word) }
    }
  }

  /// A number in [0, 1) of 53 random bits (`random_sample`).
  public mutating func unit() -> Double {
    let (high, low) = (next() >> 5, next() >> 6)
    return (Double(high) * 67_108_864 + Double(low)) / 9_007_199_254_740_992
  }

  /// A number in [low, high) (`uniform`).
  public mutating func uniform(_ low: Double, _ high: Double) -> Double {
    low + (high - low) * unit()
  }

  /// A sample of the standard normal distribution by Marsaglia's polar method (`normal`), which makes
  /// two at a time.
  public mutating func normal() -> Double {
    if let spare = spareNormal {
      spareNormal = nil
      return spare
    }
    while true {
      let x = 2 * unit() - 1
      let y = 2 * unit() - 1
      let square = x * x + y * y
      guard square < 1, square != 0 else { continue }
      let factor = (-2 * log(square) / square).squareRoot()
      spareNormal = factor * x
      return factor * y
    }
  }
}
