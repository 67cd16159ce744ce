import AssayGraph

extension Zoo {
  /// Szegedy et al., 2014 (V1, normalized), Ioffe and Szegedy, 2015 (V2) and Szegedy, Ioffe, Vanhoucke
  /// and Alemi, 2017 (V4), as TF-Slim has them.
  static let slimInception = [
    slimInception("inception_v1", 224, "InceptionV1") { $0.inceptionV1() },
    slimInception("inception_v2", 224, "InceptionV2") { $0.inceptionV2() },
    slimInception("inception_v4", 299, "InceptionV4") { $0.inceptionV4() },
  ]

  private static func slimInception(
    _ name: String,
    _ side: Int,
    _ scope: String,
    _ features: @escaping @Sendable (Signal) -> Signal
  ) -> ZooEntry {
    ZooEntry(
      name,
      family: "Inception",
      source: "TF-Slim",
      input: .square(side, .signed),
      classes: 1001,
      // The others are half as deep.
      center: name == "inception_v4" ? 1 : 0
    ) { network, settings in
      let image = network.picture(settings)
      network.block(scope) {
        network.finish(features(image), settings) { x in
          if name == "inception_v4" {
            return x.globalAveragePool(name: "Logits/AvgPool_1a")
              .dense(settings.classes, name: "Logits/Logits").activation(.softmax)
          }
          let logits = name == "inception_v1" ? "Conv2d_0c_1x1" : "Conv2d_1c_1x1"
          return x.globalAveragePool(keepsAxes: true, name: "Logits/AvgPool")
            .conv(settings.classes, 1, name: "Logits/\(logits)").flatten()
            .activation(.softmax, name: "Predictions")
        }
      }
    }
  }
}

/// A unit of a branch: filters, rows and columns of its kernel, its name and strides.
private struct Unit {
  var filters: Int
  var kernel: Size2D
  var name: String
  var strides: Int

  init(_ filters: Int, _ side: Int, _ letters: String, strides: Int = 1) {
    self.init(filters, side, side, letters, strides: strides)
  }

  init(_ filters: Int, _ rows: Int, _ columns: Int, _ letters: String, strides: Int = 1) {
    self.filters = filters
    kernel = Size2D(rows, columns)
    name = "Conv2d_\(letters)_\(rows)x\(columns)"
    self.strides = strides
  }
}

extension Signal {
  /// A convolution, its normalization without scale and a ReLU.
  fileprivate func unit(_ unit: Unit, padding: Padding = .same) -> Signal {
    conv(
      unit.filters,
      unit.kernel,
      strides: Size2D(unit.strides, unit.strides),
      padding: padding,
      usesBias: false,
      name: unit.name
    ).batchNorm(momentum: 0.9997, usesScale: false, name: "\(unit.name)/BatchNorm")
      .activation(.relu)
  }

  /// Branch `index` of a module: units one after the other; those with strides do not pad where told.
  fileprivate func branch(
    _ index: Int,
    _ units: [Unit],
    reducesWith padding: Padding = .same
  ) -> Signal {
    block("Branch_\(index)") { x in
      units.reduce(x) { $0.unit($1, padding: $1.strides > 1 ? padding : .same) }
    }
  }

  // MARK: V1

  fileprivate func inceptionV1() -> Signal {
    var x = unit(Unit(64, 7, "1a", strides: 2)).maxPool(3, strides: 2, padding: .same)
      .unit(Unit(64, 1, "2b")).unit(Unit(192, 3, "2c")).maxPool(3, strides: 2, padding: .same)
    // Filters of the branches 1x1, 3x3 with its reduction, 5x5 with its reduction, and pool.
    let stages: [[(String, [Int])]] = [
      [("3b", [64, 96, 128, 16, 32, 32]), ("3c", [128, 128, 192, 32, 96, 64])],
      [
        ("4b", [192, 96, 208, 16, 48, 64]), ("4c", [160, 112, 224, 24, 64, 64]),
        ("4d", [128, 128, 256, 24, 64, 64]), ("4e", [112, 144, 288, 32, 64, 64]),
        ("4f", [256, 160, 320, 32, 128, 128]),
      ],
      [("5b", [256, 160, 320, 32, 128, 128]), ("5c", [384, 192, 384, 48, 128, 128])],
    ]
    for (index, modules) in stages.enumerated() {
      for (name, f) in modules { x = x.block("Mixed_\(name)") { $0.moduleV1(f, name) } }
      if index < 2 { x = x.maxPool(index == 0 ? 3 : 2, strides: 2, padding: .same) }
    }
    return x
  }

  fileprivate func moduleV1(_ f: [Int], _ name: String) -> Signal {
    let a = branch(0, [Unit(f[0], 1, "0a")])
    let b = branch(1, [Unit(f[1], 1, "0a"), Unit(f[2], 3, "0b")])
    // One name in the published weights is not like the others.
    let c = branch(2, [Unit(f[3], 1, "0a"), Unit(f[4], 3, name == "5b" ? "0a" : "0b")])
    let d = maxPool(3, strides: 1, padding: .same).branch(3, [Unit(f[5], 1, "0b")])
    return a.concatenated(with: b, c, d)
  }

  // MARK: V2

  fileprivate func inceptionV2() -> Signal {
    let name = "Conv2d_1a_7x7"
    var x = separableConv(64, 7, strides: 2, multiplier: 8, usesBias: false, name: name)
      .batchNorm(momentum: 0.9997, usesScale: false, name: "\(name)/BatchNorm").activation(.relu)
      .maxPool(3, strides: 2, padding: .same).unit(Unit(64, 1, "2b")).unit(Unit(192, 3, "2c"))
      .maxPool(3, strides: 2, padding: .same)
    x = x.moduleV2("3b", [64, 64, 64, 64, 96, 32]).moduleV2("3c", [64, 64, 96, 64, 96, 64])
      .reductionV2("4a", [128, 160, 64, 96]).moduleV2("4b", [224, 64, 96, 96, 128, 128])
      .moduleV2("4c", [192, 96, 128, 96, 128, 128]).moduleV2("4d", [160, 128, 160, 128, 160, 96])
      .moduleV2("4e", [96, 128, 192, 160, 192, 96]).reductionV2("5a", [128, 192, 192, 256])
    return x.moduleV2("5b", [352, 192, 320, 160, 224, 128])
      .moduleV2("5c", [352, 192, 320, 192, 224, 128], pool: .max)
  }

  /// Filters of the branches 1x1, 3x3 with its reduction, twice 3x3 with its reduction, and pool.
  fileprivate func moduleV2(
    _ name: String,
    _ f: [Int],
    pool: Pool2D.Kind = .average
  ) -> Signal {
    block("Mixed_\(name)") { x in
      let a = x.branch(0, [Unit(f[0], 1, "0a")])
      let b = x.branch(1, [Unit(f[1], 1, "0a"), Unit(f[2], 3, "0b")])
      let c = x.branch(2, [Unit(f[3], 1, "0a"), Unit(f[4], 3, "0b"), Unit(f[4], 3, "0c")])
      let pooled =
        pool == .max
        ? x.maxPool(3, strides: 1, padding: .same) : x.averagePool(3, strides: 1, padding: .same)
      return a.concatenated(with: b, c, pooled.branch(3, [Unit(f[5], 1, "0b")]))
    }
  }

  fileprivate func reductionV2(_ name: String, _ f: [Int]) -> Signal {
    block("Mixed_\(name)") { x in
      let a = x.branch(0, [Unit(f[0], 1, "0a"), Unit(f[1], 3, "1a", strides: 2)])
      let b = x.branch(
        1,
        [Unit(f[2], 1, "0a"), Unit(f[3], 3, "0b"), Unit(f[3], 3, "1a", strides: 2)]
      )
      return a.concatenated(with: b, x.maxPool(3, strides: 2, padding: .same))
    }
  }

  // MARK: V4

  fileprivate func inceptionV4() -> Signal {
    var x = unit(Unit(32, 3, "1a", strides: 2), padding: .valid)
      .unit(Unit(32, 3, "2a"), padding: .valid).unit(Unit(64, 3, "2b"))
    x = x.block("Mixed_3a") {
      $0.maxPool(3, strides: 2)
        .concatenated(with: $0.branch(1, [Unit(96, 3, "0a", strides: 2)], reducesWith: .valid))
    }.block("Mixed_4a") { x in
      let a = x.block("Branch_0") {
        $0.unit(Unit(64, 1, "0a")).unit(Unit(96, 3, "1a"), padding: .valid)
      }
      let b = x.block("Branch_1") {
        $0.unit(Unit(64, 1, "0a")).unit(Unit(64, 1, 7, "0b")).unit(Unit(64, 7, 1, "0c"))
          .unit(Unit(96, 3, "1a"), padding: .valid)
      }
      return a.concatenated(with: b)
    }.block("Mixed_5a") {
      $0.branch(0, [Unit(192, 3, "1a", strides: 2)], reducesWith: .valid)
        .concatenated(with: $0.maxPool(3, strides: 2))
    }
    for name in ["5b", "5c", "5d", "5e"] { x = x.block("Mixed_\(name)") { $0.moduleA() } }
    x = x.block("Mixed_6a") { x in
      let a = x.branch(0, [Unit(384, 3, "1a", strides: 2)], reducesWith: .valid)
      let units = [Unit(192, 1, "0a"), Unit(224, 3, "0b"), Unit(256, 3, "1a", strides: 2)]
      let b = x.branch(1, units, reducesWith: .valid)
      return a.concatenated(with: b, x.maxPool(3, strides: 2))
    }
    for name in ["6b", "6c", "6d", "6e", "6f", "6g", "6h"] {
      x = x.block("Mixed_\(name)") { $0.moduleB() }
    }
    x = x.block("Mixed_7a") { x in
      let first = [Unit(192, 1, "0a"), Unit(192, 3, "1a", strides: 2)]
      let a = x.branch(0, first, reducesWith: .valid)
      let second = [
        Unit(256, 1, "0a"), Unit(256, 1, 7, "0b"), Unit(320, 7, 1, "0c"),
        Unit(320, 3, "1a", strides: 2),
      ]
      let b = x.branch(1, second, reducesWith: .valid)
      return a.concatenated(with: b, x.maxPool(3, strides: 2))
    }
    for name in ["7b", "7c", "7d"] { x = x.block("Mixed_\(name)") { $0.moduleC() } }
    return x
  }

  fileprivate func averaged(_ filters: Int) -> Signal {
    averagePool(3, strides: 1, padding: .same).branch(3, [Unit(filters, 1, "0b")])
  }

  fileprivate func moduleA() -> Signal {
    let a = branch(0, [Unit(96, 1, "0a")])
    let b = branch(1, [Unit(64, 1, "0a"), Unit(96, 3, "0b")])
    let c = branch(2, [Unit(64, 1, "0a"), Unit(96, 3, "0b"), Unit(96, 3, "0c")])
    return a.concatenated(with: b, c, averaged(96))
  }

  fileprivate func moduleB() -> Signal {
    let a = branch(0, [Unit(384, 1, "0a")])
    let b = branch(1, [Unit(192, 1, "0a"), Unit(224, 1, 7, "0b"), Unit(256, 7, 1, "0c")])
    let c = branch(
      2,
      [
        Unit(192, 1, "0a"), Unit(192, 7, 1, "0b"), Unit(224, 1, 7, "0c"), Unit(224, 7, 1, "0d"),
        Unit(256, 1, 7, "0e"),
      ]
    )
    return a.concatenated(with: b, c, averaged(128))
  }

  fileprivate func moduleC() -> Signal {
    let a = branch(0, [Unit(256, 1, "0a")])
    let b = block("Branch_1") { x in
      let y = x.unit(Unit(384, 1, "0a"))
      return y.unit(Unit(256, 1, 3, "0b")).concatenated(with: y.unit(Unit(256, 3, 1, "0c")))
    }
    let c = block("Branch_2") { x in
      let y = x.unit(Unit(384, 1, "0a")).unit(Unit(448, 3, 1, "0b")).unit(Unit(512, 1, 3, "0c"))
      return y.unit(Unit(256, 1, 3, "0d")).concatenated(with: y.unit(Unit(256, 3, 1, "0e")))
    }
    return a.concatenated(with: b, c, averaged(256))
  }
}
