import AssayGraph
import AssayTensor

extension Zoo {
  /// Tan and Le, 2021, as Keras has it.
  static let efficientNetV2 = [
    efficientNetV2("EfficientNetV2B0", 1.0, 1.0, 224, base),
    efficientNetV2("EfficientNetV2B1", 1.0, 1.1, 240, base),
    efficientNetV2("EfficientNetV2B2", 1.1, 1.2, 260, base),
    efficientNetV2("EfficientNetV2B3", 1.2, 1.4, 300, base),
    efficientNetV2("EfficientNetV2S", 1.0, 1.0, 384, small),
    efficientNetV2("EfficientNetV2M", 1.0, 1.0, 480, medium),
    efficientNetV2("EfficientNetV2L", 1.0, 1.0, 480, large),
  ]

  private static func efficientNetV2(
    _ name: String,
    _ width: Double,
    _ depth: Double,
    _ side: Int,
    _ stages: [Stage]
  ) -> ZooEntry {
    ZooEntry(
      name,
      family: "EfficientNetV2",
      source: "Keras Applications",
      input: .square(side, .bytes),
      center: 1
    ) { network, settings in
      func filters(_ count: Int) -> Int { divisible(Double(count) * width, keepsTenth: false) }
      var x = network.picture(settings)
      // The scaled networks keep their predecessors' preparation of pictures.
      x =
        name.contains("V2B")
        ? x.rescale([1 / 255.0]).normalize(
          mean: [0.485, 0.456, 0.406],
          variance: [0.229, 0.224, 0.225].map { ($0 * $0) as Float },
          isLearned: false,
          name: "normalization"
        )
        : x.rescale([1 / 128.0], offset: [-1])
      x = x.conv(filters(stages[0].input), 3, strides: 2, usesBias: false, name: "stem_conv")
        .batchNorm(momentum: 0.9, name: "stem_bn").activation(.silu, name: "stem_activation")
      for (index, stage) in stages.enumerated() {
        x = x.repeated(Int((Double(stage.count) * depth).rounded(.up))) { x, block in
          let (strides, name) = (block == 0 ? stage.strides : 1, blockName(index, block))
          if stage.isFused {
            return x.fusedBlock(filters(stage.filters), strides, stage.expansion, name)
          }
          return x.expandedBlock(
            filters(stage.filters),
            3,
            strides,
            stage.expansion,
            squeezes: true,
            padsForStrides: false,
            depthwise: "dwconv2",
            name: name
          )
        }
      }
      x = x.conv(filters(1280), 1, usesBias: false, name: "top_conv")
        .batchNorm(momentum: 0.9, name: "top_bn").activation(.silu, name: "top_activation")
      network.finish(x, settings) { $0.classified(settings.classes) }
    }
  }

  /// Blocks of one width.
  private struct Stage: Sendable {
    var count: Int
    var input: Int
    var filters: Int
    var strides: Int
    var expansion: Int
    var isFused: Bool

    init(
      _ count: Int,
      _ input: Int,
      _ filters: Int,
      _ strides: Int,
      _ expansion: Int,
      isFused: Bool = false
    ) {
      self.count = count
      self.input = input
      self.filters = filters
      self.strides = strides
      self.expansion = expansion
      self.isFused = isFused
    }
  }

  private static let base = [
    Stage(1, 32, 16, 1, 1, isFused: true), Stage(2, 16, 32, 2, 4, isFused: true),
    Stage(2, 32, 48, 2, 4, isFused: true), Stage(3, 48, 96, 2, 4), Stage(5, 96, 112, 1, 6),
    Stage(8, 112, 192, 2, 6),
  ]
  private static let small = [
    Stage(2, 24, 24, 1, 1, isFused: true), Stage(4, 24, 48, 2, 4, isFused: true),
    Stage(4, 48, 64, 2, 4, isFused: true), Stage(6, 64, 128, 2, 4), Stage(9, 128, 160, 1, 6),
    Stage(15, 160, 256, 2, 6),
  ]
  private static let medium = [
    Stage(3, 24, 24, 1, 1, isFused: true), Stage(5, 24, 48, 2, 4, isFused: true),
    Stage(5, 48, 80, 2, 4, isFused: true), Stage(7, 80, 160, 2, 4), Stage(14, 160, 176, 1, 6),
    Stage(18, 176, 304, 2, 6), Stage(5, 304, 512, 1, 6),
  ]
  private static let large = [
    Stage(4, 32, 32, 1, 1, isFused: true), Stage(7, 32, 64, 2, 4, isFused: true),
    Stage(7, 64, 96, 2, 4, isFused: true), Stage(10, 96, 192, 2, 4), Stage(19, 192, 224, 1, 6),
    Stage(25, 224, 384, 2, 6), Stage(7, 384, 640, 1, 6),
  ]
}

extension Signal {
  /// An inverted residual block whose expansion and depthwise convolution are one convolution.
  fileprivate func fusedBlock(
    _ filters: Int,
    _ strides: Int,
    _ expansion: Int,
    _ name: String
  ) -> Signal {
    var x = self
    if expansion != 1 {
      x = x.conv(
        channels * expansion,
        3,
        strides: strides,
        usesBias: false,
        name: "\(name)expand_conv"
      ).batchNorm(momentum: 0.9, name: "\(name)expand_bn")
        .activation(.silu, name: "\(name)expand_activation")
    }
    x = x.conv(
      filters,
      expansion == 1 ? 3 : 1,
      strides: expansion == 1 ? strides : 1,
      usesBias: false,
      name: "\(name)project_conv"
    ).batchNorm(momentum: 0.9, name: "\(name)project_bn")
    if expansion == 1 { x = x.activation(.silu, name: "\(name)project_activation") }
    return strides == 1 && channels == filters ? x.added(self, name: "\(name)add") : x
  }
}
