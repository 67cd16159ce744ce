import AssayBase
import AssayGraph
import AssayTensor

extension Signal {
  /// Each element times a number plus another (Keras's Rescaling).
  public func rescale(_ scale: [Float], offset: [Float] = [], name: String? = nil) -> Signal {
    network.layer("Rescaling", name: name, on: self) { layer in
      let factor = layer.fixed("scale", scale, scale.count == 1 ? [] : nil)
      let scaled = try layer.node(
        Binary(.multiply),
        [id, factor],
        part: offset.isEmpty ? nil : "scaled"
      )
      guard !offset.isEmpty else { return scaled }
      let term = layer.fixed("offset", offset, offset.count == 1 ? [] : nil)
      return try layer.node(Binary(.add), [scaled, term])
    }
  }

  /// Each channel less its mean, by its deviation (Keras's Normalization).
  ///
  /// - Parameter isLearned: whether a framework keeps the statistics as weights of the network; Keras
  ///   keeps a count of the samples with them.
  public func normalize(
    mean: [Float],
    variance: [Float],
    isLearned: Bool,
    name: String? = nil
  ) -> Signal {
    network.layer("Normalization", name: name, on: self) { layer in
      func statistic(_ part: String, _ values: [Float]) -> ValueID {
        guard isLearned else { return layer.fixed(part, values) }
        layer.countUnused(values.count)
        return layer.fixed(part, values)
      }
      let inputs = [id, nil, nil, statistic("mean", mean), statistic("variance", variance)]
      if isLearned { layer.countUnused(1) }
      return try layer.node(BatchNorm(epsilon: 0), inputs)
    }
  }

  /// Each channel times a weight of its own (Touvron et al., 2021).
  public func layerScale(_ initial: Float, name: String? = nil) -> Signal {
    network.layer("LayerScale", name: name, on: self) { layer in
      let factor = layer.weight("gamma", [channels], .constant(initial))
      return try layer.node(Binary(.multiply), [id, factor])
    }
  }

  /// A weight of the signal's own extents is added to every sample: positions.
  public func positions(deviation: Float = 0.02, name: String, weight: String) -> Signal {
    network.layer("PositionEmbedding", name: name, on: self) { layer in
      let shape = Shape([1] + shape.dims.dropFirst())
      let table = layer.weight(weight, shape, .truncatedNormal(deviation))
      return try layer.node(Binary(.add), [id, table])
    }
  }

  /// `relu6(x + 3) / 6`, as mobile networks have it instead of a sigmoid.
  public func hardSigmoid(name: String? = nil) -> Signal {
    network.layer("HardSigmoid", name: name, on: self) { layer in
      let raised = try layer.node(
        Binary(.add),
        [id, layer.fixed("three", [3], [])],
        part: "raised"
      )
      let bent = try layer.node(Unary(.relu6), [raised], part: "bent")
      return try layer.node(Binary(.multiply), [bent, layer.fixed("sixth", [1.0 / 6], [])])
    }
  }
}
