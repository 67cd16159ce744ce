import AssayGraph
import AssayTensor

extension Zoo {
  /// Huang, Liu, van der Maaten and Weinberger, 2017, as Keras has it.
  static let denseNet = [
    denseNet("DenseNet121", blocks: [6, 12, 24, 16]),
    denseNet("DenseNet169", blocks: [6, 12, 32, 32]),
    denseNet("DenseNet201", blocks: [6, 12, 48, 32]),
  ]

  private static func denseNet(_ name: String, blocks: [Int]) -> ZooEntry {
    ZooEntry(
      name,
      family: "DenseNet",
      source: "Keras Applications",
      input: .square(224, .standardized)
    ) { network, settings in
      var x = network.picture(settings).zeroPad(3)
        .conv(64, 7, strides: 2, padding: .valid, usesBias: false, name: "conv1_conv")
        .normalized("conv1").zeroPad(1).maxPool(3, strides: 2, name: "pool1")
      for (stage, count) in blocks.enumerated() {
        x = x.repeated(count) { x, block in
          let name = "conv\(stage + 2)_block\(block + 1)"
          let new = x.normalized("\(name)_0")
            .conv(128, 1, padding: .valid, usesBias: false, name: "\(name)_1_conv")
            .normalized("\(name)_1").conv(32, 3, usesBias: false, name: "\(name)_2_conv")
          return x.concatenated(with: new, name: "\(name)_concat")
        }
        guard stage < blocks.count - 1 else { break }
        let name = "pool\(stage + 2)"
        x = x.normalized(name)
          .conv(x.channels / 2, 1, padding: .valid, usesBias: false, name: "\(name)_conv")
          .averagePool(2, name: "\(name)_pool")
      }
      x = x.batchNorm(epsilon: 1.001e-5, name: "bn").activation(.relu, name: "relu")
      network.finish(x, settings) { $0.classified(settings.classes) }
    }
  }
}

extension Signal {
  fileprivate func normalized(_ name: String) -> Signal {
    batchNorm(epsilon: 1.001e-5, name: "\(name)_bn").activation(.relu, name: "\(name)_relu")
  }
}
