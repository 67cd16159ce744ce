import AssayGraph
import AssayTensor

extension Zoo {
  /// Zoph, Vasudevan, Shlens and Le, 2018, as Keras has it.
  static let nasNet = [
    nasNet("NASNetMobile", 224, stem: 32, penultimate: 1056, cells: 4, skipsReduction: false),
    nasNet("NASNetLarge", 331, stem: 96, penultimate: 4032, cells: 6, skipsReduction: true),
  ]

  private static func nasNet(
    _ name: String,
    _ side: Int,
    stem: Int,
    penultimate: Int,
    cells: Int,
    skipsReduction: Bool
  ) -> ZooEntry {
    ZooEntry(name, family: "NASNet", source: "Keras Applications", input: .square(side, .signed)) {
      network,
      settings in
      let filters = penultimate / 24
      var x = network.picture(settings)
        .conv(stem, 3, strides: 2, padding: .valid, usesBias: false, name: "stem_conv1")
        .batchNorm(momentum: 0.9997, name: "stem_bn1")
      var previous: Signal?
      /// A cell sees what the two before it made.
      func add(_ cell: (Signal, Signal?, Int, String) -> Signal, _ filters: Int, _ name: String) {
        let made = cell(x, previous, filters, name)
        (x, previous) = (made, x)
      }
      add(reductionCell, filters / 4, "stem_1")
      add(reductionCell, filters / 2, "stem_2")
      for index in 0..<cells { add(normalCell, filters, "\(index)") }
      for stage in 1...2 {
        let skipped = previous
        add(reductionCell, filters << stage, "reduce_\(stage * cells)")
        if skipsReduction { previous = skipped }
        for index in 1...cells { add(normalCell, filters << stage, "\(stage * cells + index)") }
      }
      network.finish(x.activation(.relu), settings) { $0.classified(settings.classes, pool: nil) }
    }
  }

  private static func normalCell(
    _ x: Signal,
    _ previous: Signal?,
    _ filters: Int,
    _ name: String
  ) -> Signal {
    let p = adjusted(previous, to: x, filters, name)
    let h = x.activation(.relu).conv(filters, 1, usesBias: false, name: "normal_conv_1_\(name)")
      .batchNorm(momentum: 0.9997, name: "normal_bn_1_\(name)")
    func pool(_ x: Signal, _ side: String) -> Signal {
      x.averagePool(3, strides: 1, padding: .same, name: "normal_\(side)_\(name)")
    }
    let x1 = separable(h, filters, 5, "normal_left1_\(name)")
      .added(separable(p, filters, 3, "normal_right1_\(name)"), name: "normal_add_1_\(name)")
    let x2 = separable(p, filters, 5, "normal_left2_\(name)")
      .added(separable(p, filters, 3, "normal_right2_\(name)"), name: "normal_add_2_\(name)")
    let x3 = pool(h, "left3").added(p, name: "normal_add_3_\(name)")
    let x4 = pool(p, "left4").added(pool(p, "right4"), name: "normal_add_4_\(name)")
    let x5 = separable(h, filters, 3, "normal_left5_\(name)")
      .added(h, name: "normal_add_5_\(name)")
    return p.concatenated(with: x1, x2, x3, x4, x5, name: "normal_concat_\(name)")
  }

  private static func reductionCell(
    _ x: Signal,
    _ previous: Signal?,
    _ filters: Int,
    _ name: String
  ) -> Signal {
    let p = adjusted(previous, to: x, filters, name)
    let h = x.activation(.relu).conv(filters, 1, usesBias: false, name: "reduction_conv_1_\(name)")
      .batchNorm(momentum: 0.9997, name: "reduction_bn_1_\(name)")
    let padded = h.padForStride2(3, name: "reduction_pad_1_\(name)")
    let x1 = separable(h, filters, 5, "reduction_left1_\(name)", strides: 2).added(
      separable(p, filters, 7, "reduction_right1_\(name)", strides: 2),
      name: "reduction_add_1_\(name)"
    )
    let x2 = padded.maxPool(3, strides: 2, name: "reduction_left2_\(name)").added(
      separable(p, filters, 7, "reduction_right2_\(name)", strides: 2),
      name: "reduction_add_2_\(name)"
    )
    let x3 = padded.averagePool(3, strides: 2, name: "reduction_left3_\(name)").added(
      separable(p, filters, 5, "reduction_right3_\(name)", strides: 2),
      name: "reduction_add3_\(name)"
    )
    let x4 =
      x2
      + x1.averagePool(3, strides: 1, padding: .same, name: "reduction_left4_\(name)")
    let x5 = separable(x1, filters, 3, "reduction_left4_\(name)").added(
      padded.maxPool(3, strides: 2, name: "reduction_right5_\(name)"),
      name: "reduction_add4_\(name)"
    )
    return x2.concatenated(with: x3, x4, x5, name: "reduction_concat_\(name)")
  }

  /// What the cell before the last made, in the extents and channels of this cell.
  private static func adjusted(
    _ previous: Signal?,
    to x: Signal,
    _ filters: Int,
    _ name: String
  ) -> Signal {
    guard let p = previous else { return x }
    if p.shape[2] != x.shape[2] {
      let active = p.activation(.relu, name: "adjust_relu_1_\(name)")
      let first = active.averagePool(1, strides: 2, name: "adjust_avg_pool_1_\(name)")
        .conv(filters / 2, 1, usesBias: false, name: "adjust_conv_1_\(name)")
      // The places between those of the first path.
      let second = active.zeroPad(top: 0, bottom: 1, left: 0, right: 1)
        .crop(top: 1, bottom: 0, left: 1, right: 0)
        .averagePool(1, strides: 2, name: "adjust_avg_pool_2_\(name)")
        .conv(filters / 2, 1, usesBias: false, name: "adjust_conv_2_\(name)")
      return first.concatenated(with: second)
        .batchNorm(momentum: 0.9997, name: "adjust_bn_\(name)")
    }
    guard p.channels != filters else { return p }
    return p.activation(.relu)
      .conv(filters, 1, usesBias: false, name: "adjust_conv_projection_\(name)")
      .batchNorm(momentum: 0.9997, name: "adjust_bn_\(name)")
  }

  private static func separable(
    _ x: Signal,
    _ filters: Int,
    _ kernel: Int,
    _ name: String,
    strides: Int = 1
  ) -> Signal {
    var y = x.activation(.relu)
    if strides == 2 { y = y.padForStride2(kernel, name: "separable_conv_1_pad_\(name)") }
    return y.separableConv(
      filters,
      kernel,
      strides: strides,
      padding: strides == 2 ? .valid : .same,
      usesBias: false,
      name: "separable_conv_1_\(name)"
    ).batchNorm(momentum: 0.9997, name: "separable_conv_1_bn_\(name)").activation(.relu)
      .separableConv(filters, kernel, usesBias: false, name: "separable_conv_2_\(name)")
      .batchNorm(momentum: 0.9997, name: "separable_conv_2_bn_\(name)")
  }
}
