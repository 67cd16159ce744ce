import AssayBase
import AssayGraph
import AssayTensor

extension Problem {
  /// Graphs of the 8-bit specification and of hybrid kernels.
  static func quantized(_ builder: inout ProblemBuilder) throws {
    let input = Quantization(scale: 0.05, zeroPoint: -3)
    let output = Quantization(scale: 0.1, zeroPoint: 5)
    let filter = try perChannel(builder.weights([6, 3, 3, 4]), axis: 0)
    let taps = try perChannel(builder.weights([1, 3, 3, 4]), axis: 3)
    let rows = try perChannel(builder.weights([5, 24]), axis: 0)
    let taps6 = try perChannel(builder.weights([1, 3, 3, 6]), axis: 3)
    let rows6 = try perChannel(builder.weights([5, 6]), axis: 0)
    let (bias6, bias5) = (builder.weights([6]), builder.weights([5]))
    try builder.add("static_int8_floatio") { graph in
      let x = graph.addInput("x", TensorType(.float32, [1, 5, 6, 4]))
      let q = try quantizing(&graph, "x_int8", Quantize(.int8, input), [x], input)
      let c = try quantizing(
        &graph,
        "conv",
        Conv2D(strides: Size2D(2, 2), padding: .same, activation: .relu),
        [q, graph.addConstant("filter", filter), bias(&graph, "bias", filter, input)],
        output
      )
      let p = try quantizing(
        &graph,
        "pool",
        Pool2D(.max, window: Size2D(2, 2), strides: .one, padding: .same),
        [c],
        output
      )
      let sum = try quantizing(&graph, "sum", Binary(.add), [c, p], input)
      graph.outputs = try graph.addNode("y", Dequantize(), [sum])
    }
    try builder.add("static_uint8") { graph in
      let wide = Quantization(scale: 0.05, zeroPoint: 125)
      let x = graph.addInput("x", TensorType(.uint8, [1, 2, 3, 4], quantization: wide))
      let q = try quantizing(&graph, "x_int8", Quantize(.int8, input), [x], input)
      let d = try quantizing(
        &graph,
        "depthwise",
        DepthwiseConv2D(padding: .same),
        [q, graph.addConstant("taps", taps), bias(&graph, "bias", taps, input)],
        output
      )
      let flat = try quantizing(&graph, "z/Reshape", Reshape([1, 24]), [d], output)
      let z = try quantizing(
        &graph,
        "z",
        FullyConnected(),
        [flat, graph.addConstant("rows", rows), bias(&graph, "row bias", rows, output)],
        input
      )
      let scores = Quantization(scale: 1 / 256, zeroPoint: -128)
      let s = try quantizing(&graph, "scores", Softmax(), [z], scores)
      let unsigned = Quantization(scale: 1 / 256, zeroPoint: 0)
      graph.outputs = [
        try quantizing(&graph, "probabilities", Quantize(.uint8, unsigned), [s], unsigned, .uint8)
      ]
    }
    try builder.add("dynamic_int8") { graph in
      let x = graph.addInput("x", TensorType(.float32, [1, 2, 3, 4]))
      let c = try graph.addNode(
        "conv",
        Conv2D(padding: .same),
        [x, graph.addConstant("filter", filter), graph.addConstant("b", bias6)]
      )[0]
      let d = try graph.addNode(
        "depthwise",
        DepthwiseConv2D(padding: .same),
        [c, graph.addConstant("taps", taps6), graph.addConstant("c", bias6)]
      )[0]
      graph.outputs = try graph.addNode(
        "dense",
        FullyConnected(),
        [d, graph.addConstant("rows", rows6), graph.addConstant("e", bias5)]
      )
    }
  }

  /// Weights of 8 bits with a scale for each slice along `axis`.
  static func perChannel(_ weights: Tensor, axis: Int) throws -> Tensor {
    let channels = weights.shape[axis]
    let inner = weights.shape.strides[axis]
    var greatest = [Float](repeating: 1e-6, count: channels)
    for (index, value) in weights.floats().enumerated() {
      let channel = index / inner % channels
      greatest[channel] = max(greatest[channel], abs(value))
    }
    let quantization = Quantization(scales: greatest.map { $0 / 127 }, axis: axis)
    guard let quantized = weights.converted(to: .int8, quantization: quantization) else {
      throw Diagnostic("TST001", "weights cannot be quantized")
    }
    return quantized
  }

  private static func bias(
    _ graph: inout Graph,
    _ name: String,
    _ weights: Tensor,
    _ input: Quantization
  ) -> ValueID {
    let scales = (weights.quantization?.scales ?? []).map { $0 * input.scale }
    let values = scales.indices.map { Int32($0 * 40 - 60) }
    let quantization = Quantization(scales: scales, axis: 0)
    let tensor = Tensor(values, [values.count], dtype: .int32, quantization: quantization)
    return graph.addConstant(name, tensor)
  }

  private static func quantizing(
    _ graph: inout Graph,
    _ name: String,
    _ op: any Operator,
    _ inputs: [ValueID?],
    _ quantization: Quantization,
    _ dtype: DType = .int8
  ) throws -> ValueID {
    let id = try graph.addNode(name, op, inputs)[0]
    graph[id].type.dtype = dtype
    graph[id].type.quantization = quantization
    return id
  }
}
