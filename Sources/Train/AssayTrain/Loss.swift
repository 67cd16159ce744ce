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
  /// Behind a softmax or sigmoid that belongs to the loss this is the function's input: the gradient
  /// there is `p - t`, which stays exact where a probability rounds to 0 or 1.
  func entry(_ output: ValueID, in graph: Graph) -> ValueID {
    guard let index = graph.nodes.firstIndex(where: { $0.outputs.contains(output) }),
      let input = graph.nodes[index].inputs.first ?? nil
    else { return output }
    switch (self, graph.nodes[index].op) {
    case (.categoricalCrossEntropy, let softmax as Softmax)
    where softmax.beta == 1
      && graph[output].type.shape.normalized(axis: softmax.axis)
        == graph[output].type.shape.rank - 1:
      return input
    case (.binaryCrossEntropy, let unary as Unary) where unary.kind == .sigmoid: return input
    default: return output
    }
  }

  /// The loss of a batch, and its gradient.
  ///
  /// - Parameters:
  ///   - output: what the graph gave, and `target`, of as many floats.
  ///   - classes: the extent of the last axis.
  ///   - samples: how many samples the floats are.
  ///   - count: how many of these count.
  ///   - gradient: where the gradient goes: of the logits if `isFused` (see `entry`).
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
          let p = min(max(y, Self.epsilon), 1 - Self.epsilon)
          sum -= Double(t * log(p) + (1 - t) * log(1 - p))
          guard let gradient else { continue }
          if isFused {
            gradient[index] = (y - t) * share * weight
          } else {
            let slope = y == p ? (p - t) / (p * (1 - p)) : 0
            gradient[index] = slope * share * weight
          }
        }
      case .categoricalCrossEntropy:
        for row in stride(from: range.lowerBound, to: range.upperBound, by: classes) {
          var mass: Float = 0
          for k in row..<row + classes { mass += target[k] }
          for k in row..<row + classes {
            let (y, t) = (output[k], target[k])
            let p = min(max(y, Self.epsilon), 1 - Self.epsilon)
            if t != 0 { sum -= Double(t * log(p)) }
            guard let gradient else { continue }
            let slope = isFused ? y * mass - t : y == p ? -t / p : 0
            gradient[k] = slope * share * weight
          }
        }
      }
      total += sum * Double(weight)
    }
    return total / (Double(divisor) * Double(count))
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
