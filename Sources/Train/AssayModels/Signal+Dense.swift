import AssayBase
import AssayGraph
import AssayTensor

extension Signal {
  /// A dense layer over the last axis.
  public func dense(
    _ units: Int,
    usesBias: Bool = true,
    initializer: Initializer = .glorotUniform,
    activation: Function? = nil,
    name: String? = nil
  ) -> Signal {
    network.layer("Dense", name: name, on: self) { layer in
      let weights = layer.weight(
        "kernel",
        [units, channels],
        initializer,
        fans: Initializer.Fans(input: channels, output: units)
      )
      return try layer.node(FullyConnected(), [id, weights, layer.bias(units, usesBias)])
    }.activation(activation)
  }

  /// Batch normalization over the last axis (Ioffe and Szegedy, 2015).
  ///
  /// - Parameters:
  ///   - momentum: the part of the moving statistics that stays at a training step.
  ///   - usesScale: whether there is a gamma.
  public func batchNorm(
    epsilon: Float = 1e-3,
    momentum: Float = 0.99,
    usesScale: Bool = true,
    name: String? = nil
  ) -> Signal {
    network.layer("BatchNormalization", name: name, on: self) { layer in
      let gamma = usesScale ? layer.weight("gamma", [channels], .ones) : nil
      let beta = layer.weight("beta", [channels], .zeros)
      let mean = layer.weight("moving_mean", [channels], .zeros, isTrainable: false)
      let variance = layer.weight("moving_variance", [channels], .ones, isTrainable: false)
      network.setMomentum(momentum, of: layer.name)
      return try layer.node(BatchNorm(epsilon: epsilon), [id, gamma, beta, mean, variance])
    }
  }

  /// Layer normalization over the last axis (Ba, Kiros and Hinton, 2016).
  public func layerNorm(epsilon: Float = 1e-3, name: String? = nil) -> Signal {
    network.layer("LayerNormalization", name: name, on: self) { layer in
      let gamma = layer.weight("gamma", [channels], .ones)
      let beta = layer.weight("beta", [channels], .zeros)
      return try layer.node(LayerNorm(epsilon: epsilon), [id, gamma, beta])
    }
  }

  /// Drops a part of the elements while the network is trained (Srivastava et al., 2014); inference
  /// and exports know nothing of it.
  public func dropout(_ rate: Float) -> Signal {
    network.drop(rate, of: id)
    return self
  }
}
