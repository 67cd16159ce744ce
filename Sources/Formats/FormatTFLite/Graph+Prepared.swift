import AssayGraph
import AssayTensor

extension Graph {
  /// The graph with a copy wherever an input leaves as an output.
  ///
  /// LiteRT (2.3.0) gives such an output a buffer of its own that nothing writes to.
  func withCopiedInputs() throws -> Graph {
    guard outputs.contains(where: inputs.contains) else { return self }
    var result = self
    for (index, id) in outputs.enumerated()
    where inputs.contains(id) && self[id].type.shape.isStatic {
      let name = outputName(id)
      let copy = result.add(Value(name: name + "/copy", type: self[id].type))
      result.nodes.append(
        Node(
          name: name + "/copy",
          op: Reshape(self[id].type.shape.dims),
          inputs: [id],
          outputs: [copy]
        )
      )
      result.outputs[index] = copy
      result.outputNames[copy] = name
    }
    return result
  }

  /// The graph with sums, products and quotients of plain integers of 8 and 16 bits in 32 bits.
  ///
  /// LiteRT's kernels take such integers for quantized ones, of which they want a scale.
  func withWideArithmetic() throws -> Graph {
    let narrow: Set<DType> = [.int8, .uint8, .int16, .uint16]
    func isNarrow(_ node: Node) -> Bool {
      guard let op = node.op as? Binary, op.activation == .none, let output = node.outputs.first
      else { return false }
      let type = self[output].type
      return [.add, .subtract, .multiply, .divide].contains(op.kind) && narrow.contains(type.dtype)
        && type.quantization == nil
    }
    guard nodes.contains(where: isNarrow) else { return self }
    var result = self
    result.nodes = []
    for var node in nodes {
      guard isNarrow(node), let output = node.outputs.first else {
        result.nodes.append(node)
        continue
      }
      func wide(_ id: ValueID, _ name: String) -> ValueID {
        let type = TensorType(.int32, self[id].type.shape)
        return result.add(Value(name: "\(node.name)/\(name)", type: type))
      }
      for (index, input) in node.inputs.enumerated() {
        guard let input else { continue }
        let made = wide(input, "wide\(index)")
        result.nodes.append(
          Node(
            name: "\(node.name)/wide\(index)",
            op: Cast(.int32),
            inputs: [input],
            outputs: [made]
          )
        )
        node.inputs[index] = made
      }
      let sum = wide(output, "wide")
      node.outputs = [sum]
      result.nodes.append(node)
      result.nodes.append(
        Node(
          name: "\(node.name)/narrow",
          op: Cast(self[output].type.dtype, saturates: false),
          inputs: [sum],
          outputs: [output]
        )
      )
    }
    return result
  }

  /// The graph with long enlargements of integers as a choice of pixels by index.
  ///
  /// LiteRT (2.3.0) finds the nearest pixel of 8-bit images in fixed point: it steps by the ratio in
  /// 16 bits, rounded up, and drifts away where an axis has many pixels.
  func withExactResizes() throws -> Graph {
    func drifts(_ from: Int, _ to: Int) -> Bool {
      guard from > 0, to > 0 else { return false }
      let step = (from << 16) / to + 1
      return (0..<to).contains { min(($0 * step) >> 16, from - 1) != $0 * from / to }
    }
    func axes(_ node: Node) -> [Int] {
      guard let op = node.op as? Resize2D, op.kind == .nearest, !op.alignsCorners,
        !op.usesHalfPixels, let input = node.inputs.first ?? nil, let output = node.outputs.first
      else { return [] }
      let (before, after) = (self[input].type, self[output].type)
      guard before.dtype.bitWidth == 8, before.shape.isStatic, after.shape.isStatic else {
        return []
      }
      let resized = [1, 2].filter { before.shape[$0] != after.shape[$0] }
      return resized.contains { drifts(before.shape[$0], after.shape[$0]) } ? resized : []
    }
    guard nodes.contains(where: { !axes($0).isEmpty }) else { return self }
    var result = self
    result.nodes = []
    for node in nodes {
      let axes = axes(node)
      guard !axes.isEmpty, var source = node.inputs.first ?? nil, let output = node.outputs.first
      else {
        result.nodes.append(node)
        continue
      }
      for axis in axes {
        var type = result[source].type
        let (from, to) = (type.shape[axis], self[output].type.shape[axis])
        type.shape.dims[axis] = to
        let indices = Tensor((0..<to).map { Int32(clamping: $0 * from / to) }, [to])
        let name = "\(node.name)/nearest\(axis)"
        let chosen = result.addConstant(name + "/indices", indices)
        let made = axis == axes.last ? output : result.add(Value(name: name, type: type))
        result.nodes.append(
          Node(name: name, op: Gather(axis: axis), inputs: [source, chosen], outputs: [made])
        )
        source = made
      }
    }
    return result
  }
}
