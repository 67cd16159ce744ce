import AssayGraph
import AssayTensor

extension Zoo {
  /// Iandola et al., 2016, as torchvision has it, with a softmax behind its scores.
  static let squeezeNet = [
    squeezeNet("squeezenet1_0", first: (96, 7), pools: [3, 7]),
    squeezeNet("squeezenet1_1", first: (64, 3), pools: [2, 4]),
  ]

  /// - Parameter pools: how many fires stand before the second and the third pooling.
  private static func squeezeNet(
    _ name: String,
    first: (filters: Int, kernel: Int),
    pools: [Int]
  ) -> ZooEntry {
    ZooEntry(
      name,
      family: "SqueezeNet",
      source: "torchvision",
      input: .square(224, .standardized)
    ) { network, settings in
      var x = network.picture(settings).conv(
        first.filters,
        first.kernel,
        strides: 2,
        padding: .valid,
        activation: .relu,
        name: "features.0"
      ).poolUp()
      // torchvision numbers poolings, too.
      var index = 3
      let widths = [16, 16, 32, 32, 48, 48, 64, 64]
      for (fire, width) in widths.enumerated() {
        if pools.contains(fire) {
          x = x.poolUp()
          index += 1
        }
        x = x.fire(width, 4 * width, "features.\(index)")
        index += 1
      }
      network.finish(x, settings) {
        $0.conv(settings.classes, 1, activation: .relu, name: "classifier.1")
          .globalAveragePool(name: "pool").activation(.softmax, name: "predictions")
      }
    }
  }
}

extension Signal {
  /// A pooling whose last window may reach beyond the picture.
  fileprivate func poolUp() -> Signal {
    maxPool(3, strides: 2, padding: shape[1] % 2 == 0 ? .same : .valid)
  }

  /// A narrow convolution, and two wide ones of it side by side.
  func fire(_ squeeze: Int, _ expand: Int, _ name: String) -> Signal {
    let narrow = conv(squeeze, 1, activation: .relu, name: "\(name).squeeze")
    let small = narrow.conv(expand, 1, activation: .relu, name: "\(name).expand1x1")
    return small.concatenated(
      with: narrow.conv(expand, 3, activation: .relu, name: "\(name).expand3x3")
    )
  }
}
