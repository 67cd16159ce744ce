import AssayGraph
import AssayTensor

/// The weights and bias of a linear operator, to fold channel-wise functions into.
struct LinearWeights {
  let node: Node
  let weights: Tensor
  let bias: [Float]?
  /// Whether the weights' last axis counts the outputs (depthwise); else the first one does.
  private let isOutputLast: Bool
  /// For each weight's position on its last axis and each output, the input channel.
  private let channel: (_ output: Int, _ tap: Int) -> Int

  /// The weights of a node with constant float32 weights, or `nil`.
  init?(_ node: Node, _ graph: GraphIndex) {
    guard node.inputs.count >= 2, let id = node.inputs[1], graph.isFloat(node.outputs[0]),
      let weights = graph.graph[id].constant, weights.dtype == .float32,
      weights.quantization == nil, let image = node.inputs[0], graph.isFloat(image)
    else { return nil }
    let biasID = node.inputs.count > 2 ? node.inputs[2] : nil
    if biasID != nil, graph.floats(biasID) == nil { return nil }
    bias = graph.floats(biasID)
    let shape = weights.shape
    let channels = graph.graph[image].type.shape[-1]
    switch node.op {
    case is Conv2D:
      let taps = shape[3]
      let outputsOfGroup = max(shape[0] / max(channels / max(taps, 1), 1), 1)
      isOutputLast = false
      channel = { output, tap in output / outputsOfGroup * taps + tap }
    case is FullyConnected, is TransposeConv2D:
      isOutputLast = false
      channel = { _, tap in tap }
    case is DepthwiseConv2D:
      let multiplier = max(shape[3] / max(channels, 1), 1)
      isOutputLast = true
      channel = { output, _ in output / multiplier }
    default: return nil
    }
    self.node = node
    self.weights = weights
  }

  /// The number of outputs.
  var outputs: Int { isOutputLast ? weights.shape[-1] : weights.shape[0] }

  /// Whether no zeros stand around the image, which an added term would have to reach too.
  func hasNoPadding(_ graph: GraphIndex) -> Bool {
    guard let op = node.op as? any Convolution, let image = node.inputs[0] else {
      return node.op is FullyConnected
    }
    let shape = graph.graph[image].type.shape
    return op.padding == .valid
      || shape.isStatic && op.amounts(op.padding, shape, weights.shape) == [0, 0, 0, 0]
  }

  /// Weights and bias of the operator followed by `affine`.
  func followed(by affine: ChannelAffine) -> (weights: Tensor, bias: [Float]?) {
    let (scale, shift) = affine.expanded(outputs)
    let needsBias = bias != nil || !affine.hasNoShift
    let newBias = (0..<outputs).map { output in
      Float(Double(bias?[output] ?? 0) * scale[output] + shift[output])
    }
    let newWeights = affine.hasNoScale ? weights : scaled { output, _ in scale[output] }
    return (newWeights, needsBias ? newBias : nil)
  }

  /// Weights and bias of the operator preceded by `affine`.
  func preceded(by affine: ChannelAffine, channels: Int) -> (weights: Tensor, bias: [Float]?) {
    let (scale, shift) = affine.expanded(channels)
    var terms = [Double](repeating: 0, count: outputs)
    if !affine.hasNoShift {
      unsafe forEachRow { output, source, _ in
        for tap in 0..<source.count {
          let o = isOutputLast ? tap : output
          terms[o] += unsafe Double(source[tap]) * shift[channel(o, tap)]
        }
      }
    }
    let newBias = (0..<outputs).map { Float(Double(bias?[$0] ?? 0) + terms[$0]) }
    let newWeights = scaled { output, tap in scale[channel(output, tap)] }
    return (newWeights, bias != nil || !affine.hasNoShift ? newBias : nil)
  }

  /// The weights, each multiplied by a factor of its output and its position on the last axis.
  private func scaled(_ factor: (_ output: Int, _ tap: Int) -> Double) -> Tensor {
    var factors: [Double] = []
    var last = -1
    return unsafe Tensor(weights.type, as: Float.self) { target in
      unsafe forEachRow { output, source, offset in
        if last != output {
          factors = (0..<source.count).map { factor(isOutputLast ? $0 : output, $0) }
          last = output
        }
        for tap in 0..<source.count {
          unsafe target[offset + tap] = Float(Double(source[tap]) * factors[tap])
        }
      }
    }
  }

  /// Every run of weights along the last axis with its output (0 where the run crosses all outputs).
  private func forEachRow(
    _ body: (_ output: Int, _ row: UnsafeBufferPointer<Float>, _ offset: Int) -> Void
  ) {
    let length = max(weights.shape[-1], 1)
    let rowsOfOutput = isOutputLast ? Int.max : max(weights.count / length / max(outputs, 1), 1)
    unsafe weights.withElements(as: Float.self) { elements in
      for row in 0..<elements.count / length {
        let offset = row * length
        unsafe body(
          row / rowsOfOutput,
          UnsafeBufferPointer(rebasing: elements[offset..<offset + length]),
          offset
        )
      }
    }
  }

  /// The node with new weights and bias, which become Constants of the patch.
  func node(
    _ weights: Tensor,
    _ bias: [Float]?,
    _ graph: Graph,
    into patch: inout GraphPatch
  ) -> Node {
    var node = node
    func name(_ index: Int, _ otherwise: String) -> String {
      let id = node.inputs.indices.contains(index) ? node.inputs[index] : nil
      return id.map { graph[$0].name } ?? "\(node.name)/\(otherwise)"
    }
    let weightsName = name(1, "weights")
    let biasName = name(2, "bias")
    node.inputs[1] = patch.add(Value(name: weightsName, type: weights.type, constant: weights))
    if let bias {
      let tensor = Tensor(bias, [bias.count])
      let id = patch.add(Value(name: biasName, type: tensor.type, constant: tensor))
      node.inputs = Array(node.inputs.prefix(2)) + [id]
    }
    return node
  }
}
