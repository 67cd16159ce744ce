import AssayGraph
import AssayTensor

extension Zoo {
  /// Liu et al., 2016, on the features of MobileNet, as TensorFlow's object detection has it: offsets
  /// to 1917 anchors, and a score for each class of which the first is the background.
  static let ssd = [
    ZooEntry(
      "ssd_mobilenet_v1",
      family: "SSD-MobileNet",
      task: .detection,
      source: "TensorFlow Object Detection",
      input: .square(300, .signed),
      classes: 91,
      hasTop: false
    ) { network, settings in
      var (x, middle) = network.picture(settings).mobileNetV1Features()
      var maps = [middle, x]
      for (index, width) in [512, 256, 256, 128].enumerated() {
        let name = "FeatureExtractor/MobilenetV1/Conv2d_13_pointwise"
        x = x.detectorUnit(width / 2, 1, 1, "\(name)_1_Conv2d_\(index + 2)_1x1_\(width / 2)")
          .detectorUnit(width, 3, 2, "\(name)_2_Conv2d_\(index + 2)_3x3_s2_\(width)")
        maps.append(x)
      }
      Signal.finish(maps, network, classes: settings.classes) { x, count, index, part in
        x.conv(count, 1, name: "BoxPredictor_\(index)/\(part)")
      }
    },
    ZooEntry(
      "ssdlite_mobilenet_v2",
      family: "SSD-MobileNet",
      task: .detection,
      source: "TensorFlow Object Detection",
      input: .square(300, .signed),
      classes: 91,
      hasTop: false
    ) { network, settings in
      let picture = network.picture(settings)
      let (middle, last) = picture.mobileNetV2Maps()
      var x = last
      var maps = [middle, last]
      for (index, width) in [512, 256, 256, 128].enumerated() {
        let name = "FeatureExtractor/MobilenetV2/layer_19"
        x = x.detectorUnit(width / 2, 1, 1, "\(name)_1_Conv2d_\(index + 2)_1x1_\(width / 2)")
        let second = "\(name)_2_Conv2d_\(index + 2)_3x3_s2_\(width)"
        x = x.detectorDepthwise(2, "\(second)_depthwise").detectorUnit(width, 1, 1, second)
        maps.append(x)
      }
      Signal.finish(maps, network, classes: settings.classes) { x, count, index, part in
        let name = "BoxPredictor_\(index)/\(part)"
        return x.detectorDepthwise(1, "\(name)_depthwise").conv(count, 1, name: name)
      }
    },
  ]
}

extension Signal {
  /// A convolution without bias, its normalization and a ReLU6.
  fileprivate func detectorUnit(
    _ filters: Int,
    _ kernel: Int,
    _ strides: Int,
    _ name: String
  ) -> Signal {
    conv(filters, kernel, strides: strides, usesBias: false, name: name)
      .batchNorm(momentum: 0.9997, name: "\(name)/BatchNorm").activation(.relu6)
  }

  fileprivate func detectorDepthwise(_ strides: Int, _ name: String) -> Signal {
    depthwiseConv(3, strides: strides, usesBias: false, name: name)
      .batchNorm(momentum: 0.9997, name: "\(name)/BatchNorm").activation(.relu6)
  }

  /// MobileNet's features at strides of 32 and of 16.
  fileprivate func mobileNetV1Features() -> (last: Signal, middle: Signal) {
    let scope = "FeatureExtractor/MobilenetV1"
    var x = detectorUnit(32, 3, 2, "\(scope)/Conv2d_0")
    var middle = x
    let filters = [64, 128, 128, 256, 256, 512, 512, 512, 512, 512, 512, 1024, 1024]
    for (index, filters) in filters.enumerated() {
      let name = "\(scope)/Conv2d_\(index + 1)"
      let strides = [1, 3, 5, 11].contains(index) ? 2 : 1
      x = x.detectorDepthwise(strides, "\(name)_depthwise")
        .detectorUnit(filters, 1, 1, "\(name)_pointwise")
      if index == 10 { middle = x }
    }
    return (x, middle)
  }

  /// MobileNetV2's widest map at a stride of 16, and its last at 32.
  fileprivate func mobileNetV2Maps() -> (middle: Signal, last: Signal) {
    let (x, expanded) = inverted(last: 32, scope: "FeatureExtractor/MobilenetV2")
    return (expanded, x.detectorUnit(1280, 1, 1, "FeatureExtractor/MobilenetV2/Conv_1"))
  }

  /// The blocks of MobileNetV2 as TF-Slim names them.
  ///
  /// - Parameter last: the greatest stride; beyond it convolutions are dilated instead.
  /// - Returns: what the last block makes, and the expansion at a stride of 16 within the block that
  ///   would go on to 32.
  func inverted(last: Int, scope: String) -> (last: Signal, expanded: Signal) {
    var x = detectorUnit(32, 3, 2, "\(scope)/Conv")
    var expanded = x
    var (reached, dilation, index) = (2, 1, 0)
    // Filters, strides of the first block, blocks.
    let stages = [
      (16, 1, 1), (24, 2, 2), (32, 2, 3), (64, 2, 4), (96, 1, 3), (160, 2, 3), (320, 1, 1),
    ]
    for (filters, strides, count) in stages {
      for block in 0..<count {
        let name = "\(scope)/expanded_conv" + (index == 0 ? "" : "_\(index)")
        let wanted = block == 0 ? strides : 1
        let isAtLimit = reached == last
        var y = x
        if index > 0 { y = y.detectorUnit(6 * x.channels, 1, 1, "\(name)/expand") }
        if index == 13 { expanded = y }
        y = y.depthwiseConv(
          3,
          strides: isAtLimit ? 1 : wanted,
          dilation: dilation,
          usesBias: false,
          name: "\(name)/depthwise"
        ).batchNorm(momentum: 0.9997, name: "\(name)/depthwise/BatchNorm").activation(.relu6)
          .conv(filters, 1, usesBias: false, name: "\(name)/project")
          .batchNorm(momentum: 0.9997, name: "\(name)/project/BatchNorm")
        if isAtLimit { dilation *= wanted } else { reached *= wanted }
        x = wanted == 1 && x.channels == filters ? x + y : y
        index += 1
      }
    }
    return (x, expanded)
  }

  /// The predictions of six maps: three anchors a cell of the first, six of the others.
  fileprivate static func finish(
    _ maps: [Signal],
    _ network: NetworkBuilder,
    classes: Int,
    _ predictor: (Signal, Int, Int, String) -> Signal
  ) {
    func all(_ width: Int, _ part: String) -> Signal {
      let rows = maps.enumerated().map { index, map in
        let anchors = index == 0 ? 3 : 6
        let x = predictor(map, anchors * width, index, part)
        return x.reshape([x.shape[1] * x.shape[2] * anchors, width])
      }
      return rows[0].concatenated(with: Array(rows.dropFirst()), axis: 1)
    }
    network.output(all(4, "BoxEncodingPredictor"), name: "raw_outputs/box_encodings")
    network.output(
      all(classes, "ClassPredictor").activation(.sigmoid),
      name: "raw_outputs/class_predictions"
    )
  }
}
