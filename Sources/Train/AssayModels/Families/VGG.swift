import AssayGraph

extension Zoo {
  /// Simonyan and Zisserman, 2015, as Keras has it.
  static let vgg = [
    vgg("VGG16", convolutions: [2, 2, 3, 3, 3]), vgg("VGG19", convolutions: [2, 2, 4, 4, 4]),
  ]

  private static func vgg(_ name: String, convolutions: [Int]) -> ZooEntry {
    ZooEntry(name, family: "VGG", source: "Keras Applications", input: .square(224, .caffe)) {
      network,
      settings in
      var x = network.picture(settings)
      for (index, count) in convolutions.enumerated() {
        let block = "block\(index + 1)"
        x = x.repeated(count) {
          $0.conv(min(64 << index, 512), 3, activation: .relu, name: "\(block)_conv\($1 + 1)")
        }.maxPool(2, name: "\(block)_pool")
      }
      network.finish(x, settings) {
        $0.flatten().dense(4096, activation: .relu, name: "fc1")
          .dense(4096, activation: .relu, name: "fc2")
          .dense(settings.classes, name: "predictions").activation(.softmax)
      }
    }
  }
}
