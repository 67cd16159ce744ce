import AssayBase
import AssayKernels

/// Where training data come from.
///
/// A batch is a function of the number of its step (and of the source's own seed): that is how a run
/// that was killed meets the same data when it is taken up again, and why the position of a source is
/// nothing but the number of the next step.
public protocol BatchSource: AnyObject {
  /// The steps in which every sample is seen once; at least 1.
  var batchesPerEpoch: Int { get }

  /// What tells these data, in this order, from others: it is kept in checkpoints and compared when a
  /// run is taken up again. Something like `images /data/fire, 3006 files, seed 7`.
  var identity: String { get }

  /// Sets inputs and targets of the batch of a step.
  ///
  /// Called on another thread while the step before is computed, one call at a time, steps rising by
  /// one. Training batches must be whole (begin the next round of the data where one ends); the last
  /// batch of a validation set may be shorter: set `Batch.count`.
  ///
  /// - Throws: a `Diagnostic`; training ends with it, and the state before the step is kept.
  func fill(_ batch: Batch, step: Int) throws
}

/// Arrays of one step.
public final class Batch {
  /// For each input of the graph its floats, samples outermost.
  public let inputs: [FloatBuffer]
  /// For each loss the floats to be reached, in the shape of the output.
  public let targets: [FloatBuffer]
  /// For each sample the weight of its loss: 1 unless a source sets another (class weights).
  public let weights: FloatBuffer
  /// How many samples there are room for.
  public let capacity: Int
  /// How many of them count: the capacity unless a source sets less, which ignores the others.
  public var count: Int
  private let blocks: [FloatBlock]

  /// Room for `capacity` samples.
  ///
  /// - Parameters:
  ///   - inputs: floats of all samples, for each input.
  ///   - targets: the same for each target.
  public init(capacity: Int, inputs: [Int], targets: [Int]) {
    self.capacity = capacity
    count = capacity
    let weights = FloatBlock([Float](repeating: 1, count: capacity))
    let inputBlocks = inputs.map { FloatBlock(count: $0) }
    let targetBlocks = targets.map { FloatBlock(count: $0) }
    self.weights = weights.buffer
    self.inputs = inputBlocks.map(\.buffer)
    self.targets = targetBlocks.map(\.buffer)
    blocks = inputBlocks + targetBlocks + [weights]
  }

  /// Makes all samples count alike again.
  func reset() {
    count = capacity
    weights.fill(1)
  }
}

/// A source over arrays that are held in memory, shuffled anew in each round.
public final class ArraySource: BatchSource {
  private let inputs: [[Float]]
  private let targets: [[Float]]
  private let samples: Int
  private let batch: Int
  private let isShuffled: Bool
  private let seed: UInt64
  private var order: (round: Int, indices: [Int]) = (-1, [])

  /// - Parameters:
  ///   - inputs: for each input of the graph all samples, one after the other.
  ///   - targets: the same for each target.
  ///   - samples: how many there are.
  ///   - batch: samples of a step. A training source goes on with the next round inside a batch.
  ///   - isShuffled: whether each round has an order of its own; otherwise the samples come as they
  ///     are, and the last batch of a round is short (for validation).
  /// - Throws: `Diagnostic` TRN007 when the arrays do not hold whole samples.
  public init(
    inputs: [[Float]],
    targets: [[Float]],
    samples: Int,
    batch: Int,
    isShuffled: Bool = true,
    seed: UInt64 = 0
  ) throws {
    guard samples > 0, batch > 0, (inputs + targets).allSatisfy({ $0.count % samples == 0 }) else {
      throw Diagnostic(
        "TRN007",
        "arrays of \((inputs + targets).map(\.count)) floats do not hold \(samples) samples"
      )
    }
    self.inputs = inputs
    self.targets = targets
    self.samples = samples
    self.batch = batch
    self.isShuffled = isShuffled
    self.seed = seed
  }

  public var batchesPerEpoch: Int { (samples + batch - 1) / batch }

  public var identity: String {
    "arrays, \(samples) samples of \(inputs.map { $0.count / samples })"
      + (isShuffled ? ", seed \(seed)" : "")
  }

  public func fill(_ batch: Batch, step: Int) throws {
    if isShuffled {
      for slot in 0..<batch.capacity {
        let position = step * batch.capacity + slot
        copy(sample(position % samples, round: position / samples), to: slot, batch)
      }
    } else {
      let first = step % batchesPerEpoch * batch.capacity
      batch.count = min(batch.capacity, samples - first)
      for slot in 0..<batch.count { copy(first + slot, to: slot, batch) }
    }
  }

  private func sample(_ position: Int, round: Int) -> Int {
    if order.round != round { order = (round, Self.permutation(samples, seed: seed, round: round)) }
    return order.indices[position]
  }

  /// The order of a round: a function of seed and round alone.
  public static func permutation(_ count: Int, seed: UInt64, round: Int) -> [Int] {
    var rng = SeededRNG(
      seed: seed &* 0x9E37_79B9_7F4A_7C15 &+ UInt64(truncatingIfNeeded: round)
    )
    return Array(0..<count).shuffled(using: &rng)
  }

  private func copy(_ sample: Int, to slot: Int, _ batch: Batch) {
    for (source, target) in zip(inputs + targets, batch.inputs + batch.targets) {
      let length = source.count / samples
      for index in 0..<length { target[slot * length + index] = source[sample * length + index] }
    }
  }
}
