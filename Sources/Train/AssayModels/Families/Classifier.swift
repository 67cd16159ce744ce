import AssayGraph
import AssayTensor

extension Signal {
  /// The last layers of most classifiers: the mean of each channel, and a dense layer with a softmax.
  func classified(
    _ classes: Int,
    pool: String? = "avg_pool",
    name: String = "predictions"
  ) -> Signal {
    globalAveragePool(name: pool).dense(classes, name: name).activation(.softmax)
  }
}

extension NetworkBuilder {
  /// The picture that a classifier is fed.
  func picture(_ settings: ZooSettings, channels: Int = 3) -> Signal {
    input("image", [settings.size.height, settings.size.width, channels])
  }

  /// Ends a classifier: with its last layers, or with the features before them.
  func finish(
    _ features: Signal,
    _ settings: ZooSettings,
    name: String = "predictions",
    _ top: (Signal) -> Signal
  ) {
    guard settings.includesTop else { return output(features, name: "features") }
    output(top(features), name: name)
  }
}

/// Channels as a multiple of `divisor`, rounded down by no more than a tenth.
func divisible(_ value: Double, by divisor: Int = 8, keepsTenth: Bool = true) -> Int {
  let rounded = max(divisor, Int(value + Double(divisor) / 2) / divisor * divisor)
  return keepsTenth && Double(rounded) < 0.9 * value ? rounded + divisor : rounded
}
