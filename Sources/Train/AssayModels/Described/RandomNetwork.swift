import AssayBase
import AssayGraph

extension NetworkDescription {
  /// A random network of AlexNet's kind: convolutions of growing width with poolings between them and
  /// dense layers at the end, some of them with fires in place of convolutions.
  ///
  /// Many of them, measured, show what the time of a network depends on.
  ///
  /// - Parameter seed: the network's; the same seed describes the same network on every machine.
  public static func random(seed: UInt64) -> NetworkDescription {
    var rng = SeededRNG(seed: seed ^ 0xA1E7)
    func pick(_ choices: [Int]) -> Int { choices[Int(rng.next() % UInt64(choices.count))] }
    var width = pick([16, 24, 32, 48, 64])
    var layers: [Layer] = [
      .conv(filters: width, kernel: pick([3, 5, 7, 11]), strides: pick([2, 2, 4])),
      .pool(.max, window: pick([2, 3]), strides: 2),
    ]
    let usesFires = pick([0, 0, 1]) == 1
    let stages = pick([2, 3, 3])
    for stage in 0..<stages {
      width = min(width * pick([1, 2, 2, 3]), 512)
      let body: [Layer] =
        usesFires
        ? [.fire(squeeze: max(width / 8, 4), expand: max(width / 2, 8))]
        : [.conv(filters: width, kernel: pick([1, 3, 3, 5]), strides: 1)]
      layers.append(.repeated(pick([1, 2, 3, 4]), body))
      if stage < stages - 1 || pick([0, 1]) == 1 {
        layers.append(.pool(.max, window: pick([2, 3]), strides: 2))
      }
    }
    layers.append(.pool(.average, window: 3, strides: pick([2, 3])))
    for _ in 0..<pick([0, 1, 1, 2]) { layers.append(.dense(pick([256, 512, 1024, 2048]))) }
    return NetworkDescription("random-\(seed)", classes: 1000, layers)
  }
}
