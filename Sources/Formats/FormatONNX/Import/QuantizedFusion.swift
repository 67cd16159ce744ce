import AssayBase
import AssayFormat
import AssayGraph
import AssayTensor

// ONNX writes a quantized operator as three nodes or more: DequantizeLinear for what it reads, the
// operator in floats, QuantizeLinear for its result. In a Graph it is one node over quantized values.

extension Graph {
  /// The graph with quantized operators as single nodes, activations as int8.
  func withFusedQuantization() -> Graph {
    guard nodes.contains(where: { $0.op is Quantize }) else { return self }
    var result = self
    result.nodes = QuantizedFusion(self).fused()
    return result.withoutUnusedNodes().withSignedActivations().withoutIdleQuantize()
  }

  /// The graph with uint8 activations as int8, where the weights are int8.
  ///
  /// Integers and zero points are 128 lower. Networks with uint8 weights stay as they are.
  private func withSignedActivations() -> Graph {
    let weights = nodes.compactMap { node -> ValueID? in
      guard node.op.isWeighted, node.inputs.count > 1 else { return nil }
      return node.inputs[1]
    }
    guard weights.allSatisfy({ self[$0].type.dtype != .uint8 }) else { return self }
    var result = self
    let boundary = Set(inputs + outputs)
    for index in values.indices where !boundary.contains(ValueID(index)) {
      let value = values[index]
      guard value.type.dtype == .uint8, let quantization = value.type.quantization,
        !quantization.isPerChannel
      else { continue }
      let lowered = Quantization(
        scale: quantization.scale,
        zeroPoint: quantization.zeroPoint &- 128
      )
      result[ValueID(index)].type = TensorType(.int8, value.type.shape, quantization: lowered)
      guard let constant = value.constant else { continue }
      result[ValueID(index)].constant = Tensor(
        constant.elements(as: UInt8.self).map { $0 ^ 0x80 },
        constant.shape,
        dtype: .int8,
        quantization: lowered
      )
    }
    for index in result.nodes.indices where result.nodes[index].op is Quantize {
      let type = result[result.nodes[index].outputs[0]].type
      guard let quantization = type.quantization else { continue }
      result.nodes[index].op = Quantize(type.dtype, quantization)
    }
    return result
  }

  /// The graph without changes of type that change nothing.
  private func withoutIdleQuantize() -> Graph {
    var result = self
    var same: [ValueID: ValueID] = [:]
    result.nodes = []
    let leaving = Set(outputs)
    let makers = producers()
    let readers = consumers()
    var renamed: [ValueID: ValueID] = [:]
    for node in nodes {
      var copy = node
      copy.inputs = node.inputs.map { $0.map { same[$0] ?? $0 } }
      guard node.op is Quantize, let source = copy.inputs.first.flatMap({ $0 }),
        self[source].type == self[node.outputs[0]].type
      else {
        result.nodes.append(copy)
        continue
      }
      let output = node.outputs[0]
      if !leaving.contains(output) {
        same[output] = source
      } else if makers[source] != nil, readers[source]?.count == 1, !leaving.contains(source) {
        renamed[source] = output
      } else {
        result.nodes.append(copy)
      }
    }
    for index in result.nodes.indices {
      result.nodes[index].outputs = result.nodes[index].outputs.map { renamed[$0] ?? $0 }
    }
    return result.compacted()
  }
}

/// Finds operators between DequantizeLinear and QuantizeLinear.
private struct QuantizedFusion {
  private let graph: Graph
  private let makers: [ValueID: Int]
  private let readers: [ValueID: [Int]]
  private let leaving: Set<ValueID>

  init(_ graph: Graph) {
    self.graph = graph
    makers = graph.producers()
    readers = graph.consumers()
    leaving = Set(graph.outputs)
  }

  func fused() -> [Node] {
    var result = graph.nodes.map { Node?.some($0) }
    for (index, node) in graph.nodes.enumerated() {
      guard let (replacement, consumed) = fused(node) else { continue }
      result[index] = replacement
      for other in consumed { result[other] = nil }
    }
    return result.compactMap { $0 }
  }

  /// The node over integers that stands for `node`, and the nodes after it that it replaces.
  private func fused(_ node: Node) -> (Node, [Int])? {
    if node.op is Quantize, let source = node.inputs.first.flatMap({ $0 }),
      let integers = integers(behind: source)
    {
      return (Node(name: node.name, op: node.op, inputs: [integers], outputs: node.outputs), [])
    }
    guard node.op.isQuantizable, node.outputs.count == 1 else { return nil }
    var inputs: [ValueID?] = []
    for input in node.inputs {
      guard let input else {
        inputs.append(nil)
        continue
      }
      guard let integers = integers(behind: input) else { return nil }
      inputs.append(integers)
    }
    guard var next = onlyReader(of: node.outputs[0]) else { return nil }
    var op = node.op
    var consumed: [Int] = []
    if let unary = graph.nodes[next].op as? Unary, let activation = unary.activation,
      let combined = op.with(activation: activation),
      let reader = onlyReader(of: graph.nodes[next].outputs[0])
    {
      op = combined
      consumed.append(next)
      next = reader
    }
    guard graph.nodes[next].op is Quantize, let result = graph.nodes[next].outputs.first,
      let first = inputs.first.flatMap({ $0 })
    else { return nil }
    let (from, to) = (graph[first].type, graph[result].type)
    guard to.dtype.bitWidth == 8, !(to.quantization?.isPerChannel ?? true),
      !op.isMovement || from.dtype == to.dtype && from.quantization == to.quantization
    else { return nil }
    consumed.append(next)
    return (Node(name: node.name, op: op, inputs: inputs, outputs: [result]), consumed)
  }

  private func integers(behind value: ValueID) -> ValueID? {
    guard let maker = makers[value], graph.nodes[maker].op is Dequantize,
      let source = graph.nodes[maker].inputs.first.flatMap({ $0 }),
      graph[source].type.isQuantizedInteger
    else { return nil }
    return source
  }

  private func onlyReader(of value: ValueID) -> Int? {
    guard !leaving.contains(value), let all = readers[value], all.count == 1 else { return nil }
    return all[0]
  }
}

extension Unary {
  /// The fused activation that does the same.
  fileprivate var activation: Activation? {
    switch kind {
    case .relu: .relu
    case .relu6: .relu6
    case .reluN1To1: .reluN1To1
    default: nil
    }
  }
}

extension Operator {
  /// Whether input 1 holds weights.
  fileprivate var isWeighted: Bool {
    self is Conv2D || self is DepthwiseConv2D || self is TransposeConv2D || self is FullyConnected
  }

  /// Whether elements only move (or compete), so that input and output share one quantization.
  fileprivate var isMovement: Bool {
    self is Reshape || self is Transpose || self is AssayGraph.Slice || self is Gather
      || self is Pad
      || self is Pool2D || self is Resize2D
  }

  /// Whether it is computed over quantized values.
  fileprivate var isQuantizable: Bool {
    if let binary = self as? Binary { return !binary.kind.isComparison }
    return isWeighted || isMovement && !(self is Gather) || self is MatMul || self is Unary
      || self is LeakyReLU || self is PReLU || self is Reduce || self is Concat || self is Softmax
  }

  /// The operator with a fused activation, if it has none yet and can have one.
  fileprivate func with(activation: Activation) -> (any Operator)? {
    switch self {
    case var op as Conv2D where op.activation == .none:
      op.activation = activation
      return op
    case var op as DepthwiseConv2D where op.activation == .none:
      op.activation = activation
      return op
    case var op as TransposeConv2D where op.activation == .none:
      op.activation = activation
      return op
    case var op as FullyConnected where op.activation == .none:
      op.activation = activation
      return op
    case var op as Pool2D where op.activation == .none:
      op.activation = activation
      return op
    case var op as Binary where op.activation == .none:
      guard [.add, .subtract, .multiply, .divide].contains(op.kind) else { return nil }
      op.activation = activation
      return op
    default: return nil
    }
  }
}
