import AssayBase
import AssayKernels
import AssayTrain

/// Windows of a series as training data of an autoencoder: what goes in is what is to come out.
public final class WindowSource: BatchSource {
  /// Where windows begin.
  public enum Order: Sendable, Hashable {
    /// Anywhere, drawn anew for each step.
    case random
    /// Every so many samples, in a new order in each epoch.
    case stride(Int)
  }

  public let batchesPerEpoch: Int
  public let identity: String

  private let samples: [Float]
  private let channelCount: Int
  private let window: Int
  private let batch: Int
  private let order: Order
  private let seed: UInt64
  /// The first samples of the windows of `Order.stride`.
  private let starts: [Int]
  private let isValidation: Bool
  private var shuffled: (round: Int, indices: [Int]) = (-1, [])

  /// Prepares windows.
  ///
  /// - Parameters:
  ///   - series: the standardized channels, equally long.
  ///   - window: samples of a window.
  ///   - batch: windows of a step.
  ///   - order: where they begin.
  ///   - validation: of the windows of `Order.stride` the part at the end of the series that training
  ///     does not see and validation does.
  ///   - isValidation: whether this source is that of validation, in order and once.
  /// - Throws: `Diagnostic` DTC004 for a series that has no whole window.
  public init(
    _ series: [[Float]],
    window: Int,
    batch: Int,
    order: Order,
    seed: UInt64,
    validation: Double = 0,
    isValidation: Bool = false
  ) throws {
    let count = series.first?.count ?? 0
    guard count >= window else {
      throw Diagnostic(
        "DTC004",
        "the series has \(count) samples, and a window of training has \(window)",
        remedy: "give a longer series, or shorter windows with --window"
      )
    }
    samples = interleaved(series)
    channelCount = series.count
    self.window = window
    self.batch = batch
    self.order = order
    self.seed = seed
    self.isValidation = isValidation
    var starts: [Int] = []
    var epoch = count / window
    if case .stride(let step) = order {
      let all = Array(stride(from: 0, through: count - window, by: max(step, 1)))
      let kept = all.count - min(all.count - 1, Int(validation * Double(all.count)))
      starts = isValidation ? Array(all[kept...]) : Array(all[..<kept])
      epoch = starts.count
    }
    self.starts = starts
    batchesPerEpoch = max(1, isValidation ? (epoch + batch - 1) / batch : epoch / batch)
    var sum: UInt64 = 0xCBF2_9CE4_8422_2325
    for sample in samples { sum = (sum ^ UInt64(sample.bitPattern)) &* 0x100_0000_01B3 }
    identity =
      "series of \(count) samples (\(String(sum, radix: 16))), windows of \(window), \(order), seed "
      + "\(seed)"
  }

  /// Whether there is anything to validate by.
  public var isEmpty: Bool { isValidation && starts.isEmpty }

  public func fill(_ batch: Batch, step: Int) throws {
    if isValidation {
      let first = step % batchesPerEpoch * batch.capacity
      batch.count = min(batch.capacity, starts.count - first)
      for slot in 0..<batch.count { copy(starts[first + slot], to: slot, batch) }
      return
    }
    switch order {
    case .random:
      var random = SeededRNG(seed: seed &* 0x9E37_79B9_7F4A_7C15 &+ UInt64(step))
      let last = samples.count / channelCount - window
      for slot in 0..<batch.capacity {
        copy(Int.random(in: 0...last, using: &random), to: slot, batch)
      }
    case .stride:
      for slot in 0..<batch.capacity {
        let position = step * batch.capacity + slot
        let round = position / starts.count
        if shuffled.round != round {
          let indices = ArraySource.permutation(starts.count, seed: seed, round: round)
          shuffled = (round, indices)
        }
        copy(starts[shuffled.indices[position % starts.count]], to: slot, batch)
      }
    }
  }

  private func copy(_ start: Int, to slot: Int, _ batch: Batch) {
    let (input, target) = (batch.inputs[0], batch.targets[0])
    let (length, from) = (window * channelCount, start * channelCount)
    for index in 0..<length {
      input[slot * length + index] = samples[from + index]
      target[slot * length + index] = samples[from + index]
    }
  }
}
