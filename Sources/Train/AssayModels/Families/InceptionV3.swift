import AssayGraph

extension Zoo {
  /// Szegedy et al., 2016, as Keras has it.
  static let inceptionV3 = [
    ZooEntry(
      "InceptionV3",
      family: "Inception",
      source: "Keras Applications",
      input: .square(299, .signed)
    ) { network, settings in
      var x = network.picture(settings).unit(32, 3, strides: 2, padding: .valid)
        .unit(32, 3, padding: .valid).unit(64, 3).maxPool(3, strides: 2)
        .unit(80, 1, padding: .valid).unit(192, 3, padding: .valid).maxPool(3, strides: 2)
      for (index, pooled) in [32, 64, 64].enumerated() { x = x.cell35(pooled, "mixed\(index)") }
      x = x.reduced35()
      for (index, width) in [128, 160, 160, 192].enumerated() {
        x = x.cell17(width, "mixed\(index + 4)")
      }
      x = x.reduced17().cell8(0).cell8(1)
      network.finish(x, settings) { $0.classified(settings.classes) }
    }
  ]
}

extension Signal {
  /// A convolution, its normalization without scale and a ReLU.
  fileprivate func unit(
    _ filters: Int,
    _ rows: Int,
    _ columns: Int? = nil,
    strides: Int = 1,
    padding: Padding = .same
  ) -> Signal {
    conv(
      filters,
      Size2D(rows, columns ?? rows),
      strides: Size2D(strides, strides),
      padding: padding,
      usesBias: false
    ).batchNorm(usesScale: false).activation(.relu)
  }

  fileprivate func pooled(_ filters: Int) -> Signal {
    averagePool(3, strides: 1, padding: .same).unit(filters, 1)
  }

  fileprivate func cell35(_ pooled: Int, _ name: String) -> Signal {
    let a = unit(64, 1)
    let b = unit(48, 1).unit(64, 5)
    let c = unit(64, 1).unit(96, 3).unit(96, 3)
    return a.concatenated(with: b, c, self.pooled(pooled), name: name)
  }

  fileprivate func reduced35() -> Signal {
    let a = unit(384, 3, strides: 2, padding: .valid)
    let b = unit(64, 1).unit(96, 3).unit(96, 3, strides: 2, padding: .valid)
    return a.concatenated(with: b, maxPool(3, strides: 2), name: "mixed3")
  }

  fileprivate func cell17(_ width: Int, _ name: String) -> Signal {
    let a = unit(192, 1)
    let b = unit(width, 1).unit(width, 1, 7).unit(192, 7, 1)
    let c = unit(width, 1).unit(width, 7, 1).unit(width, 1, 7).unit(width, 7, 1).unit(192, 1, 7)
    return a.concatenated(with: b, c, pooled(192), name: name)
  }

  fileprivate func reduced17() -> Signal {
    let a = unit(192, 1).unit(320, 3, strides: 2, padding: .valid)
    let b = unit(192, 1).unit(192, 1, 7).unit(192, 7, 1)
      .unit(192, 3, strides: 2, padding: .valid)
    return a.concatenated(with: b, maxPool(3, strides: 2), name: "mixed8")
  }

  fileprivate func cell8(_ index: Int) -> Signal {
    let a = unit(320, 1)
    let b = unit(384, 1)
    let bs = b.unit(384, 1, 3).concatenated(with: b.unit(384, 3, 1), name: "mixed9_\(index)")
    let c = unit(448, 1).unit(384, 3)
    let cs = c.unit(384, 1, 3).concatenated(with: c.unit(384, 3, 1))
    return a.concatenated(with: bs, cs, pooled(192), name: "mixed\(index + 9)")
  }
}
