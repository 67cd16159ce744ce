import AssayGraph
import AssayKernels
import AssayTensor

#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#else
import Darwin
#endif

/// What is made small: the distance of an output from its target.
///
/// As in Keras, the loss of a batch is the mean over all samples and all elements; of the categorical
/// cross-entropy, the mean over all positions of the sum over the classes (the last axis). Samples'
/// weights multiply their losses and do not change what is divided by.
public enum Loss: String, Sendable, CaseIterable {
  /// `-(t log p + (1 - t) log(1 - p))` of probabilities, element by element.
  case binaryCrossEntropy = "binary-crossentropy"
  /// `-sum t log p` over classes.
  case categoricalCrossEntropy = "categorical-crossentropy"
  /// `(y - t)^2`.
  case meanSquared = "mean-squared"
  /// `log cosh(y - t)`.
  case logCosh = "log-cosh"

  /// Probabilities are kept this far from 0 and 1, as Keras does.
  private static let epsilon: Float = 1e-7

  /// Where the gradient of this loss enters a graph whose output is `output`.
  ///
  /// A cross-entropy behind a softmax or sigmoid is taken from the logits, the function's input, where it
  /// stays exact when a probability rounds to 0 or 1. As in Keras (2.12 to 3), a *binary* cross-entropy
  /// behind a softmax treats each logit as that of a sigmoid of its own.
  func entry(_ output: ValueID, in graph: Graph) -> ValueID {
    guard let index = graph.nodes.firstIndex(where: { $0.outputs.contains(output) }),
      let input = graph.nodes[index].inputs.first ?? nil
    else { return output }
    switch (self, graph.nodes[index].op) {
    case (.categoricalCrossEntropy, let softmax as Softmax),
      (.binaryCrossEntropy, let softmax as Softmax):
      let shape = graph[output].type.shape
      let isWhole = softmax.beta == 1 && shape.normalized(axis: softmax.axis) == shape.rank - 1
      return isWhole ? input : output
    case (.binaryCrossEntropy, let unary as Unary) where unary.kind == .sigmoid: return input
    default: return output
    }
  }

  /// The loss of a batch, and its gradient.
  ///
  /// - Parameters:
  ///   - output: what the graph gave; the logits if `isFused` (see `entry`).
  ///   - target: as many floats.
  ///   - classes: the extent of the last axis.
  ///   - samples: how many samples the floats are.
  ///   - count: how many of these count.
  ///   - gradient: where the gradient with respect to `output` goes.
  func evaluate(
    _ output: FloatBuffer,
    _ target: FloatBuffer,
    weights: FloatBuffer,
    classes: Int,
    samples: Int,
    count: Int,
    gradient: FloatBuffer?,
    isFused: Bool
  ) -> Double {
    guard samples > 0, count > 0, output.count > 0, classes > 0 else { return 0 }
    let perSample = output.count / samples
    let divisor = self == .categoricalCrossEntropy ? perSample / classes : perSample
    let share = 1 / Float(divisor * count)
    var total: Double = 0
    if let gradient, count < samples {
      gradient.part(count * perSample, (samples - count) * perSample).fill(0)
    }
    for sample in 0..<count {
      let weight = weights[sample]
      let range = sample * perSample..<(sample + 1) * perSample
      var sum: Double = 0
      switch self {
      case .meanSquared:
        for index in range {
          let e = output[index] - target[index]
          sum += Double(e * e)
          gradient?[index] = 2 * e * share * weight
        }
      case .logCosh:
        for index in range {
          let e = output[index] - target[index]
          sum += Double(Self.logCosh(e))
          gradient?[index] = tanh(e) * share * weight
        }
      case .binaryCrossEntropy:
        for index in range {
          let (y, t) = (output[index], target[index])
          if isFused {
            let e = exp(-y.magnitude)
            sum += Double(max(y, 0) - y * t + log1p(e))
            gradient?[index] = ((y < 0 ? e : 1) / (1 + e) - t) * share * weight
            continue
          }
          let p = min(max(y, Self.epsilon), 1 - Self.epsilon)
          sum -= Double(t * log(p) + (1 - t) * log(1 - p))
          let slope = y == p ? (p - t) / (p * (1 - p)) : 0
          gradient?[index] = slope * share * weight
        }
      case .categoricalCrossEntropy:
        for row in stride(from: range.lowerBound, to: range.upperBound, by: classes) {
          if isFused {
            let part = Self.crossEntropy(output, target, row..<row + classes)
            sum += Double(part.loss)
            guard let gradient else { continue }
            for k in row..<row + classes {
              let p = exp(output[k] - part.shift)
              gradient[k] = (p * part.mass - target[k]) * share * weight
            }
            continue
          }
          for k in row..<row + classes {
            let (y, t) = (output[k], target[k])
            let p = min(max(y, Self.epsilon), 1 - Self.epsilon)
            if t != 0 { sum -= Double(t * log(p)) }
            gradient?[k] = (y == p ? -t / p : 0) * share * weight
          }
        }
      }
      total += sum * Double(weight)
    }
    return total / (Double(divisor) * Double(count))
  }

  /// The cross-entropy of a row of logits: the loss, the logarithm of the sum of their exponentials,
  /// and the sum of the targets.
  private static func crossEntropy(
    _ logits: FloatBuffer,
    _ target: FloatBuffer,
    _ row: Range<Int>
  ) -> (loss: Float, shift: Float, mass: Float) {
    var most = -Float.infinity
    for k in row { most = max(most, logits[k]) }
    var (sum, mass, along): (Float, Float, Float) = (0, 0, 0)
    for k in row {
      sum += exp(logits[k] - most)
      mass += target[k]
      along += target[k] * logits[k]
    }
    let shift = most + log(sum)
    return (shift * mass - along, shift, mass)
  }

  /// `log cosh(e)` without the overflow of cosh, and exact for small errors.
  private static func logCosh(_ e: Float) -> Float {
    let x = e.magnitude
    // The difference of the plain formula would lose all digits of a small error.
    if x < 0.05 {
      let s = x * x
      return s * (0.5 - s * (1.0 / 12 - s / 45))
    }
    return x + log1p(exp(-2 * x)) - 0.6931471805599453
  }
}

/// What is shown beside the loss.
public enum Metric: String, Sendable, CaseIterable {
  /// The part of positions whose greatest output is the target's greatest; with one output, the part
  /// on the right side of 0.5.
  case accuracy
  /// The mean of |y - t|.
  case meanAbsoluteError = "mean-absolute-error"

  /// The metric's sum over the samples that count, and what to divide by.
  func sum(
    _ output: FloatBuffer,
    _ target: FloatBuffer,
    classes: Int,
    samples: Int,
    count: Int
  ) -> (sum: Double, count: Double) {
    guard samples > 0, classes > 0 else { return (0, 0) }
    let end = output.count / samples * count
    switch self {
    case .meanAbsoluteError:
      var sum: Double = 0
      for index in 0..<end { sum += Double((output[index] - target[index]).magnitude) }
      return (sum, Double(end))
    case .accuracy:
      var hits = 0
      for row in stride(from: 0, to: end, by: classes) {
        if classes == 1 {
          hits += (output[row] > 0.5) == (target[row] > 0.5) ? 1 : 0
          continue
        }
        var (best, wanted) = (row, row)
        for k in row..<row + classes {
          if output[k] > output[best] { best = k }
          if target[k] > target[wanted] { wanted = k }
        }
        hits += best == wanted ? 1 : 0
      }
      return (Double(hits), Double(end / classes))
    }
  }
}
