/// A pattern of load that nothing else makes: a maximal-length sequence of busy and idle chips.
///
/// Its autocorrelation has one narrow peak (Golomb 1967), so that a trace tells where it lies to a
/// fraction of a sample even under noise.
public struct CodedMarker: Sendable, Equatable {
  /// Busy or not, chip by chip; begins and ends busy or idle as the sequence has it.
  public let chips: [Bool]
  /// Nanoseconds of a chip.
  public let chip: UInt64

  /// A marker of `2^order - 1` chips.
  ///
  /// - Parameters:
  ///   - order: 4 to 9; others are brought into that range.
  ///   - chip: nanoseconds of a chip: some samples of the slowest meter.
  ///   - seed: which of the cyclic shifts; the same seed gives the same marker.
  ///   - isReversed: whether it runs backwards, which makes another sequence of the same quality: a
  ///     marker at the end must not be taken for that at the beginning.
  public init(order: Int = 6, chip: UInt64, seed: UInt32 = 1, isReversed: Bool = false) {
    let order = min(max(order, 4), 9)
    // Primitive polynomials, as masks of the taps.
    let taps: [Int: UInt32] = [
      4: 0b1100, 5: 0b10100, 6: 0b110000, 7: 0b1100000, 8: 0b1011_1000, 9: 0b1_0001_0000,
    ]
    let mask = (UInt32(1) << UInt32(order)) - 1
    var state = seed & mask
    if state == 0 { state = 1 }
    let tap = taps[order] ?? 0b110000
    var chips: [Bool] = []
    for _ in 0..<mask {
      chips.append(state & 1 == 1)
      let bit = (state & tap).nonzeroBitCount & 1
      state = (state << 1 | UInt32(bit)) & mask
    }
    self.chips = isReversed ? chips.reversed() : chips
    self.chip = max(chip, 1)
  }

  /// How long it lasts, nanoseconds.
  public var duration: UInt64 { UInt64(chips.count) * chip }

  /// The busy stretches from its beginning, nanoseconds.
  public var busy: [Range<UInt64>] {
    var runs: [Range<UInt64>] = []
    var start: Int?
    for index in 0...chips.count {
      let isBusy = index < chips.count && chips[index]
      if isBusy, start == nil { start = index }
      if !isBusy, let begin = start {
        runs.append(UInt64(begin) * chip..<UInt64(index) * chip)
        start = nil
      }
    }
    return runs
  }

  /// A marker for a meter with this period: chips of six readings and 20 ms at least.
  public static func suited(toPeriod period: UInt64, isReversed: Bool = false) -> CodedMarker {
    CodedMarker(chip: max(period &* 6, 20_000_000), isReversed: isReversed)
  }
}

/// When a marker was really played, on this machine's clock.
public struct PlayedMarker: Sendable, Equatable {
  /// Before the first chip, nanoseconds.
  public var begin: Int64
  /// After the last chip, nanoseconds.
  public var end: Int64
  /// The stretches in which the processors were busy.
  public var busy: [Range<Int64>]

  /// Makes one.
  public init(begin: Int64, end: Int64, busy: [Range<Int64>]) {
    self.begin = begin
    self.end = end
    self.busy = busy
  }
}

/// Where a trace shows a marker.
public struct FoundMarker: Sendable, Equatable {
  /// The middle of the marker on the meter's clock, nanoseconds.
  public var meterTime: Double
  /// The same moment on this machine's clock.
  public var hostTime: Double
  /// Standard uncertainty of their difference, nanoseconds.
  public var uncertainty: Double
  /// How much of the trace's variation the marker explains, 0...1.
  public var explained: Double
  /// Watts from idle to busy.
  public var stepWatts: Double
}
