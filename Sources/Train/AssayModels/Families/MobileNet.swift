import AssayGraph
import AssayTensor

extension Zoo {
  /// Howard et al., 2017, as Keras has it, at the published width multipliers.
  static let mobileNet = [1, 0.25, 0.5, 0.75].map { alpha in
    ZooEntry(
      alpha == 1 ? "MobileNet" : "MobileNet_\(alpha)",
      family: "MobileNet",
      source: "Keras Applications",
      input: .square(224, .signed),
      alpha: alpha
    ) { network, settings in
      func width(_ filters: Int) -> Int { max(Int(Double(filters) * settings.alpha), 1) }
      var x = network.picture(settings).conv(
        width(32),
        3,
        strides: 2,
        usesBias: false,
        name: "conv1"
      )
      .batchNorm(name: "conv1_bn").activation(.relu6, name: "conv1_relu")
      let filters = [64, 128, 128, 256, 256, 512, 512, 512, 512, 512, 512, 1024, 1024]
      for (index, filters) in filters.enumerated() {
        let isReducing = [1, 3, 5, 11].contains(index)
        let name = "\(index + 1)"
        if isReducing {
          x = x.zeroPad(top: 0, bottom: 1, left: 0, right: 1, name: "conv_pad_\(name)")
        }
        x = x.depthwiseConv(
          3,
          strides: isReducing ? 2 : 1,
          padding: isReducing ? .valid : .same,
          usesBias: false,
          name: "conv_dw_\(name)"
        ).batchNorm(name: "conv_dw_\(name)_bn").activation(.relu6, name: "conv_dw_\(name)_relu")
          .conv(width(filters), 1, usesBias: false, name: "conv_pw_\(name)")
          .batchNorm(name: "conv_pw_\(name)_bn").activation(.relu6, name: "conv_pw_\(name)_relu")
      }
      network.finish(x, settings) {
        $0.globalAveragePool(keepsAxes: true).conv(settings.classes, 1, name: "conv_preds")
          .reshape([settings.classes], name: "reshape_2").activation(.softmax, name: "predictions")
      }
    }
  }

  /// Sandler et al., 2018, as Keras has it, at the published width multipliers.
  static let mobileNetV2 = [1, 0.35, 0.5, 0.75, 1.3, 1.4].map { alpha in
    ZooEntry(
      alpha == 1 ? "MobileNetV2" : "MobileNetV2_\(alpha)",
      family: "MobileNetV2",
      source: "Keras Applications",
      input: .square(224, .signed),
      alpha: alpha
    ) { network, settings in
      let x = network.picture(settings).mobileNetV2(settings.alpha)
      network.finish(x, settings) { $0.classified(settings.classes, pool: nil) }
    }
  }
}

extension Signal {
  /// The features of MobileNetV2.
  fileprivate func mobileNetV2(_ alpha: Double) -> Signal {
    func width(_ filters: Int) -> Int { divisible(Double(Int(Double(filters) * alpha))) }
    var x = conv(divisible(32 * alpha), 3, strides: 2, usesBias: false, name: "Conv1")
      .batchNorm(momentum: 0.999, name: "bn_Conv1").activation(.relu6, name: "Conv1_relu")
    // Filters, strides of the first block, blocks.
    let stages = [
      (16, 1, 1), (24, 2, 2), (32, 2, 3), (64, 2, 4), (96, 1, 3), (160, 2, 3), (320, 1, 1),
    ]
    var index = 0
    for (filters, strides, count) in stages {
      for block in 0..<count {
        x = x.invertedResidual(width(filters), block == 0 ? strides : 1, index)
        index += 1
      }
    }
    let last = alpha > 1 ? divisible(1280 * alpha) : 1280
    return x.conv(last, 1, padding: .valid, usesBias: false, name: "Conv_1")
      .batchNorm(momentum: 0.999, name: "Conv_1_bn").activation(.relu6, name: "out_relu")
  }

  fileprivate func invertedResidual(_ filters: Int, _ strides: Int, _ index: Int) -> Signal {
    let prefix = index == 0 ? "expanded_conv_" : "block_\(index)_"
    var x = self
    if index > 0 {
      x = x.conv(6 * channels, 1, usesBias: false, name: "\(prefix)expand")
        .batchNorm(momentum: 0.999, name: "\(prefix)expand_BN")
        .activation(.relu6, name: "\(prefix)expand_relu")
    }
    if strides == 2 { x = x.padForStride2(3, name: "\(prefix)pad") }
    x = x.depthwiseConv(
      3,
      strides: strides,
      padding: strides == 2 ? .valid : .same,
      usesBias: false,
      name: "\(prefix)depthwise"
    ).batchNorm(momentum: 0.999, name: "\(prefix)depthwise_BN")
      .activation(.relu6, name: "\(prefix)depthwise_relu")
      .conv(filters, 1, usesBias: false, name: "\(prefix)project")
      .batchNorm(momentum: 0.999, name: "\(prefix)project_BN")
    guard strides == 1, channels == filters else { return x }
    return added(x, name: "\(prefix)add")
  }
}
