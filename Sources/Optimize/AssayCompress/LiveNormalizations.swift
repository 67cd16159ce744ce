import AssayAutodiff
import AssayEvaluator
import AssayGraph
import AssayKernels
import AssayQuantize
import AssayTensor
import AssayTrain

#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#else
import Darwin
#endif

extension Graph {
  /// The names of the layers with weights whose results go through a batch normalization and nowhere
  /// else, at most a term for each channel between them.
  ///
  /// A canonical graph has folded those normalizations; its layers keep their names.
  public func normalizedLayers() -> Set<String> {
    let (producers, consumers) = (producers(), consumers())
    var names: Set<String> = []
    for node in nodes where node.op is BatchNorm {
      var value = node.inputs[0]
      while let id = value, consumers[id]?.count == 1, let index = producers[id] {
        let before = nodes[index]
        if let sum = before.op as? Binary, sum.kind == .add, sum.activation == .none,
          let source = before.inputs.compactMap({ $0 }).first(where: { self[$0].constant == nil })
        {
          value = source
          continue
        }
        if (before.op as? any ActivatingOperator)?.activation == Activation.none {
          names.insert(before.name)
        }
        break
      }
    }
    return names
  }
}

/// The mean and variance of each channel of what a layer makes before its activation, bias included.
struct ChannelMoments {
  var mean: [Float]
  var variance: [Float]

  /// Measures layers.
  ///
  /// - Parameters:
  ///   - graph: a canonical network.
  ///   - layers: the nodes, by name.
  ///   - samples: tensors of the inputs, by name.
  /// - Throws: what `Evaluator` throws.
  static func measured(
    _ graph: Graph,
    _ layers: Set<String>,
    samples: [[String: Tensor]],
    threads: Int
  ) throws -> [String: ChannelMoments] {
    var sums: [ValueID: (name: String, count: Int, sums: [Double], squares: [Double])] = [:]
    let split = try graph.withActivationsApart(layers)
    for node in split.nodes where layers.contains(node.name) {
      let channels = split[node.outputs[0]].type.shape[-1]
      let zeros = [Double](repeating: 0, count: max(channels, 0))
      sums[node.outputs[0]] = (node.name, 0, zeros, zeros)
    }
    let evaluator = try Evaluator(split, threads: threads)
    for sample in samples {
      try evaluator.observe(sample) { id, buffer in
        guard var own = sums.removeValue(forKey: id) else { return }
        let channels = own.sums.count
        for row in 0..<(channels == 0 ? 0 : buffer.count / channels) {
          for channel in 0..<channels {
            let number = Double(buffer[row * channels + channel])
            own.sums[channel] += number
            own.squares[channel] += number * number
          }
          own.count += 1
        }
        sums[id] = own
      }
    }
    var moments: [String: ChannelMoments] = [:]
    for own in sums.values where own.count > 0 {
      let means = own.sums.map { $0 / Double(own.count) }
      let variances = zip(own.squares, means).map { max($0 / Double(own.count) - $1 * $1, 0) }
      guard (means + variances).allSatisfy(\.isFinite) else { continue }
      moments[own.name] = ChannelMoments(
        mean: means.map(Float.init),
        variance: variances.map(Float.init)
      )
    }
    return moments
  }
}

extension Graph {
  /// The graph with the activations of some nodes as nodes of their own.
  fileprivate func withActivationsApart(_ layers: Set<String>) throws -> Graph {
    var result = self
    result.nodes = []
    for node in nodes {
      guard layers.contains(node.name), var op = node.op as? any ActivatingOperator,
        let function = op.activation.function.map({ Unary($0) })
      else {
        result.nodes.append(node)
        continue
      }
      op.activation = .none
      var before = self[node.outputs[0]]
      before.name += "/before"
      let sum = result.add(before)
      result.nodes.append(Node(name: node.name, op: op, inputs: node.inputs, outputs: [sum]))
      result.nodes.append(
        Node(
          name: node.name + "/activation",
          op: function,
          inputs: [sum],
          outputs: node.outputs
        )
      )
    }
    return result
  }
}

/// A batch normalization that stands behind a layer again while its rounding is trained.
struct LiveNormalization {
  /// The layer's filter in the source, and the axis of its channels.
  var filter: ValueID
  var axis: Int
  /// The layer's bias in the source.
  var bias: ValueID
  /// The Constants of the trained graph.
  var gamma, beta, mean, variance: ValueID

  /// Added to the variance.
  static let epsilon: Float = 1e-5

  /// Filter and bias of the layer with the normalization folded in.
  ///
  /// A filter's channels are rounded with a scale each, so a factor for each channel changes nothing of
  /// the rounding that was trained.
  ///
  /// - Parameter weights: the filter as it was trained.
  func folded(_ weights: Tensor, in trained: Graph) -> (filter: Tensor, bias: Tensor)? {
    guard let gamma = trained[gamma].constant?.floats(),
      let beta = trained[beta].constant?.floats(),
      let mean = trained[mean].constant?.floats(),
      let variance = trained[variance].constant?.floats()
    else { return nil }
    let factors = zip(gamma, variance).map {
      Double($0) / (Double($1) + Double(Self.epsilon)).squareRoot()
    }
    let inner = weights.shape.dims.dropFirst(axis + 1).reduce(1, *)
    let scaled = weights.floats().enumerated().map { index, weight in
      Float(Double(weight) * factors[index / max(inner, 1) % max(factors.count, 1)])
    }
    let bias = factors.indices.map { Float(Double(beta[$0]) - Double(mean[$0]) * factors[$0]) }
    return (Tensor(scaled, weights.shape), Tensor(bias, [bias.count]))
  }
}

/// Lets batch normalizations stand still from a moment on, so that the last steps train what the file
/// will hold.
final class NormalizationFreeze: ParameterConstraint {
  private let step: Int
  private var isDue = false

  /// - Parameter step: the first for which they stand still.
  init(at step: Int) { self.step = step }

  func begin(_ model: TrainableGraph) {
    if step <= 0 { isDue = true }
    model.freezesNormalization = isDue
  }

  func constrain(_ model: TrainableGraph, step: Int) {
    if step + 1 >= self.step { isDue = true }
    model.freezesNormalization = isDue
  }

  var state: [String: [Float]] {
    get { ["normalizations/stand still": [isDue ? 1 : 0]] }
    set { isDue = newValue["normalizations/stand still"]?.first == 1 }
  }
}
