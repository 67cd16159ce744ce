import AssayGraph
import AssayTensor

extension Zoo {
  /// The four networks of MLPerf Tiny (Banbury et al., 2021).
  static let mlPerfTiny = [visualWakeWords, resNet8, keywordSpotting, toyCar]

  /// A quarter of a MobileNet that sees whether somebody is there.
  private static let visualWakeWords = ZooEntry(
    "vww_96",
    family: "MLPerf Tiny",
    source: "MLPerf Tiny",
    input: .square(96, .unit),
    classes: 2
  ) { network, settings in
    var x = network.picture(settings).conv(8, 3, strides: 2).batchNorm()
      .activation(.relu)
    let plan = [
      (16, 1), (32, 2), (32, 1), (64, 2), (64, 1), (128, 2), (128, 1), (128, 1), (128, 1), (128, 1),
      (128, 1), (256, 2), (256, 1),
    ]
    for (filters, strides) in plan {
      x = x.depthwiseConv(3, strides: strides).batchNorm().activation(.relu)
        .conv(filters, 1).batchNorm().activation(.relu)
    }
    network.finish(x, settings) {
      $0.averagePool($0.shape[1]).flatten().dense(settings.classes).activation(.softmax)
    }
  }

  private static let resNet8 = ZooEntry(
    "resnet8_cifar10",
    family: "MLPerf Tiny",
    source: "MLPerf Tiny",
    input: .square(32, .bytes),
    classes: 10
  ) { network, settings in
    var x = network.picture(settings).conv(16, 3).batchNorm().activation(.relu)
    for (filters, strides) in [(16, 1), (32, 2), (64, 2)] {
      let long = x.conv(filters, 3, strides: strides).batchNorm().activation(.relu)
        .conv(filters, 3).batchNorm()
      let short = strides > 1 ? x.conv(filters, 1, strides: strides) : x
      x = (short + long).activation(.relu)
    }
    network.finish(x, settings) {
      $0.averagePool($0.shape[1]).flatten().dense(settings.classes).activation(.softmax)
    }
  }

  /// A network of depthwise convolutions for words in a second of sound.
  private static let keywordSpotting = ZooEntry(
    "kws_dscnn",
    family: "MLPerf Tiny",
    task: .keywords,
    source: "MLPerf Tiny",
    input: .numbers([49, 10, 1]),
    classes: 12,
    isResizable: false
  ) { network, settings in
    var x = network.input("image", [49, 10, 1])
      .conv(64, Size2D(10, 4), strides: Size2D(2, 2)).batchNorm().activation(.relu).dropout(0.2)
    x = x.repeated(4) { x, _ in
      x.depthwiseConv(3).batchNorm().activation(.relu).conv(64, 1).batchNorm().activation(.relu)
    }
    network.finish(x.dropout(0.4), settings) {
      $0.averagePool(Size2D($0.shape[1], $0.shape[2])).flatten().dense(settings.classes)
        .activation(.softmax)
    }
  }

  /// An autoencoder for the sound of toy cars.
  private static let toyCar = ZooEntry(
    "ad_toycar",
    family: "MLPerf Tiny",
    task: .anomaly,
    source: "MLPerf Tiny",
    input: .numbers([640]),
    classes: nil,
    hasTop: false,
    isResizable: false
  ) { network, _ in
    func layers(_ x: Signal, _ widths: [Int]) -> Signal {
      widths.reduce(x) { $0.dense($1).batchNorm().activation(.relu) }
    }
    let code = layers(network.input("spectrum", [640]), [128, 128, 128, 128, 8])
    network.output(layers(code, [128, 128, 128, 128]).dense(640), name: "reconstruction")
  }
}
