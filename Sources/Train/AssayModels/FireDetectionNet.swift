import AssayGraph

extension Network {
  /// A classifier of pictures with and without fire.
  ///
  /// Four separable convolutions and two dense layers, each normalized *after* its activation, so that
  /// the normalization cannot be folded into the layer before it. 2,123,813 parameters for 128 x 128
  /// pictures, nearly all in the first dense layer.
  ///
  /// - Parameters:
  ///   - side: extents of the square picture, of red, green and blue in 0...1; a multiple of 8.
  ///   - classes: outputs of the softmax.
  ///   - seed: of the first weights.
  /// - Throws: `Diagnostic` GRF… when the picture is too small.
  public static func fireDetectionNet(
    side: Int = 128,
    classes: Int = 2,
    seed: UInt64 = 0
  ) throws -> Network {
    try build("FireDetectionNet", seed: seed) { network in
      network.output(fireDetectionNet(network.input("image", [side, side, 3]), classes: classes))
    }
  }

  /// The layers on a picture.
  static func fireDetectionNet(_ image: Signal, classes: Int) -> Signal {
    let features = image.separableConv(16, 7, activation: .relu).batchNorm().maxPool(2)
      .separableConv(32, 3, activation: .relu).batchNorm().maxPool(2)
      .separableConv(64, 3, activation: .relu).batchNorm()
      .separableConv(64, 3, activation: .relu).batchNorm().maxPool(2)
    return features.flatten()
      .dense(128, activation: .relu).batchNorm().dropout(0.5)
      .dense(128, activation: .relu).batchNorm().dropout(0.5)
      .dense(classes, activation: .softmax)
  }
}
