import AssayGraph

extension Zoo {
  /// He, Zhang, Ren and Sun, 2015, as Keras has it: strides in a block's first convolution.
  static let resNet = [
    resNet("ResNet50", blocks: [3, 4, 6, 3]), resNet("ResNet101", blocks: [3, 4, 23, 3]),
    resNet("ResNet152", blocks: [3, 8, 36, 3]),
  ]

  /// He, Zhang, Ren and Sun, 2016, as Keras has it: normalized before each block, strides in a stage's
  /// last block.
  static let resNetV2 = [
    resNetV2("ResNet50V2", blocks: [3, 4, 6, 3]), resNetV2("ResNet101V2", blocks: [3, 4, 23, 3]),
    resNetV2("ResNet152V2", blocks: [3, 8, 36, 3]),
  ]

  private static let epsilon: Float = 1.001e-5

  private static func resNet(_ name: String, blocks: [Int]) -> ZooEntry {
    ZooEntry(name, family: "ResNet", source: "Keras Applications", input: .square(224, .caffe)) {
      network,
      settings in
      var x = network.picture(settings).zeroPad(3, name: "conv1_pad")
        .conv(64, 7, strides: 2, padding: .valid, name: "conv1_conv")
        .batchNorm(epsilon: epsilon, name: "conv1_bn").activation(.relu, name: "conv1_relu")
        .zeroPad(1, name: "pool1_pad").maxPool(3, strides: 2, name: "pool1_pool")
      for (stage, count) in blocks.enumerated() {
        x = x.repeated(count) { x, block in
          residual(
            x,
            64 << stage,
            strides: stage > 0 && block == 0 ? 2 : 1,
            isFirst: block == 0,
            name: "conv\(stage + 2)_block\(block + 1)"
          )
        }
      }
      network.finish(x, settings) { $0.classified(settings.classes) }
    }
  }

  private static func residual(
    _ x: Signal,
    _ filters: Int,
    strides: Int,
    isFirst: Bool,
    name: String
  ) -> Signal {
    func layer(_ x: Signal, _ filters: Int, _ kernel: Int, _ strides: Int, _ index: Int) -> Signal {
      x.conv(
        filters,
        kernel,
        strides: strides,
        padding: kernel == 1 ? .valid : .same,
        name: "\(name)_\(index)_conv"
      ).batchNorm(epsilon: epsilon, name: "\(name)_\(index)_bn")
    }
    let short = isFirst ? layer(x, 4 * filters, 1, strides, 0) : x
    var long = layer(x, filters, 1, strides, 1).activation(.relu, name: "\(name)_1_relu")
    long = layer(long, filters, 3, 1, 2).activation(.relu, name: "\(name)_2_relu")
    long = layer(long, 4 * filters, 1, 1, 3)
    return short.added(long, name: "\(name)_add").activation(.relu, name: "\(name)_out")
  }

  private static func resNetV2(_ name: String, blocks: [Int]) -> ZooEntry {
    ZooEntry(name, family: "ResNetV2", source: "Keras Applications", input: .square(224, .signed)) {
      network,
      settings in
      var x = network.picture(settings).zeroPad(3, name: "conv1_pad")
        .conv(64, 7, strides: 2, padding: .valid, name: "conv1_conv")
        .zeroPad(1, name: "pool1_pad").maxPool(3, strides: 2, name: "pool1_pool")
      for (stage, count) in blocks.enumerated() {
        x = x.repeated(count) { x, block in
          preactivated(
            x,
            64 << stage,
            strides: stage < 3 && block == count - 1 ? 2 : 1,
            isFirst: block == 0,
            name: "conv\(stage + 2)_block\(block + 1)"
          )
        }
      }
      x = x.batchNorm(epsilon: epsilon, name: "post_bn").activation(.relu, name: "post_relu")
      network.finish(x, settings) { $0.classified(settings.classes) }
    }
  }

  private static func preactivated(
    _ x: Signal,
    _ filters: Int,
    strides: Int,
    isFirst: Bool,
    name: String
  ) -> Signal {
    let active = x.batchNorm(epsilon: epsilon, name: "\(name)_preact_bn")
      .activation(.relu, name: "\(name)_preact_relu")
    let short: Signal
    if isFirst {
      short = active.conv(4 * filters, 1, strides: strides, padding: .valid, name: "\(name)_0_conv")
    } else {
      short = strides > 1 ? x.maxPool(1, strides: strides) : x
    }
    let long = active.conv(filters, 1, padding: .valid, usesBias: false, name: "\(name)_1_conv")
      .batchNorm(epsilon: epsilon, name: "\(name)_1_bn").activation(.relu, name: "\(name)_1_relu")
      .zeroPad(1, name: "\(name)_2_pad")
      .conv(filters, 3, strides: strides, padding: .valid, usesBias: false, name: "\(name)_2_conv")
      .batchNorm(epsilon: epsilon, name: "\(name)_2_bn").activation(.relu, name: "\(name)_2_relu")
      .conv(4 * filters, 1, padding: .valid, name: "\(name)_3_conv")
    return short.added(long, name: "\(name)_out")
  }
}
