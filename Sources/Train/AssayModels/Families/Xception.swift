import AssayGraph

extension Zoo {
  /// Chollet, 2017, as Keras has it.
  static let xception = [
    ZooEntry(
      "Xception",
      family: "Xception",
      source: "Keras Applications",
      input: .square(299, .signed)
    ) { network, settings in
      var x = network.picture(settings)
      for (index, filters) in [32, 64].enumerated() {
        let name = "block1_conv\(index + 1)"
        x = x.conv(
          filters,
          3,
          strides: index == 0 ? 2 : 1,
          padding: .valid,
          usesBias: false,
          name: name
        ).batchNorm(name: "\(name)_bn").activation(.relu, name: "\(name)_act")
      }
      x = x.reducing("block2", [128, 128], beginsActive: false).reducing("block3", [256, 256])
        .reducing("block4", [728, 728])
      x = x.repeated(8) { x, index in
        let name = "block\(index + 5)"
        let long = x.repeated(3) { $0.separable("\(name)_sepconv\($1 + 1)", 728) }
        return long + x
      }
      x = x.reducing("block13", [728, 1024])
      for (index, filters) in [1536, 2048].enumerated() {
        let name = "block14_sepconv\(index + 1)"
        x = x.separable(name, filters, beginsActive: false)
          .activation(.relu, name: "\(name)_act")
      }
      network.finish(x, settings) { $0.classified(settings.classes) }
    }
  ]
}

extension Signal {
  fileprivate func separable(_ name: String, _ filters: Int, beginsActive: Bool = true) -> Signal {
    (beginsActive ? activation(.relu, name: "\(name)_act") : self)
      .separableConv(filters, 3, usesBias: false, name: name).batchNorm(name: "\(name)_bn")
  }

  /// Two separable convolutions and a pooling beside a projection.
  fileprivate func reducing(
    _ name: String,
    _ filters: [Int],
    beginsActive: Bool = true
  ) -> Signal {
    let short = conv(filters[1], 1, strides: 2, usesBias: false).batchNorm()
    return separable("\(name)_sepconv1", filters[0], beginsActive: beginsActive)
      .separable("\(name)_sepconv2", filters[1])
      .maxPool(3, strides: 2, padding: .same, name: "\(name)_pool") + short
  }
}
