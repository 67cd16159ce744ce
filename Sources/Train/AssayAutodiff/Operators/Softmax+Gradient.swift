import AssayGraph
import AssayKernels
import AssayTensor

/// A tensor as rows along one axis: `outer` x `extent` x `inner`.
struct AxisRows {
  let outer: Int, extent: Int, inner: Int

  init(_ shape: [Int], axis: Int) {
    outer = shape[..<axis].reduce(1, *)
    extent = shape[axis]
    inner = shape[(axis + 1)...].reduce(1, *)
  }

  /// Calls `body` with the first element of each row; its elements are `inner` apart.
  func forEach(_ pool: ThreadPool, _ body: (Int) -> Void) {
    pool.forEach(outer) { row, _ in
      for column in 0..<inner { body(row * extent * inner + column) }
    }
  }
}

extension Softmax: DifferentiableOperator {
  var reusesGradient: Bool { true }

  func gradientStep(_ site: GradientSite) throws -> GradientStep {
    let shape = try site.shape(0)
    let rows = AxisRows(shape.dims, axis: shape.normalized(axis: axis) ?? 0)
    let (x, y, dy, dx) = (
      try site.input(0), site.output, site.outputGradient, site.gradient(of: 0)
    )
    let (context, beta) = (site.context, beta)
    let (extent, step) = (rows.extent, rows.inner)
    return GradientStep {
      if step == 1 {
        context.pool.forEach(rows.outer) { row, _ in
          let part = row * extent
          context.kernels.softmax(
            x.part(part, extent),
            into: y.part(part, extent),
            extent: extent,
            beta: beta
          )
        }
        return
      }
      rows.forEach(context.pool) { start in
        var most = -Float.infinity
        for k in 0..<extent { most = max(most, x[start + k * step]) }
        var sum: Float = 0
        for k in 0..<extent {
          let e = exponential(beta * (x[start + k * step] - most))
          y[start + k * step] = e
          sum += e
        }
        for k in 0..<extent { y[start + k * step] /= sum }
      }
    } backward: {
      guard let dx else { return }
      rows.forEach(context.pool) { start in
        var along: Float = 0
        for k in 0..<extent { along += dy[start + k * step] * y[start + k * step] }
        for k in 0..<extent {
          let place = start + k * step
          dx[place] = beta * y[place] * (dy[place] - along)
        }
      }
    }
  }
}

extension LogSoftmax: DifferentiableOperator {
  var reusesGradient: Bool { true }

  func gradientStep(_ site: GradientSite) throws -> GradientStep {
    let shape = try site.shape(0)
    let rows = AxisRows(shape.dims, axis: shape.normalized(axis: axis) ?? 0)
    let (x, y, dy, dx) = (
      try site.input(0), site.output, site.outputGradient, site.gradient(of: 0)
    )
    let (pool, extent, step) = (site.pool, rows.extent, rows.inner)
    return GradientStep {
      rows.forEach(pool) { start in
        var most = -Float.infinity
        for k in 0..<extent { most = max(most, x[start + k * step]) }
        var sum: Float = 0
        for k in 0..<extent { sum += exponential(x[start + k * step] - most) }
        let shift = most + logarithm(sum)
        for k in 0..<extent { y[start + k * step] = x[start + k * step] - shift }
      }
    } backward: {
      guard let dx else { return }
      rows.forEach(pool) { start in
        var total: Float = 0
        for k in 0..<extent { total += dy[start + k * step] }
        for k in 0..<extent {
          let place = start + k * step
          dx[place] = dy[place] - exponential(y[place]) * total
        }
      }
    }
  }
}
