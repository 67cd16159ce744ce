import AssayGraph

extension Zoo {
  /// Variants of one AlexNet that trade the width, the depth and the kernels of its third stage for one
  /// another at a like cost (He and Sun, 2015), and averages of two networks.
  public static let described: [NetworkDescription] =
    alexNetVariants + [
      NetworkDescription("two_alexnet", copies: 2, alexNet(of: third)),
      NetworkDescription(
        "two_squeezenet",
        copies: 2,
        [.conv(filters: 64, kernel: 3, strides: 2), .pool(.max, window: 3, strides: 2)]
          + fires(16, 2) + [.pool(.max, window: 3, strides: 2)] + fires(32, 2)
          + [.pool(.max, window: 3, strides: 2)] + fires(48, 2) + fires(64, 2)
          + [.conv(filters: 1000, kernel: 1, strides: 1), .pool(.average, window: 14, strides: 14)]
      ),
    ]

  /// Entries of the described networks, and one whose layers its seed decides.
  static let alexNetFamily =
    described.map { $0.entry(family: "AlexNet family", source: "MobileAccelerator") } + [random]

  private static let third = [NetworkDescription.Layer](repeating: conv(256, 3), count: 3)

  private static let alexNetVariants: [NetworkDescription] =
    [
      ("alexnet", third), ("alexnet_fw1", [conv(874, 1), conv(874, 1), conv(256, 3)]),
      ("alexnet_fw5", [conv(128, 5), conv(128, 5), conv(256, 5)]),
      ("alexnet_fd2", [.repeated(6, [conv(256, 2)])]), ("alexnet_fd5", [conv(256, 5)]),
      // The last two widths are not published; they follow from the like cost.
      ("alexnet_wd8", deep(5, 160)), ("alexnet_wd11", deep(8, 128)),
      ("alexnet_wd13", deep(10, 110)),
      ("alexnet_wd18", deep(15, 96)), ("alexnet_wd25", deep(22, 80)),
      ("alexnet_wd38", deep(35, 64)),
    ].map { NetworkDescription($0.0, alexNet(of: $0.1)) } + [
      NetworkDescription("alexnet_p2", alexNet(of: third, pool: .pool(.max, window: 8, strides: 2)))
    ]

  private static func conv(_ filters: Int, _ kernel: Int) -> NetworkDescription.Layer {
    .conv(filters: filters, kernel: kernel, strides: 1)
  }

  private static func deep(_ count: Int, _ width: Int) -> [NetworkDescription.Layer] {
    [.repeated(count, [conv(width, 3)]), conv(256, 3)]
  }

  private static func fires(_ squeeze: Int, _ count: Int) -> [NetworkDescription.Layer] {
    [.repeated(count, [.fire(squeeze: squeeze, expand: 4 * squeeze)])]
  }

  private static func alexNet(
    of third: [NetworkDescription.Layer],
    pool: NetworkDescription.Layer = .pool(.max, window: 3, strides: 3)
  ) -> [NetworkDescription.Layer] {
    [.conv(filters: 64, kernel: 7, strides: 2), .pool(.max, window: 3, strides: 3), conv(128, 5)]
      + [.pool(.max, window: 2, strides: 2)] + third + [pool, .dense(4096), .dense(4096)]
  }

  private static let random = ZooEntry(
    "random_alexnet",
    family: "AlexNet family",
    source: "MobileAccelerator",
    input: .square(224, .unit),
    describe: { NetworkDescription.random(seed: $0) }
  ) { network, settings in
    NetworkDescription.random(seed: network.seed).define(network, settings)
  }
}
