import AssayGraph
import AssayTensor

extension Zoo {
  /// He, Zhang, Ren and Sun, 2015 and 2016, as TF-Slim has them: strides in a block's last unit, its
  /// 3 x 3 convolutions padded alike on both sides.
  static let slimResNet =
    [50, 101, 152].map { slimResNet("resnet_v1_\($0)", $0, isPreactivated: false) }
    + [50, 101, 152].map { slimResNet("resnet_v2_\($0)", $0, isPreactivated: true) }

  private static func slimResNet(
    _ name: String,
    _ depth: Int,
    isPreactivated: Bool
  ) -> ZooEntry {
    let units = depth == 50 ? [3, 4, 6, 3] : depth == 101 ? [3, 4, 23, 3] : [3, 8, 36, 3]
    return ZooEntry(
      name,
      family: isPreactivated ? "resnet_v2" : "resnet_v1",
      source: "TF-Slim",
      input: .square(224, isPreactivated ? .signed : .caffe),
      classes: isPreactivated ? 1001 : 1000
    ) { network, settings in
      let image = network.picture(settings)
      network.block(name) {
        var x = image.slimConv(64, 7, 2, "conv1", isNormalized: !isPreactivated)
          .maxPool(3, strides: 2, padding: .same, name: "pool1")
        for (stage, count) in units.enumerated() {
          for unit in 0..<count {
            let isLast = unit == count - 1
            x = network.block("block\(stage + 1)/unit_\(unit + 1)") {
              let strides = isLast && stage < 3 ? 2 : 1
              return isPreactivated
                ? x.slimUnitV2(64 << stage, strides) : x.slimUnitV1(64 << stage, strides)
            }
          }
        }
        if isPreactivated {
          x = x.batchNorm(epsilon: 1e-5, momentum: 0.997, name: "postnorm").activation(.relu)
        }
        network.finish(x, settings) {
          $0.globalAveragePool(keepsAxes: true, name: "pool5")
            .conv(settings.classes, 1, name: "logits").flatten(name: "spatial_squeeze")
            .activation(.softmax, name: "predictions")
        }
      }
    }
  }
}

extension Signal {
  /// A convolution whose padding does not depend on the extents; normalized, or with a bias.
  fileprivate func slimConv(
    _ filters: Int,
    _ kernel: Int,
    _ strides: Int,
    _ name: String,
    isNormalized: Bool = true,
    isActive: Bool = true
  ) -> Signal {
    let reach = kernel / 2
    let padding: Padding =
      strides == 1
      ? .same : .explicit(top: reach, bottom: reach, left: reach, right: reach)
    let x = conv(
      filters,
      kernel,
      strides: strides,
      padding: padding,
      usesBias: !isNormalized,
      name: name
    )
    guard isNormalized else { return x }
    let y = x.batchNorm(epsilon: 1e-5, momentum: 0.997, name: "\(name)/BatchNorm")
    return isActive ? y.activation(.relu) : y
  }

  fileprivate func slimShortcut(_ strides: Int) -> Signal {
    strides > 1 ? maxPool(1, strides: strides, name: "shortcut") : self
  }

  fileprivate func slimUnitV1(_ filters: Int, _ strides: Int) -> Signal {
    block("bottleneck_v1") { x in
      let short =
        x.channels == 4 * filters
        ? x.slimShortcut(strides)
        : x.slimConv(4 * filters, 1, strides, "shortcut", isActive: false)
      let long = x.slimConv(filters, 1, 1, "conv1").slimConv(filters, 3, strides, "conv2")
        .slimConv(4 * filters, 1, 1, "conv3", isActive: false)
      return (short + long).activation(.relu)
    }
  }

  fileprivate func slimUnitV2(_ filters: Int, _ strides: Int) -> Signal {
    block("bottleneck_v2") { x in
      let active = x.batchNorm(epsilon: 1e-5, momentum: 0.997, name: "preact").activation(.relu)
      let short =
        x.channels == 4 * filters
        ? x.slimShortcut(strides)
        : active.slimConv(4 * filters, 1, strides, "shortcut", isNormalized: false)
      let long = active.slimConv(filters, 1, 1, "conv1").slimConv(filters, 3, strides, "conv2")
        .slimConv(4 * filters, 1, 1, "conv3", isNormalized: false)
      return short + long
    }
  }
}
