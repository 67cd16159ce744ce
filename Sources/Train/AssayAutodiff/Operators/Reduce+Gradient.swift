import AssayBase
import AssayGraph
import AssayKernels
import AssayTensor

extension Reduce: DifferentiableOperator {
  func flows(to input: Int) -> Bool { kind != .any && kind != .all }

  func gradientStep(_ site: GradientSite) throws -> GradientStep {
    guard flows(to: 0), try site.type(0).dtype == .float32 else { return try site.referenceStep() }
    let shape = try site.shape(0)
    let reduced = Set(axes.compactMap { shape.normalized(axis: $0) })
    let kept = Shape(shape.dims.enumerated().map { reduced.contains($0) ? 1 : $1 })
    // For each element of x the element of y that it belongs to.
    let places = Spread(kept, to: shape)
    let (x, y, dy, dx) = (
      try site.input(0), site.output, site.outputGradient, site.gradient(of: 0)
    )
    let (kind, pool) = (kind, site.pool)
    let share = y.count > 0 ? Float(y.count) / Float(max(x.count, 1)) : 0
    return GradientStep {
      switch kind {
      case .mean, .sum:
        // In double: a mean over an image has thousands of terms.
        var sums = [Double](repeating: 0, count: y.count)
        for index in 0..<x.count { sums[places(index)] += Double(x[index]) }
        let factor = kind == .mean ? Double(share) : 1
        for index in 0..<y.count { y[index] = Float(sums[index] * factor) }
      case .max:
        y.fill(-.infinity)
        for index in 0..<x.count { y[places(index)] = max(y[places(index)], x[index]) }
      case .min:
        y.fill(.infinity)
        for index in 0..<x.count { y[places(index)] = min(y[places(index)], x[index]) }
      default:
        y.fill(1)
        for index in 0..<x.count { y[places(index)] *= x[index] }
      }
    } backward: {
      guard let dx else { return }
      switch kind {
      case .mean, .sum:
        let factor = kind == .mean ? share : 1
        pool.forEachRun(dx.count) { begin, end in
          for index in begin..<end { dx[index] = dy[places(index)] * factor }
        }
      case .max, .min:
        // Equal elements share the gradient, as in TensorFlow.
        var counts = [Float](repeating: 0, count: y.count)
        for index in 0..<x.count where x[index] == y[places(index)] { counts[places(index)] += 1 }
        for index in 0..<dx.count {
          let place = places(index)
          dx[index] = x[index] == y[place] ? dy[place] / counts[place] : 0
        }
      default:
        // The product of the others, also where an element is zero.
        var zeros = [Int](repeating: 0, count: y.count)
        var rest = [Float](repeating: 1, count: y.count)
        for index in 0..<x.count {
          if x[index] == 0 { zeros[places(index)] += 1 } else { rest[places(index)] *= x[index] }
        }
        for index in 0..<dx.count {
          let place = places(index)
          let others: Float =
            switch zeros[place] {
            case 0: rest[place] / x[index]
            case 1: x[index] == 0 ? rest[place] : 0
            default: 0
            }
          dx[index] = dy[place] * others
        }
      }
    }
  }
}
