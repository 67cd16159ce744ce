import AssayBase
import AssayData
import AssayKernels
import AssayTrain

/// Batches of labelled samples.
///
/// In training every epoch has an order of its own and whole batches only: what is left over of the
/// samples comes in another epoch. For validation the samples come once and as they are.
final class TrainingBatches: BatchSource {
  private let data: TrainingData
  private let batch: Int
  private let seed: UInt64
  private let isTraining: Bool
  /// What each class weighs in the loss.
  private let classWeights: [Float]
  private var order: (epoch: Int, indices: [Int]) = (-1, [])

  /// - Parameters:
  ///   - seed: of order and variations.
  ///   - isTraining: whether samples are shuffled and varied.
  ///   - isBalanced: whether rare classes weigh more, so that all weigh alike in sum.
  init(
    _ data: TrainingData,
    batch: Int,
    seed: UInt64,
    isTraining: Bool,
    isBalanced: Bool = false
  ) {
    self.data = data
    self.batch = batch
    self.seed = seed
    self.isTraining = isTraining
    let greatest = (data.labels.max() ?? 0) + 1
    var counts = [Int](repeating: 0, count: greatest)
    for label in data.labels { counts[label] += 1 }
    let present = counts.count { $0 > 0 }
    classWeights = counts.map { count in
      isBalanced && count > 0 ? Float(data.count) / Float(present * count) : 1
    }
  }

  var batchesPerEpoch: Int {
    max(1, isTraining ? data.count / batch : (data.count + batch - 1) / batch)
  }

  var identity: String {
    let weights = classWeights.allSatisfy { $0 == 1 } ? "" : ", balanced"
    return "\(data.dataset.path), \(data.count) samples, batches of \(batch), seed \(seed), "
      + "varied by \(data.augmentation.text)\(weights)"
  }

  func fill(_ batch: Batch, step: Int) throws {
    let epoch = step / batchesPerEpoch
    let first = step % batchesPerEpoch * batch.capacity
    if isTraining, order.epoch != epoch {
      order = (epoch, data.order(epoch: epoch, seed: seed))
    }
    batch.count = isTraining ? batch.capacity : min(batch.capacity, data.count - first)
    for slot in 0..<batch.count {
      let position = (first + slot) % data.count
      let index = isTraining ? order.indices[position] : position
      let values = try data.values(at: index, epoch: isTraining ? epoch : nil, seed: seed)
      for (buffer, floats) in zip(batch.inputs, values) {
        let length = buffer.count / batch.capacity
        guard floats.count == length else {
          throw Diagnostic(
            "TRN041",
            "the sample has \(floats.count) elements, the network takes \(length)",
            at: [data.dataset.names[index]]
          )
        }
        unsafe floats.withUnsafeBufferPointer { source in
          guard let base = source.baseAddress else { return }
          unsafe (buffer.base + slot * length).update(from: base, count: length)
        }
      }
      let label = data.labels[index]
      batch.weights[slot] = isTraining ? classWeights[label] : 1
      for target in batch.targets {
        let length = target.count / batch.capacity
        for place in 0..<length {
          let isOn = length == 1 ? label != 0 : place == label
          target[slot * length + place] = isOn ? 1 : 0
        }
      }
    }
  }
}
