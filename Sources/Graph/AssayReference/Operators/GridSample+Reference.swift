import AssayGraph
import AssayTensor

extension GridSample: ReferenceOperator {
  func evaluate(_ arguments: Arguments) throws -> [Tensor] {
    let (x, grid) = (try arguments.input(0), try arguments.input(1))
    let image = x.shape
    let extents = Array(image.dims.dropFirst().dropLast())
    let strides = image.strides
    let channels = image[-1]
    let (values, coordinates) = (x.reals, grid.reals)
    let axes = extents.count
    let points = grid.count / max(axes, 1)
    let pointsOfImage = max(points / max(image[0], 1), 1)
    var results: [Double] = []
    results.reserveCapacity(points * channels)
    for point in 0..<points {
      // The grid names the last spatial axis first.
      let taps = (0..<axes).map { axis in
        self.taps(coordinates[point * axes + axes - 1 - axis], extents[axis])
      }
      let base = point / pointsOfImage * strides[0]
      var sums = [Double](repeating: 0, count: channels)
      func add(_ axis: Int, _ position: Int, _ weight: Double) {
        guard axis < axes else {
          for channel in 0..<channels { sums[channel] += weight * values[position + channel] }
          return
        }
        for tap in taps[axis] {
          guard let pixel = tap.pixel else { continue }
          add(axis + 1, position + pixel * strides[axis + 1], weight * tap.weight)
        }
      }
      add(0, base, 1)
      results += sums
    }
    return [try tensor(results, arguments.output)]
  }

  /// The pixels that make up the value at a coordinate along one axis; `nil` is a zero outside.
  private func taps(_ coordinate: Double, _ extent: Int) -> [(pixel: Int?, weight: Double)] {
    guard coordinate.isFinite else { return [(nil, 0)] }
    var position =
      alignsCorners
      ? (coordinate + 1) / 2 * Double(extent - 1) : ((coordinate + 1) * Double(extent) - 1) / 2
    position = min(max(position, -0x1p40), 0x1p40)
    switch kind {
    case .nearest:
      return [(pixel(Int(inside(position, extent).rounded(.toNearestOrEven)), extent), 1)]
    case .linear:
      let place = inside(position, extent)
      let (below, rest) = (place.rounded(.down), place - place.rounded(.down))
      return [
        (pixel(Int(below), extent), 1 - rest), (pixel(Int(below) + 1, extent), rest),
      ]
    case .cubic:
      // Every tap is brought inside for itself.
      let (below, rest) = (position.rounded(.down), position - position.rounded(.down))
      return (-1...2).map { offset in
        let place = inside(below + Double(offset), extent).rounded()
        return (pixel(Int(place), extent), cubicWeight(Double(offset) - rest))
      }
    }
  }

  /// A position brought inside as the border says.
  private func inside(_ position: Double, _ extent: Int) -> Double {
    switch border {
    case .zeros: return position
    case .edge: return min(max(position, 0), Double(extent - 1))
    case .reflection:
      let (low, high) = alignsCorners ? (0, Double(extent - 1)) : (-0.5, Double(extent) - 0.5)
      let span = high - low
      guard span > 0 else { return 0 }
      var rest = (position - low).truncatingRemainder(dividingBy: 2 * span)
      if rest < 0 { rest += 2 * span }
      let folded = low + (rest > span ? 2 * span - rest : rest)
      return kind == .cubic ? folded : min(max(folded, 0), Double(extent - 1))
    }
  }

  private func pixel(_ position: Int, _ extent: Int) -> Int? {
    if (0..<extent).contains(position) { return position }
    return border == .zeros ? nil : min(max(position, 0), extent - 1)
  }

  /// Keys' cubic convolution with a = -0.75.
  private func cubicWeight(_ distance: Double) -> Double {
    let (a, x) = (-0.75, distance.magnitude)
    if x <= 1 { return ((a + 2) * x - (a + 3)) * x * x + 1 }
    return x < 2 ? ((a * x - 5 * a) * x + 8 * a) * x - 4 * a : 0
  }
}
