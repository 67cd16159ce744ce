import AssayGraph
import AssayTensor

extension Zoo {
  /// Tan and Le, 2019, as Keras has it with the weights that it publishes: pictures are prepared in the
  /// network, and the preparation divides by the root of the deviation once more than the paper does.
  static let efficientNet: [ZooEntry] = [
    (1.0, 1.0, 224), (1.0, 1.1, 240), (1.1, 1.2, 260), (1.2, 1.4, 300), (1.4, 1.8, 380),
    (1.6, 2.2, 456), (1.8, 2.6, 528), (2.0, 3.1, 600),
  ].enumerated().map { index, scale in
    efficientNet("EfficientNetB\(index)", width: scale.0, depth: scale.1, side: scale.2)
  }

  private static func efficientNet(
    _ name: String,
    width: Double,
    depth: Double,
    side: Int
  ) -> ZooEntry {
    ZooEntry(
      name,
      family: "EfficientNet",
      source: "Keras Applications",
      input: .square(side, .bytes),
      center: 1
    ) {
      network,
      settings in
      func filters(_ count: Int) -> Int { divisible(Double(count) * width) }
      let deviations: [Float] = [0.229, 0.224, 0.225]
      var x = network.picture(settings).rescale([1 / 255.0])
        .normalize(
          mean: [0.485, 0.456, 0.406],
          variance: deviations.map { $0 * $0 },
          isLearned: true,
          name: "normalization"
        )
      if settings.preparesAsPublished { x = x.rescale(deviations.map { 1 / $0.squareRoot() }) }
      x = x.padForStride2(3, name: "stem_conv_pad")
        .conv(filters(32), 3, strides: 2, padding: .valid, usesBias: false, name: "stem_conv")
        .batchNorm(name: "stem_bn").activation(.silu, name: "stem_activation")
      // Blocks, filters, kernel, strides of the first block, expansion.
      let stages = [
        (1, 16, 3, 1, 1), (2, 24, 3, 2, 6), (2, 40, 5, 2, 6), (3, 80, 3, 2, 6), (3, 112, 5, 1, 6),
        (4, 192, 5, 2, 6), (1, 320, 3, 1, 6),
      ]
      for (index, (count, width, kernel, strides, expansion)) in stages.enumerated() {
        x = x.repeated(Int((Double(count) * depth).rounded(.up))) { x, block in
          x.expandedBlock(
            filters(width),
            kernel,
            block == 0 ? strides : 1,
            expansion,
            squeezes: true,
            padsForStrides: true,
            depthwise: "dwconv",
            name: blockName(index, block)
          )
        }
      }
      x = x.conv(filters(1280), 1, usesBias: false, name: "top_conv").batchNorm(name: "top_bn")
        .activation(.silu, name: "top_activation")
      network.finish(x, settings) { $0.classified(settings.classes) }
    }
  }

  /// `block3b_`: stages count from 1, the blocks of a stage from a.
  static func blockName(_ stage: Int, _ block: Int) -> String {
    "block\(stage + 1)\(UnicodeScalar(UInt8(97 + min(block, 25))))_"
  }
}

extension Signal {
  /// An inverted residual block with a gate over its channels.
  func expandedBlock(
    _ filters: Int,
    _ kernel: Int,
    _ strides: Int,
    _ expansion: Int,
    squeezes: Bool,
    padsForStrides: Bool,
    depthwise: String,
    name: String
  ) -> Signal {
    var x = self
    if expansion != 1 {
      x = x.conv(channels * expansion, 1, usesBias: false, name: "\(name)expand_conv")
        .batchNorm(name: "\(name)expand_bn").activation(.silu, name: "\(name)expand_activation")
    }
    let isPadded = strides == 2 && padsForStrides
    if isPadded { x = x.padForStride2(kernel, name: "\(name)dwconv_pad") }
    x = x.depthwiseConv(
      kernel,
      strides: strides,
      padding: isPadded ? .valid : .same,
      usesBias: false,
      name: name + depthwise
    ).batchNorm(name: "\(name)bn").activation(.silu, name: "\(name)activation")
    if squeezes { x = x.squeezed(channels / 4, name) }
    x = x.conv(filters, 1, usesBias: false, name: "\(name)project_conv")
      .batchNorm(name: "\(name)project_bn")
    return strides == 1 && channels == filters ? x.added(self, name: "\(name)add") : x
  }

  /// Each channel times a number between 0 and 1 that all channels' means decide (Hu et al., 2018).
  fileprivate func squeezed(_ width: Int, _ name: String) -> Signal {
    let gate = globalAveragePool(name: "\(name)se_squeeze")
      .reshape([1, 1, channels], name: "\(name)se_reshape")
      .conv(max(width, 1), 1, activation: .silu, name: "\(name)se_reduce")
      .conv(channels, 1, activation: .sigmoid, name: "\(name)se_expand")
    return multiplied(gate, name: "\(name)se_excite")
  }
}
