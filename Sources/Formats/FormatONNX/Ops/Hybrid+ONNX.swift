import AssayGraph
import AssayTensor

// Dynamic-range networks: weights are stored as int8 with a scale for each channel; activations are
// quantized to uint8 while the network runs, by the range that they have then.

extension GraphExporter {
  /// What DynamicQuantizeLinear gives.
  struct DynamicallyQuantized {
    var values: String
    var scale: String
    var zeroPoint: String
  }

  /// Input 0 in 8 bits; nodes that read the same value share it.
  mutating func dynamicallyQuantized(_ view: NodeView) -> DynamicallyQuantized {
    let source = real(view, 0)
    if let known = dynamicValues[source] { return known }
    let result = DynamicallyQuantized(
      values: unique("\(source)/quantized"),
      scale: unique("\(source)/scale"),
      zeroPoint: unique("\(source)/zero")
    )
    add(
      "DynamicQuantizeLinear",
      [source],
      to: [result.values, result.scale, result.zeroPoint]
    )
    dynamicValues[source] = result
    return result
  }

  /// The node's result from its integer sums: times both scales, plus the bias.
  ///
  /// - Parameter trailing: extents of 1 that follow the channel axis in ONNX's layout.
  mutating func scaleBack(
    _ view: NodeView,
    _ sums: String,
    _ scale: String,
    _ quantization: Quantization,
    trailing: [Int],
    _ activation: Activation
  ) {
    let weights = constant(
      Tensor(
        quantization.scales,
        quantization.isPerChannel ? Shape([quantization.scales.count] + trailing) : []
      ),
      of: view,
      "scales"
    )
    let both = add("Mul", [scale, weights], for: view)
    let floats = add("Cast", [sums], [.int("to", Int(DType.float32.onnx))], for: view)
    guard view.has(2), let bias = view.node.inputs[2] else {
      finish(view, "Mul", [floats, both], activation: activation)
      return
    }
    let product = add("Mul", [floats, both], for: view)
    let shape = trailing.isEmpty ? nil : [view.input(2).shape.count] + trailing
    let offset = parameter(bias, shape: shape)
    finish(view, "Add", [product, offset], activation: activation)
  }
}
