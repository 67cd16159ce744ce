import AssayFormat
import AssayGraph
import AssayTensor

// Quantized networks are written in the QDQ form: an operator reads what DequantizeLinear gives it
// and QuantizeLinear takes its result. Runtimes fuse the three into an integer kernel.

extension GraphExporter {
  /// An input as floats, in the layout of the node (its own type, if it is not quantized).
  mutating func real(_ view: NodeView, _ index: Int) -> String {
    guard view.node.inputs.indices.contains(index), let id = view.node.inputs[index] else {
      return ""
    }
    let type = view.input(index)
    let layout = inputLayout(view, index)
    if parameters.contains(id) {
      return parameter(
        id,
        permutation: layout == .channelsFirst ? layout.permutation : nil,
        isDequantized: type.isQuantizedInteger
      )
    }
    let name = name(of: id, in: layout)
    guard type.isQuantizedInteger else { return name }
    return dequantize(name, type, hint: "\(graph[id].name)/real")
  }

  /// An input as it is stored, in the layout of the node.
  mutating func stored(_ view: NodeView, _ index: Int) -> String {
    guard view.node.inputs.indices.contains(index), let id = view.node.inputs[index] else {
      return ""
    }
    return name(of: id, in: inputLayout(view, index))
  }

  /// Adds the node that makes floats of quantized integers or halves.
  ///
  /// Every reader gets a node of its own, as the runtimes' fusions want it.
  mutating func dequantize(_ name: String, _ type: TensorType, hint: String) -> String {
    let result = unique(hint)
    guard let quantization = type.quantization, type.dtype.isInteger else {
      add("Cast", [name], to: [result], [.int("to", Int(DType.float32.onnx))])
      return result
    }
    let (inputs, attributes) = quantizationInputs(quantization, type)
    add("DequantizeLinear", [name] + inputs, to: [result], attributes)
    return result
  }

  /// Adds the node that makes quantized integers of floats.
  mutating func quantize(_ source: String, to type: TensorType, name: String) {
    guard let quantization = type.quantization else { return }
    let (inputs, attributes) = quantizationInputs(quantization, type)
    add("QuantizeLinear", [source] + inputs, to: [name], attributes)
  }

  /// Scale, zero point and axis as ONNX takes them.
  mutating func quantizationInputs(
    _ quantization: Quantization,
    _ type: TensorType
  ) -> ([String], [ONNXAttribute]) {
    let dtype = type.dtype
    let isPerChannel = quantization.isPerChannel
    let block = quantization.blockSize.flatMap { size in
      quantization.axis.flatMap(type.shape.normalized(axis:)).map { (axis: $0, size: size) }
    }
    let isScalar = !isPerChannel && block == nil
    let scales = isScalar ? [quantization.scale] : quantization.scales
    let zeros = isScalar ? [quantization.zeroPoint] : quantization.zeroPoints
    var shape: Shape = isScalar ? [] : [scales.count]
    if let block {
      shape = type.shape
      shape.dims[block.axis] = (shape[block.axis] + block.size - 1) / max(block.size, 1)
    }
    let scale = constant(Tensor(scales, shape), hint: "quantization/scale")
    var inputs = [scale]
    // Biases are symmetric by the specification, and runtimes want no zero point on them.
    if dtype != .int32,
      let zero = Tensor(zeros.map { Int32($0) }, shape, dtype: .int32).converted(to: dtype)
    {
      inputs.append(constant(zero, hint: "quantization/zero"))
    }
    if let block {
      return (inputs, [.int("axis", block.axis), .int("block_size", block.size)])
    }
    let axis = isPerChannel ? quantization.axis.map { [ONNXAttribute.int("axis", $0)] } : nil
    return (inputs, axis ?? [])
  }
}
