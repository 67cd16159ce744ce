import AssayGraph

extension Zoo {
  /// Krizhevsky, 2014, as TF-Slim has it; it ends in convolutions in place of dense layers.
  static let alexNet = [
    ZooEntry("alexnet_v2", family: "AlexNet", source: "TF-Slim", input: .square(224, .caffe)) {
      network,
      settings in
      let image = network.picture(settings)
      network.block("alexnet_v2") {
        let x = image.conv(64, 11, strides: 4, padding: .valid, activation: .relu, name: "conv1")
          .maxPool(3, strides: 2, name: "pool1").conv(192, 5, activation: .relu, name: "conv2")
          .maxPool(3, strides: 2, name: "pool2").conv(384, 3, activation: .relu, name: "conv3")
          .conv(384, 3, activation: .relu, name: "conv4")
          .conv(256, 3, activation: .relu, name: "conv5").maxPool(3, strides: 2, name: "pool5")
        network.finish(x, settings) {
          $0.conv(4096, 5, padding: .valid, activation: .relu, name: "fc6")
            .conv(4096, 1, activation: .relu, name: "fc7")
            .conv(settings.classes, 1, name: "fc8").globalAveragePool(name: "squeezed")
            .activation(.softmax, name: "predictions")
        }
      }
    }
  ]
}
