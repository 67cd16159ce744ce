import AssayGraph
import AssayTensor

extension Zoo {
  /// Howard et al., 2019, as Keras has it.
  static let mobileNetV3 = [
    mobileNetV3("MobileNetV3Small", .small, last: 1024),
    mobileNetV3("MobileNetV3Large", .large, last: 1280),
  ]

  private static func mobileNetV3(_ name: String, _ plan: [Inverted], last: Int) -> ZooEntry {
    ZooEntry(
      name,
      family: "MobileNetV3",
      source: "Keras Applications",
      input: .square(224, .bytes),
      alpha: 1
    ) { network, settings in
      let alpha = settings.alpha
      var x = network.picture(settings).rescale([1 / 127.5], offset: [-1])
        .conv(16, 3, strides: 2, usesBias: false, name: "conv")
        .batchNorm(momentum: 0.999, name: "conv_bn").activation(.hardSwish)
      for (index, block) in plan.enumerated() { x = x.inverted(block, index, alpha) }
      x = x.conv(divisible(Double(x.channels) * 6), 1, usesBias: false, name: "conv_1")
        .batchNorm(momentum: 0.999, name: "conv_1_bn").activation(.hardSwish)
      network.finish(x, settings) {
        $0.globalAveragePool(keepsAxes: true)
          .conv(alpha > 1 ? divisible(Double(last) * alpha) : last, 1, name: "conv_2")
          .activation(.hardSwish).conv(settings.classes, 1, name: "logits").flatten()
          .activation(.softmax, name: "predictions")
      }
    }
  }
}

/// One inverted residual block.
private struct Inverted: Sendable {
  var expansion: Double
  var filters: Int
  var kernel: Int
  var strides: Int
  var squeezes: Bool
  var activation: Signal.Function

  init(
    _ expansion: Double,
    _ filters: Int,
    _ kernel: Int,
    _ strides: Int,
    squeezes: Bool,
    _ activation: Signal.Function
  ) {
    self.expansion = expansion
    self.filters = filters
    self.kernel = kernel
    self.strides = strides
    self.squeezes = squeezes
    self.activation = activation
  }
}

extension [Inverted] {
  fileprivate static let small = [
    Inverted(1, 16, 3, 2, squeezes: true, .relu),
    Inverted(72.0 / 16, 24, 3, 2, squeezes: false, .relu),
    Inverted(88.0 / 24, 24, 3, 1, squeezes: false, .relu),
    Inverted(4, 40, 5, 2, squeezes: true, .hardSwish),
    Inverted(6, 40, 5, 1, squeezes: true, .hardSwish),
    Inverted(6, 40, 5, 1, squeezes: true, .hardSwish),
    Inverted(3, 48, 5, 1, squeezes: true, .hardSwish),
    Inverted(3, 48, 5, 1, squeezes: true, .hardSwish),
    Inverted(6, 96, 5, 2, squeezes: true, .hardSwish),
    Inverted(6, 96, 5, 1, squeezes: true, .hardSwish),
    Inverted(6, 96, 5, 1, squeezes: true, .hardSwish),
  ]

  fileprivate static let large = [
    Inverted(1, 16, 3, 1, squeezes: false, .relu),
    Inverted(4, 24, 3, 2, squeezes: false, .relu),
    Inverted(3, 24, 3, 1, squeezes: false, .relu),
    Inverted(3, 40, 5, 2, squeezes: true, .relu),
    Inverted(3, 40, 5, 1, squeezes: true, .relu),
    Inverted(3, 40, 5, 1, squeezes: true, .relu),
    Inverted(6, 80, 3, 2, squeezes: false, .hardSwish),
    Inverted(2.5, 80, 3, 1, squeezes: false, .hardSwish),
    Inverted(2.3, 80, 3, 1, squeezes: false, .hardSwish),
    Inverted(2.3, 80, 3, 1, squeezes: false, .hardSwish),
    Inverted(6, 112, 3, 1, squeezes: true, .hardSwish),
    Inverted(6, 112, 3, 1, squeezes: true, .hardSwish),
    Inverted(6, 160, 5, 2, squeezes: true, .hardSwish),
    Inverted(6, 160, 5, 1, squeezes: true, .hardSwish),
    Inverted(6, 160, 5, 1, squeezes: true, .hardSwish),
  ]
}

extension Signal {
  fileprivate func inverted(_ block: Inverted, _ index: Int, _ alpha: Double) -> Signal {
    let prefix = index == 0 ? "expanded_conv_" : "expanded_conv_\(index)_"
    let filters = divisible(Double(block.filters) * alpha)
    var x = self
    if index > 0 {
      let wide = divisible(Double(channels) * block.expansion)
      x = x.conv(wide, 1, usesBias: false, name: "\(prefix)expand")
        .batchNorm(momentum: 0.999, name: "\(prefix)expand_bn").activation(block.activation)
    }
    if block.strides == 2 { x = x.padForStride2(block.kernel, name: "\(prefix)depthwise_pad") }
    x = x.depthwiseConv(
      block.kernel,
      strides: block.strides,
      padding: block.strides == 2 ? .valid : .same,
      usesBias: false,
      name: "\(prefix)depthwise"
    ).batchNorm(momentum: 0.999, name: "\(prefix)depthwise_bn").activation(block.activation)
    if block.squeezes {
      let gate = x.globalAveragePool(keepsAxes: true, name: "\(prefix)squeeze_excite_avg_pool")
        .conv(divisible(Double(x.channels) * 0.25), 1, name: "\(prefix)squeeze_excite_conv")
        .activation(.relu, name: "\(prefix)squeeze_excite_relu")
        .conv(x.channels, 1, name: "\(prefix)squeeze_excite_conv_1").hardSigmoid()
      x = x.multiplied(gate, name: "\(prefix)squeeze_excite_mul")
    }
    x = x.conv(filters, 1, usesBias: false, name: "\(prefix)project")
      .batchNorm(momentum: 0.999, name: "\(prefix)project_bn")
    guard block.strides == 1, channels == filters else { return x }
    return added(x, name: "\(prefix)add")
  }
}
