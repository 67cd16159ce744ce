import AssayGraph
import AssayKernels
import AssayTensor

extension Resize2D: DifferentiableOperator {
  func gradientStep(_ site: GradientSite) throws -> GradientStep {
    let shape = try site.shape(0)
    let (rows, columns) = (samples(shape[1], size.height), samples(shape[2], size.width))
    let (x, y, dy, dx) = (
      try site.input(0), site.output, site.outputGradient, site.gradient(of: 0)
    )
    let (pool, channels, size) = (site.pool, shape[3], size)
    let (image, result) = (shape[1] * shape[2] * channels, size.height * size.width * channels)
    let width = shape[2]
    /// Calls `body` with each pixel of the result, a pixel of the source and its weight.
    @Sendable func forEachPair(_ body: (_ to: Int, _ from: Int, _ weight: Float) -> Void) {
      for (row, vertical) in rows.enumerated() {
        for (column, horizontal) in columns.enumerated() {
          let to = (row * size.width + column) * channels
          for (y, v) in vertical {
            for (x, h) in horizontal { body(to, (y * width + x) * channels, v * h) }
          }
        }
      }
    }
    return GradientStep {
      pool.forEach(shape[0]) { sample, _ in
        let (from, to) = (x.part(sample * image, image), y.part(sample * result, result))
        to.fill(0)
        forEachPair { target, source, weight in
          for c in 0..<channels { to[target + c] += weight * from[source + c] }
        }
      }
    } backward: {
      guard let dx else { return }
      pool.forEach(shape[0]) { sample, _ in
        let (from, to) = (dy.part(sample * result, result), dx.part(sample * image, image))
        to.fill(0)
        forEachPair { target, source, weight in
          for c in 0..<channels { to[source + c] += weight * from[target + c] }
        }
      }
    }
  }

  /// For each output coordinate the source coordinates that it is made of, with their weights.
  private func samples(_ input: Int, _ output: Int) -> [[(Int, Float)]] {
    let scale =
      alignsCorners && output > 1
      ? Float(input - 1) / Float(output - 1) : Float(input) / Float(output)
    let offset: Float = usesHalfPixels ? 0.5 : 0
    return (0..<output).map { index in
      var position = (Float(index) + offset) * scale
      if kind == .nearest {
        position = alignsCorners ? position.rounded() : position.rounded(.down)
        return [(min(max(Int(position), 0), input - 1), Float(1))]
      }
      position -= offset
      let below = max(Int(position.rounded(.down)), 0)
      let lower = min(below, input - 1)
      let upper = max(min(Int(position.rounded(.up)), input - 1), 0)
      let weight = position - Float(below)
      return lower == upper ? [(lower, Float(1))] : [(lower, 1 - weight), (upper, weight)]
    }
  }
}
