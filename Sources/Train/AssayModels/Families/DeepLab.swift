import AssayGraph
import AssayTensor

extension Zoo {
  /// Chen et al., 2017, on the features of MobileNetV2 (Sandler et al., 2018), as TensorFlow has it:
  /// a stride of 16, and beside a convolution only the mean of the whole picture.
  static let deepLab = [
    ZooEntry(
      "deeplabv3_mobilenet_v2",
      family: "DeepLabV3-MobileNet",
      task: .segmentation,
      source: "TensorFlow DeepLab",
      input: .square(513, .signed),
      classes: 21,
      hasTop: false
    ) { network, settings in
      let x = network.picture(settings).inverted(last: 16, scope: "MobilenetV2").last
      func unit(_ x: Signal, _ name: String) -> Signal {
        x.conv(256, 1, usesBias: false, name: name)
          .batchNorm(epsilon: 1e-5, momentum: 0.9997, name: "\(name)/BatchNorm").activation(.relu)
      }
      let size = Size2D(x.shape[1], x.shape[2])
      let mean = unit(x.globalAveragePool(keepsAxes: true), "image_pooling").resize(to: size)
      let joined = unit(mean.concatenated(with: unit(x, "aspp0")), "concat_projection")
      let scores = joined.conv(settings.classes, 1, name: "logits/semantic")
      network.output(scores.resize(to: settings.size), name: "ResizeBilinear_3")
    }
  ]
}
