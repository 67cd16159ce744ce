import AssayBase
import AssayGraph
import AssayReference
import AssayTensor

extension Problem {
  /// The same network in 8 bits: activations by the range that they have here, weights for each
  /// channel, biases in 32 bits.
  ///
  /// - Parameter hasFloatBoundary: whether floats are fed and read.
  func quantized(hasFloatBoundary: Bool) throws -> Problem {
    var ranges: [ValueID: (low: Float, high: Float)] = [:]
    _ = try ReferenceEvaluator(graph).run(inputs) { id, tensor in
      let values = tensor.floats()
      ranges[id] = (min(values.min() ?? 0, 0), max(values.max() ?? 0, 0))
    }
    func activation(_ id: ValueID) -> Quantization {
      let (low, high) = ranges[id] ?? (0, 1)
      let scale = max(high - low, 1e-6) / 255
      return Quantization(scale: scale, zeroPoint: Int32((-128 - low / scale).rounded()))
    }
    var result = Graph(name: graph.name + (hasFloatBoundary ? "_int8_floatio" : "_int8"))
    var map: [ValueID: ValueID] = [:]
    for id in graph.inputs {
      let value = graph[id]
      let quantization = activation(id)
      if hasFloatBoundary {
        let input = result.addInput(value.name, value.type)
        map[id] = try result.addNode("\(value.name)/q", Quantize(.int8, quantization), [input])[0]
        continue
      }
      let type = TensorType(.int8, value.type.shape, quantization: quantization)
      map[id] = result.addInput(value.name, type)
    }
    for node in graph.nodes {
      var ids: [ValueID?] = []
      for (index, input) in node.inputs.enumerated() {
        guard let input else {
          ids.append(nil)
          continue
        }
        guard let constant = graph[input].constant else {
          ids.append(map[input])
          continue
        }
        let isWeight = index == 1 && node.op.weightAxis != nil
        if index == 2, node.op.weightAxis != nil, let x = ids[0], let w = ids[1] {
          let scales = (result[w].type.quantization?.scales ?? []).map {
            $0 * (result[x].type.quantization?.scale ?? 1)
          }
          let bias = constant.converted(
            to: .int32,
            quantization: Quantization(scales: scales, axis: 0)
          )
          ids.append(result.addConstant(graph[input].name, bias ?? constant))
        } else if isWeight, let axis = node.op.weightAxis {
          let scales = constant.symmetricScales(axis: axis)
          let weights = constant.converted(
            to: .int8,
            quantization: Quantization(scales: scales, axis: axis)
          )
          ids.append(result.addConstant(graph[input].name, weights ?? constant))
        } else {
          let values = constant.floats()
          let (low, high) = (min(values.min() ?? 0, 0), max(values.max() ?? 0, 0))
          let scale = max(high - low, 1e-6) / 255
          let quantization = Quantization(
            scale: scale,
            zeroPoint: Int32((-128 - low / scale).rounded())
          )
          let integers = constant.converted(to: .int8, quantization: quantization)
          ids.append(result.addConstant(graph[input].name, integers ?? constant))
        }
      }
      let outputs = try result.addNode(
        node.name,
        node.op,
        ids,
        outputNames: node.outputs.map { graph[$0].name }
      )
      for (old, new) in zip(node.outputs, outputs) {
        map[old] = new
        if node.op is Softmax {
          result[new].type.quantization = Quantization(scale: 1 / 256, zeroPoint: -128)
        } else if node.op is Reshape || node.op is Pool2D || node.op is Pad,
          let first = ids.first.flatMap({ $0 })
        {
          result[new].type.quantization = result[first].type.quantization
        } else {
          result[new].type.quantization = activation(old)
        }
      }
    }
    for id in graph.outputs {
      guard let made = map[id] else { continue }
      if hasFloatBoundary {
        result.outputs.append(try result.addNode("\(graph[id].name)/real", Dequantize(), [made])[0])
      } else {
        result.outputs.append(made)
      }
    }
    var feeds = inputs
    if !hasFloatBoundary {
      for (id, name) in graph.inputs.map({ (map[$0], graph[$0].name) }) {
        guard let id, let tensor = inputs[name] else { continue }
        feeds[name] = tensor.converted(to: .int8, quantization: result[id].type.quantization)
      }
    }
    return Problem(
      name: result.name,
      graph: result,
      inputs: feeds,
      tolerance: hasFloatBoundary ? 0.02 : 2
    )
  }

  /// The same network with weights in 8 bits and everything else in floats.
  func hybrid() throws -> Problem {
    var result = graph
    result.name += "_dynamic"
    for node in graph.nodes {
      guard let axis = node.op.weightAxis, node.inputs.count > 1, let id = node.inputs[1],
        let constant = graph[id].constant
      else { continue }
      let quantization = Quantization(scales: constant.symmetricScales(axis: axis), axis: axis)
      guard let weights = constant.converted(to: .int8, quantization: quantization) else {
        continue
      }
      result[id].constant = weights
      result[id].type = weights.type
    }
    return Problem(name: result.name, graph: result, inputs: inputs, tolerance: 0.03)
  }

  /// Small networks of the kinds that are quantized in practice.
  static func networks() throws -> [Problem] {
    var result: [Problem] = []
    var make = ProblemMaker("net_residual")
    var x = make.input([1, 12, 12, 3])
    let stem = Conv2D(strides: Size2D(2, 2), padding: .same, activation: .relu)
    var y = try make.node(
      "stem",
      stem,
      x,
      make.constant("stem/w", [8, 3, 3, 3]),
      make.constant("stem/b", [8])
    )
    let wide = try make.node(
      "wide",
      Conv2D(activation: .relu6),
      y,
      make.constant("wide/w", [16, 1, 1, 8]),
      make.constant("wide/b", [16])
    )
    let deep = try make.node(
      "deep",
      DepthwiseConv2D(padding: .same, activation: .relu6),
      wide,
      make.constant("deep/w", [1, 3, 3, 16]),
      make.constant("deep/b", [16])
    )
    let narrow = try make.node(
      "narrow",
      Conv2D(),
      deep,
      make.constant("narrow/w", [8, 1, 1, 16]),
      make.constant("narrow/b", [8])
    )
    y = try make.node("sum", Binary(.add), y, narrow)
    y = try make.node("pool", Pool2D(.max, window: Size2D(2, 2), strides: Size2D(2, 2)), y)
    let mean = try make.node("mean", Reduce(.mean, axes: [1, 2], keepsAxes: false), y)
    let dense = try make.node(
      "dense",
      FullyConnected(),
      mean,
      make.constant("dense/w", [5, 8]),
      make.constant("dense/b", [5])
    )
    let probabilities = try make.node("probabilities", Softmax(), dense)
    result.append(make.problem([probabilities]))

    make = ProblemMaker("net_gray")
    x = make.input([1, 8, 8, 1], 0...1)
    let conv = try make.node(
      "conv",
      Conv2D(activation: .relu),
      x,
      make.constant("w", [4, 3, 3, 1]),
      make.constant("b", [4])
    )
    let pool = try make.node(
      "pool",
      Pool2D(.average, window: Size2D(2, 2), strides: Size2D(2, 2)),
      conv
    )
    let flat = try make.node("flat", Reshape([1, 36]), pool)
    let hidden = try make.node(
      "hidden",
      FullyConnected(activation: .relu),
      flat,
      make.constant("hw", [16, 36]),
      make.constant("hb", [16])
    )
    let logits = try make.node(
      "logits",
      FullyConnected(),
      hidden,
      make.constant("lw", [10, 16]),
      make.constant("lb", [10])
    )
    result.append(make.problem([logits]))

    make = ProblemMaker("net_branches")
    x = make.input([1, 8, 8, 4])
    let a = try make.node(
      "a",
      Conv2D(padding: .same),
      x,
      make.constant("aw", [4, 3, 3, 4]),
      make.constant("ab", [4])
    )
    let gate = try make.node("gate", Unary(.sigmoid), a)
    let gated = try make.node("gated", Binary(.multiply), a, gate)
    let cat = try make.node("cat", Concat(axis: -1), gated, x)
    let leaky = try make.node("leaky", LeakyReLU(alpha: 0.2), cat)
    let out = try make.node(
      "out",
      Conv2D(),
      leaky,
      make.constant("ow", [3, 1, 1, 8]),
      make.constant("ob", [3])
    )
    result.append(make.problem([out]))

    make = ProblemMaker("net_dense")
    x = make.input([1, 32])
    let d1 = try make.node(
      "d1",
      FullyConnected(activation: .relu),
      x,
      make.constant("d1w", [16, 32]),
      make.constant("d1b", [16])
    )
    result.append(
      try make.problem {
        [
          try $0.node(
            "d2",
            FullyConnected(),
            d1,
            $0.constant("d2w", [8, 16]),
            $0.constant("d2b", [8])
          )
        ]
      }
    )
    return result
  }

  /// Everything in 8 bits, with integer and float boundaries, and hybrid.
  static func integers() throws -> [Problem] {
    try networks().flatMap {
      [try $0.quantized(hasFloatBoundary: false), try $0.quantized(hasFloatBoundary: true)]
    }
  }
}

extension Operator {
  /// The axis of the weights that has a scale for each slice.
  fileprivate var weightAxis: Int? {
    self is Conv2D || self is FullyConnected ? 0 : self is DepthwiseConv2D ? 3 : nil
  }
}

extension Tensor {
  /// The scale of each slice along an axis: its largest magnitude over 127.
  fileprivate func symmetricScales(axis: Int) -> [Float] {
    var largest = [Float](repeating: 1e-6, count: shape[axis])
    let inner = shape.strides[axis]
    for (index, value) in floats().enumerated() {
      let channel = index / inner % shape[axis]
      largest[channel] = max(largest[channel], abs(value))
    }
    return largest.map { $0 / 127 }
  }
}
