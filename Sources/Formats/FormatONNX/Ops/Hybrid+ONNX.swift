import AssayFormat
import AssayGraph
import AssayTensor

// Dynamic-range networks: weights are stored as int8 with a scale for each channel.
//
// The activations of dense layers are quantized to uint8 while the network runs, by the range that
// they have then. Convolutions stay in floats, because the runtimes' kernels for integer convolutions
// of this kind are several times slower than those for floats; their weights are widened when the file
// is loaded.

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

  /// Integer weights as floats, by nodes that runtimes compute once: a cast and a product, where a
  /// DequantizeLinear would be kept and repeated.
  mutating func widened(_ id: ValueID, _ permutation: [Int]) -> String {
    guard let tensor = graph[id].constant?.rearranged(permutation),
      let quantization = tensor.quantization
    else { return parameter(id, permutation: permutation) }
    let stored = parameter(id, permutation: permutation)
    if let known = widenedNames[stored] { return known }
    var dims = [Int](repeating: 1, count: tensor.shape.rank)
    if quantization.isPerChannel, let axis = quantization.axis { dims[axis] = tensor.shape[axis] }
    let scales = quantization.isPerChannel ? quantization.scales : [quantization.scale]
    let factor = unique("\(stored)/scales")
    file.initializers.append(ONNXTensor(name: factor, Tensor(scales, Shape(dims))))
    let cast = unique("\(stored)/cast")
    add("Cast", [stored], to: [cast], [.int("to", Int(DType.float32.onnx))])
    let result = unique("\(stored)/float")
    add("Mul", [cast, factor], to: [result])
    widenedNames[stored] = result
    return result
  }

  /// The node's result from its integer sums: times both scales, plus the bias.
  mutating func scaleBack(
    _ view: NodeView,
    _ sums: String,
    _ scale: String,
    _ quantization: Quantization,
    _ activation: Activation
  ) {
    let weights = constant(
      Tensor(
        quantization.scales,
        quantization.isPerChannel ? Shape([quantization.scales.count]) : []
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
    finish(view, "Add", [product, parameter(bias)], activation: activation)
  }
}
