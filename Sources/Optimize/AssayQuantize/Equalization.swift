import AssayBase
import AssayGraph
import AssayTensor

#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#else
import Darwin
#endif

/// The graph with the channels of consecutive weights brought to the same range; it computes the same.
///
/// This is the cross-layer equalization of Nagel et al. 2019, section 4.1.
///
/// Where only one layer reads what another makes, and between them lie only operators that scale with
/// their input channel by channel (ReLU, pooling, padding with zeros), channel i of the first layer's
/// output may be divided by s and the second layer's weights for it multiplied by s. With
/// s = sqrt(r1 / r2), where r1 and r2 are the greatest magnitudes of both layers' weights for the
/// channel, both become sqrt(r1 r2). Chains of layers are gone through until nothing changes.
///
/// - Returns: the graph, and a note QNT015 of how many pairs were equalized and how many were not
///   because their activation is bounded (ReLU6 does not scale with its input).
func equalized(_ graph: Graph) throws -> (graph: Graph, diagnostics: [Diagnostic]) {
  var pass = Equalization(graph)
  pass.run()
  return (pass.graph, [pass.note])
}

private struct Equalization {
  /// Two layers and the channels between them.
  private struct Pair {
    var first: Int, second: Int
  }

  private(set) var graph: Graph
  private var pairs: [Pair] = []
  private var boundedCount = 0
  private var weights: [ValueID: [Float]] = [:]

  init(_ graph: Graph) {
    self.graph = graph
    let consumers = graph.consumers()
    for first in graph.nodes.indices {
      guard let layer = layer(first, consumers), let output = graph.nodes[first].outputs.first
      else {
        continue
      }
      guard let second = follow(output, consumers), second != first,
        let next = self.layer(second, consumers), next.inputs == layer.outputs
      else { continue }
      if layer.activation.isBounded {
        boundedCount += 1
      } else {
        pairs.append(Pair(first: first, second: second))
      }
    }
  }

  var note: Diagnostic {
    let bounded =
      boundedCount > 0 ? "; \(boundedCount) were left, because their activation is bounded" : ""
    return Diagnostic(
      "QNT015",
      "\(pairs.count) pairs of consecutive weights were equalized\(bounded)",
      severity: .note
    )
  }

  /// What a layer's weights read and make, when they are its own.
  private func layer(
    _ index: Int,
    _ consumers: [ValueID: [Int]]
  ) -> (inputs: Int, outputs: Int, activation: Activation)? {
    let node = graph.nodes[index]
    guard node.inputs.count > 1, let filter = node.inputs[1],
      let shape = graph[filter].constant?.shape, graph[filter].type.dtype == .float32
    else { return nil }
    for id in node.inputs.dropFirst().compactMap({ $0 }) {
      // Weights that others read too must stay.
      guard graph[id].constant != nil, consumers[id]?.count == 1, !graph.outputs.contains(id) else {
        return nil
      }
    }
    switch node.op {
    case let op as Conv2D where shape.rank == 4:
      guard let data = node.inputs[0], graph[data].type.shape.dims.last == shape[3] else {
        return nil
      }
      return (shape[3], shape[0], op.activation)
    case let op as FullyConnected where shape.rank == 2: return (shape[1], shape[0], op.activation)
    case let op as DepthwiseConv2D where shape.rank == 4:
      guard let data = node.inputs[0], graph[data].type.shape.dims.last == shape[3] else {
        return nil
      }
      return (shape[3], shape[3], op.activation)
    default: return nil
    }
  }

  /// The layer that alone reads a value, through operators that scale with their input.
  private func follow(_ value: ValueID, _ consumers: [ValueID: [Int]]) -> Int? {
    var value = value
    while true {
      guard !graph.outputs.contains(value), let readers = consumers[value], readers.count == 1
      else {
        return nil
      }
      let node = graph.nodes[readers[0]]
      guard node.inputs.first == value else { return nil }
      switch node.op {
      case is Conv2D, is DepthwiseConv2D, is FullyConnected: return readers[0]
      case let op as Unary where op.kind == .relu: break
      case let op as Pool2D where !op.activation.isBounded: break
      case is LeakyReLU: break
      case let op as Pad where op.value == 0: break
      case let op as Reduce where op.kind == .mean && isSpatial(op, value): break
      default: return nil
      }
      guard node.outputs.count == 1 else { return nil }
      value = node.outputs[0]
    }
  }

  private func isSpatial(_ op: Reduce, _ value: ValueID) -> Bool {
    let rank = graph[value].type.shape.rank
    return op.axes.allSatisfy { ($0 < 0 ? $0 + rank : $0) != rank - 1 }
  }

  mutating func run() {
    for _ in 0..<40 {
      var change: Float = 0
      for pair in pairs { change = max(change, equalize(pair)) }
      if change < 1e-3 { break }
    }
    for (id, values) in weights {
      graph[id].constant = Tensor(values, graph[id].type.shape)
    }
  }

  /// Brings one pair to the same range.
  ///
  /// - Returns: the greatest change, as the magnitude of the factor's logarithm.
  private mutating func equalize(_ pair: Pair) -> Float {
    let (first, second) = (graph.nodes[pair.first], graph.nodes[pair.second])
    guard let w1 = first.inputs[1], let w2 = second.inputs[1] else { return 0 }
    let outer = outputIndex(first), inner = inputIndex(second)
    let (a, b) = (floats(w1), floats(w2))
    let count = outer.count
    var (r1, r2) = ([Float](repeating: 0, count: count), [Float](repeating: 0, count: count))
    for index in a.indices { r1[outer.of(index)] = max(r1[outer.of(index)], a[index].magnitude) }
    for index in b.indices { r2[inner.of(index)] = max(r2[inner.of(index)], b[index].magnitude) }
    var factors = [Float](repeating: 1, count: count)
    var change: Float = 0
    for channel in 0..<count {
      let factor = (r1[channel] / r2[channel]).squareRoot()
      // A channel that one side does not use has nothing to balance; far factors lose precision.
      guard factor.isNormal, (1e-4...1e4).contains(factor) else { continue }
      factors[channel] = factor
      change = max(change, log(factor).magnitude)
    }
    var (newA, newB) = (a, b)
    for index in a.indices { newA[index] /= factors[outer.of(index)] }
    for index in b.indices { newB[index] *= factors[inner.of(index)] }
    weights[w1] = newA
    weights[w2] = newB
    if first.inputs.count > 2, let bias = first.inputs[2] {
      weights[bias] = zip(floats(bias), factors).map { $0 / $1 }
    }
    return change
  }

  private func floats(_ id: ValueID) -> [Float] {
    weights[id] ?? graph[id].constant?.floats() ?? []
  }

  /// Which channel an element of a filter belongs to.
  private struct ChannelIndex {
    var stride: Int, count: Int
    func of(_ index: Int) -> Int { index / stride % count }
  }

  private func outputIndex(_ node: Node) -> ChannelIndex {
    let shape = node.inputs[1].map { graph[$0].type.shape } ?? []
    let axis = node.op is DepthwiseConv2D ? 3 : 0
    return ChannelIndex(stride: max(shape.strides[axis], 1), count: max(shape[axis], 1))
  }

  private func inputIndex(_ node: Node) -> ChannelIndex {
    let shape = node.inputs[1].map { graph[$0].type.shape } ?? []
    return ChannelIndex(stride: 1, count: max(shape.dims.last ?? 1, 1))
  }
}

extension Activation {
  /// Whether its output does not scale with its input.
  fileprivate var isBounded: Bool { self != .none && self != .relu }
}
