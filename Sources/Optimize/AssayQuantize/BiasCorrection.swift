import AssayBase
import AssayGraph
import AssayTensor

extension Quantizer {
  /// The graph with biases that take up the mean error of weights in 8 bits.
  ///
  /// Nagel et al. 2019, section 4.2: rounding the weights W to W' shifts the mean of each output
  /// channel by (W' - W) E[x], where x is the layer's input; that is taken off the bias. E[x] is what
  /// calibration saw of each input channel; borders, where padding takes part, are left out.
  ///
  /// - Throws: `Diagnostic` QNT009 when calibration has no means of the layers' inputs.
  func withCorrectedBiases(
    _ graph: Graph,
    _ schemes: [Scheme],
    _ calibration: Calibration
  ) throws -> Graph {
    var result = graph
    var names = Set(graph.values.map(\.name))
    for (index, node) in graph.nodes.enumerated() where schemes[index] != .float32 {
      guard let axis = Self.outputAxis(node.op), node.inputs.count > 1, let input = node.inputs[0],
        let id = node.inputs[1], let weights = graph[id].constant, weights.dtype == .float32
      else { continue }
      guard let means = calibration.channelMeans[graph[input].name] else {
        throw Diagnostic(
          "QNT009",
          "calibration has no means of this value's channels",
          at: ["node '\(node.name)'", "value '\(graph[input].name)'"],
          remedy: "calibrate with channel means"
        )
      }
      let bias = node.inputs.count > 2 ? node.inputs[2] : nil
      if let bias, graph[bias].constant == nil { continue }
      guard
        let shift = Self.meanShift(node.op, weights, axis, schemes[index], means)
      else { continue }
      let old =
        bias.flatMap { graph[$0].constant?.floats() }
        ?? [Float](repeating: 0, count: shift.count)
      guard old.count == shift.count else { continue }
      let corrected = Tensor(zip(old, shift).map { $0 - Float($1) }, [shift.count])
      var name = bias.map { graph[$0].name + "/corrected" } ?? node.name + "/bias"
      while !names.insert(name).inserted { name += "_" }
      let made = result.addConstant(name, corrected)
      while result.nodes[index].inputs.count < 3 { result.nodes[index].inputs.append(nil) }
      result.nodes[index].inputs[2] = made
    }
    return result.compacted()
  }

  /// The axis of a filter that has the output's channels.
  private static func outputAxis(_ op: any Operator) -> Int? {
    switch op {
    case is Conv2D, is FullyConnected: 0
    case is DepthwiseConv2D: 3
    default: nil
    }
  }

  /// (W' - W) E[x] of each output channel; `nil` when the means do not fit the weights.
  private static func meanShift(
    _ op: any Operator,
    _ weights: Tensor,
    _ axis: Int,
    _ scheme: Scheme,
    _ means: [Double]
  ) -> [Double]? {
    let rounded: [Float]
    switch scheme {
    case .weightOnly(let bits, _) where bits == 4:
      guard let small = try? SmallWeights.channels(weights, bits: 4, axis: axis) else { return nil }
      rounded = small.floats()
    case .float16: rounded = weights.converted(to: .float16)?.floats() ?? weights.floats()
    default:
      rounded = QuantizedFilter(weights, axis: axis, bias: nil, inputScale: nil).filter.floats()
    }
    let floats = weights.floats()
    let (inner, extent) = (weights.shape.strides[axis], weights.shape[axis])
    let channels = weights.shape[weights.shape.rank - 1]
    let isDepthwise = op is DepthwiseConv2D
    // A depthwise output channel reads input channel c / multiplier; others read all of them.
    guard extent > 0, means.count > 0,
      isDepthwise ? extent % means.count == 0 : channels == means.count
    else { return nil }
    let multiplier = isDepthwise ? extent / means.count : 1
    var shift = [Double](repeating: 0, count: extent)
    for (index, pair) in zip(floats, rounded).enumerated() where pair.0 != pair.1 {
      let channel = index / inner % extent
      let mean = isDepthwise ? means[channel / multiplier] : means[index % channels]
      shift[channel] += (Double(pair.1) - Double(pair.0)) * mean
    }
    return shift
  }
}
