import AssayFormat
import AssayGraph
import AssayTensor

extension IRExporter {
  /// An input as floats, in the layout of the node (its own type, if it is not quantized).
  mutating func real(_ view: NodeView, _ index: Int) -> IRValue {
    guard view.node.inputs.indices.contains(index), let id = view.node.inputs[index] else {
      return constant(0)
    }
    return value(of: id, in: inputLayout(view, index))
  }

  /// An operand of a broadcasting operator as floats, in the layout of the node.
  mutating func operand(_ view: NodeView, _ index: Int) -> IRValue {
    let type = view.input(index)
    guard view.isParameter[index], view.outputs[0].shape.rank == 4, type.shape.rank < 4,
      plan.outputs[view.index] == .channelsFirst, let id = view.node.inputs[index],
      type.shape.count != 1
    else { return real(view, index) }
    let missing = 4 - type.shape.rank
    let dims = [Int](repeating: 1, count: missing) + type.shape.dims
    let arranged = Layout.channelsFirst.arrange(dims)
    // The axes of the operand as they follow one another in the new order.
    let order = Layout.channelsFirst.permutation.filter { $0 >= missing }
    return parameter(id, permutation: order.map { $0 - missing }, shape: arranged)
  }

  /// A filter as floats, its axes in OpenVINO's order and then in its shape.
  mutating func filter(
    _ view: NodeView,
    _ index: Int,
    permutation: [Int],
    shape: [Int]? = nil
  ) -> IRValue {
    guard let id = view.node.inputs[index] else { return constant(0) }
    if view.isParameter[index] { return parameter(id, permutation: permutation, shape: shape) }
    let source = transposed(value(of: id, in: .channelsLast), permutation)
    return shape.map { reshaped(source, $0) } ?? source
  }

  /// The sum of a node's result and its bias, if there is one, along an axis of extents `dims`.
  mutating func biased(
    _ result: IRValue,
    _ view: NodeView,
    _ index: Int,
    axis: Int
  ) -> IRValue {
    guard view.has(index), let id = view.node.inputs[index] else { return result }
    let count = view.input(index).shape.count
    let rank = type(of: result).shape.rank
    var dims = [Int](repeating: 1, count: max(rank, 1))
    dims[axis < 0 ? dims.count + axis : axis] = count
    let bias: IRValue
    if let floats = biasFloats(view, index) {
      bias = addConstant(Tensor(floats, Shape(dims)), hint: graph[id].name)
    } else if view.isParameter[index] {
      bias = parameter(id, shape: dims)
    } else {
      bias = reshaped(value(of: id, in: .channelsLast), dims)
    }
    return add("Add", [result, bias], outputs: [type(of: result)], for: view)
  }

  /// An integer bias as floats; one without a quantization has the scales of input times weights.
  private func biasFloats(_ view: NodeView, _ index: Int) -> [Float]? {
    guard let id = view.node.inputs[index], let tensor = graph[id].constant,
      tensor.dtype == .int32 || tensor.dtype == .int64
    else { return nil }
    if tensor.quantization != nil { return tensor.floats() }
    guard let input = view.input(0).quantization, let weights = view.input(1).quantization else {
      return tensor.floats()
    }
    let scales = weights.scales.map { $0 * input.scale }
    return tensor.integers().enumerated().map { channel, sum in
      Float(sum) * (scales.count > 1 ? scales[channel % scales.count] : scales[0])
    }
  }
}
