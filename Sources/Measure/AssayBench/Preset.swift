/// How thoroughly a comparison measures.
public struct Preset: Sendable, Equatable {
  /// Its name.
  public var name: String
  /// How often each configuration gets a turn.
  public var rounds: Int
  /// One turn.
  public var block: BlockLimits
  /// Warm-up before the first turn.
  public var warmup: BlockLimits
  /// How long a worker runs untimed at the start of each turn, nanoseconds.
  public var rewarmNanoseconds: UInt64

  /// A glance: about a quarter of a second for each configuration.
  public static let quick = Preset(
    name: "quick",
    rounds: 5,
    block: BlockLimits(
      minimumCount: 5,
      minimumNanoseconds: 50_000_000,
      maximumNanoseconds: 5_000_000_000
    ),
    warmup: BlockLimits(
      minimumCount: 10,
      minimumNanoseconds: 50_000_000,
      maximumCount: 20_000,
      maximumNanoseconds: 2_000_000_000
    ),
    rewarmNanoseconds: 2_000_000
  )

  /// Figures to decide by: a second and a half and at least 104 samples for each configuration.
  public static let standard = Preset(
    name: "standard",
    rounds: 8,
    block: BlockLimits(
      minimumCount: 13,
      minimumNanoseconds: 190_000_000,
      maximumNanoseconds: 10_000_000_000
    ),
    warmup: BlockLimits(
      minimumCount: 10,
      minimumNanoseconds: 200_000_000,
      maximumCount: 100_000,
      maximumNanoseconds: 5_000_000_000
    ),
    rewarmNanoseconds: 5_000_000
  )

  /// Figures to publish: ten seconds and enough samples to bound the 99th percentile.
  public static let strict = Preset(
    name: "strict",
    rounds: 10,
    block: BlockLimits(
      minimumCount: 67,
      minimumNanoseconds: 1_000_000_000,
      maximumNanoseconds: 60_000_000_000
    ),
    warmup: BlockLimits(
      minimumCount: 20,
      minimumNanoseconds: 1_000_000_000,
      maximumCount: 200_000,
      maximumNanoseconds: 20_000_000_000
    ),
    rewarmNanoseconds: 20_000_000
  )

  /// Every preset, the fastest first.
  public static let all = [quick, standard, strict]

  /// Makes a preset.
  public init(
    name: String,
    rounds: Int,
    block: BlockLimits,
    warmup: BlockLimits,
    rewarmNanoseconds: UInt64
  ) {
    self.name = name
    self.rounds = rounds
    self.block = block
    self.warmup = warmup
    self.rewarmNanoseconds = rewarmNanoseconds
  }
}
