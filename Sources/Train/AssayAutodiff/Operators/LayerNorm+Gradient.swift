import AssayGraph
import AssayKernels
import AssayTensor

extension LayerNorm: DifferentiableOperator {
  var parameterInputs: [Int: Parameter.Role] { [1: .scale, 2: .offset] }

  func gradientStep(_ site: GradientSite) throws -> GradientStep {
    let extent = max(try site.shape(0)[-1], 1)
    let x = try site.input(0)
    let (gamma, beta) = (site.optional(1), site.optional(2))
    let (y, dy, dx) = (site.output, site.outputGradient, site.gradient(of: 0))
    let (dGamma, dBeta) = (site.gradient(of: 1), site.gradient(of: 2))
    let (context, epsilon) = (site.context, epsilon)
    let rows = x.count / extent
    let normal = context.keep(x.count)
    let inverse = context.keep(rows)
    return GradientStep {
      context.pool.forEach(rows) { row, _ in
        let start = row * extent
        var (sum, squares): (Double, Double) = (0, 0)
        for k in 0..<extent { sum += Double(x[start + k]) }
        let mean = sum / Double(extent)
        for k in 0..<extent {
          let d = Double(x[start + k]) - mean
          squares += d * d
        }
        let scale = Float(1 / (squares / Double(extent) + Double(epsilon)).squareRoot())
        inverse[row] = scale
        for k in 0..<extent {
          let value = (x[start + k] - Float(mean)) * scale
          normal[start + k] = value
          y[start + k] = value * (gamma?[k] ?? 1) + (beta?[k] ?? 0)
        }
      }
    } backward: {
      if let dBeta {
        let sums = context.training.columnSums(.plain, dy, columns: extent, pool: context.pool).sums
        for k in sums.indices { dBeta[k] = Float(sums[k]) }
      }
      if let dGamma {
        let products = context.workspace(dy.count)
        context.pool.forEachRun(dy.count) { begin, end in
          for index in begin..<end { products[index] = dy[index] * normal[index] }
        }
        let sums = context.training.columnSums(
          .plain,
          products,
          columns: extent,
          pool: context.pool
        ).sums
        for k in sums.indices { dGamma[k] = Float(sums[k]) }
      }
      guard let dx else { return }
      context.pool.forEach(rows) { row, _ in
        let start = row * extent
        var (sum, along): (Float, Float) = (0, 0)
        for k in 0..<extent {
          let g = dy[start + k] * (gamma?[k] ?? 1)
          sum += g
          along += g * normal[start + k]
        }
        let n = Float(extent)
        for k in 0..<extent {
          let g = dy[start + k] * (gamma?[k] ?? 1)
          dx[start + k] = inverse[row] * (g - sum / n - normal[start + k] * along / n)
        }
      }
    }
  }
}
