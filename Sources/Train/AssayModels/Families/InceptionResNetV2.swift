import AssayGraph
import AssayTensor

extension Zoo {
  /// Szegedy, Ioffe, Vanhoucke and Alemi, 2017, as Keras has it.
  static let inceptionResNetV2 = [
    ZooEntry(
      "InceptionResNetV2",
      family: "InceptionResNet",
      source: "Keras Applications",
      input: .square(299, .signed)
    ) { network, settings in
      var x = network.picture(settings).unit(32, 3, strides: 2, padding: .valid)
        .unit(32, 3, padding: .valid).unit(64, 3).maxPool(3, strides: 2)
        .unit(80, 1, padding: .valid).unit(192, 3, padding: .valid).maxPool(3, strides: 2)
        .mixed5()
      x = x.repeated(10) { x, index in
        x.residual("block35_\(index + 1)", 0.17) {
          let a = $0.unit(32, 1)
          let b = $0.unit(32, 1).unit(32, 3)
          return [a, b, $0.unit(32, 1).unit(48, 3).unit(64, 3)]
        }
      }.mixed6()
      x = x.repeated(20) { x, index in
        x.residual("block17_\(index + 1)", 0.1) {
          [$0.unit(192, 1), $0.unit(128, 1).unit(160, 1, 7).unit(192, 7, 1)]
        }
      }.mixed7()
      x = x.repeated(10) { x, index in
        x.residual("block8_\(index + 1)", index < 9 ? 0.2 : 1, isActive: index < 9) {
          [$0.unit(192, 1), $0.unit(192, 1).unit(224, 1, 3).unit(256, 3, 1)]
        }
      }
      x = x.unit(1536, 1, name: "conv_7b")
      network.finish(x, settings) { $0.classified(settings.classes) }
    }
  ]
}

extension Signal {
  fileprivate func unit(
    _ filters: Int,
    _ rows: Int,
    _ columns: Int? = nil,
    strides: Int = 1,
    padding: Padding = .same,
    name: String? = nil
  ) -> Signal {
    conv(
      filters,
      Size2D(rows, columns ?? rows),
      strides: Size2D(strides, strides),
      padding: padding,
      usesBias: false,
      name: name
    ).batchNorm(usesScale: false, name: name.map { $0 + "_bn" })
      .activation(.relu, name: name.map { $0 + "_ac" })
  }

  /// What the branches make, brought to the signal's channels, a part of which is added to it.
  fileprivate func residual(
    _ name: String,
    _ scale: Float,
    isActive: Bool = true,
    _ branches: (Signal) -> [Signal]
  ) -> Signal {
    let parts = branches(self)
    let mixed = parts[0].concatenated(with: Array(parts.dropFirst()), name: "\(name)_mixed")
    let up = mixed.conv(channels, 1, name: "\(name)_conv")
    let sum = self + (scale == 1 ? up : up.rescale([scale], name: "\(name)_scale"))
    return isActive ? sum.activation(.relu, name: "\(name)_ac") : sum
  }

  fileprivate func mixed5() -> Signal {
    let a = unit(96, 1)
    let b = unit(48, 1).unit(64, 5)
    let c = unit(64, 1).unit(96, 3).unit(96, 3)
    let d = averagePool(3, strides: 1, padding: .same).unit(64, 1)
    return a.concatenated(with: b, c, d, name: "mixed_5b")
  }

  fileprivate func mixed6() -> Signal {
    let a = unit(384, 3, strides: 2, padding: .valid)
    let b = unit(256, 1).unit(256, 3).unit(384, 3, strides: 2, padding: .valid)
    return a.concatenated(with: b, maxPool(3, strides: 2), name: "mixed_6a")
  }

  fileprivate func mixed7() -> Signal {
    let a = unit(256, 1).unit(384, 3, strides: 2, padding: .valid)
    let b = unit(256, 1).unit(288, 3, strides: 2, padding: .valid)
    let c = unit(256, 1).unit(288, 3).unit(320, 3, strides: 2, padding: .valid)
    return a.concatenated(with: b, c, maxPool(3, strides: 2), name: "mixed_7a")
  }
}
