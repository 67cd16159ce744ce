import AssayGraph
import AssayTensor

/// A convolution with a group for each channel is a depthwise convolution.
struct GroupedToDepthwise: LocalPass {
  func rewrite(_ index: Int, of graph: GraphIndex, into patch: inout GraphPatch) {
    let node = graph.graph.nodes[index]
    guard let op = node.op as? Conv2D, let image = node.inputs[0], let filter = node.inputs[1],
      graph.isFloat(image), let weights = graph.graph[filter].constant, weights.dtype == .float32,
      weights.shape[3] == 1, graph.graph[image].type.shape[3] > 1
    else { return }
    // [O, KH, KW, 1] -> [1, KH, KW, O]; output channel c*M + m of group c is that of depthwise.
    let (outputs, taps) = (weights.shape[0], weights.shape[1] * weights.shape[2])
    let source = weights.elements(as: Float.self)
    var moved = [Float](repeating: 0, count: source.count)
    for o in 0..<outputs {
      for tap in 0..<taps { moved[tap * outputs + o] = source[o * taps + tap] }
    }
    let tensor = Tensor(moved, [1, weights.shape[1], weights.shape[2], outputs])
    let id = patch.add(
      Value(name: graph.graph[filter].name, type: tensor.type, constant: tensor)
    )
    let depthwise = DepthwiseConv2D(
      strides: op.strides,
      dilations: op.dilations,
      padding: op.padding,
      activation: op.activation
    )
    let inputs = [image, id] + node.inputs.dropFirst(2)
    patch.replace(
      index,
      with: [Node(name: node.name, op: depthwise, inputs: inputs, outputs: node.outputs)]
    )
  }
}
