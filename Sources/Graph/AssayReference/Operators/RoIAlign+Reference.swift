import AssayGraph
import AssayTensor

extension RoIAlign: ReferenceOperator {
  func evaluate(_ arguments: Arguments) throws -> [Tensor] {
    let x = try arguments.input(0)
    let regions = try arguments.input(1).reals
    let images = try arguments.input(2).integers()
    let values = x.reals
    let (image, strides) = (x.shape, x.shape.strides)
    var results: [Double] = []
    for (region, number) in images.enumerated() {
      let base = try checkedCoordinate(number, image[0]) * strides[0]
      let corners = (0..<4).map {
        regions[region * 4 + $0] * Double(scale) - (usesHalfPixels ? 0.5 : 0)
      }
      var (width, height) = (corners[2] - corners[0], corners[3] - corners[1])
      if !usesHalfPixels { (width, height) = (max(width, 1), max(height, 1)) }
      let bin = (height / Double(size.height), width / Double(size.width))
      let counts = (count(bin.0), count(bin.1))
      for row in 0..<size.height {
        for column in 0..<size.width {
          var sums = [Double](repeating: kind == .max ? -.infinity : 0, count: image[3])
          for sampleY in 0..<counts.0 {
            let down = (Double(sampleY) + 0.5) / Double(counts.0)
            let y = corners[1] + (Double(row) + down) * bin.0
            for sampleX in 0..<counts.1 {
              let over = (Double(sampleX) + 0.5) / Double(counts.1)
              let place = corners[0] + (Double(column) + over) * bin.1
              let around = self.corners(y, place, image)
              for channel in 0..<image[3] {
                let parts = around.map { corner -> Double in
                  let pixel = corner.row * strides[1] + corner.column * strides[2]
                  return corner.weight * values[base + pixel + channel]
                }
                if kind == .max {
                  // As in ONNX, the maximum is taken over the weighted corners themselves.
                  for part in parts { sums[channel] = max(sums[channel], part) }
                  if parts.isEmpty { sums[channel] = max(sums[channel], 0) }
                } else {
                  sums[channel] += parts.reduce(0, +)
                }
              }
            }
          }
          let divisor = kind == .max ? 1 : Double(max(counts.0 * counts.1, 1))
          results += sums.map { $0 / divisor }
        }
      }
    }
    return [try tensor(results, arguments.output)]
  }

  private func count(_ bin: Double) -> Int {
    samples > 0 ? samples : min(max(truncated(bin.rounded(.up)), 1), 1 << 10)
  }

  /// The pixels around a point and their weights; none for a point outside of the image.
  private func corners(
    _ y: Double,
    _ x: Double,
    _ image: Shape
  ) -> [(row: Int, column: Int, weight: Double)] {
    guard y >= -1, y <= Double(image[1]), x >= -1, x <= Double(image[2]) else { return [] }
    func split(_ position: Double, _ extent: Int) -> (Int, Int, Double) {
      let place = max(position, 0)
      let low = Int(place.rounded(.down))
      return low >= extent - 1 ? (extent - 1, extent - 1, 0) : (low, low + 1, place - Double(low))
    }
    let (top, bottom, down) = split(y, image[1])
    let (left, right, over) = split(x, image[2])
    return [
      (top, left, (1 - down) * (1 - over)), (top, right, (1 - down) * over),
      (bottom, left, down * (1 - over)), (bottom, right, down * over),
    ]
  }
}
