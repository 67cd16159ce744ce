import AssayGraph
import AssayKernels
import AssayTensor

extension Pool2D: DifferentiableOperator {
  func gradientStep(_ site: GradientSite) throws -> GradientStep {
    let geometry = try site.window(
      filter: window,
      strides: strides,
      padding: padding,
      groups: try site.shape(0)[3],
      activation: activation
    )
    let (x, y, dy, dx) = (
      try site.input(0), site.output, site.outputGradient, site.gradient(of: 0)
    )
    let (context, average) = (site.context, kind == .average)
    let unclamp = site.unclamped(activation)
    return GradientStep {
      context.kernels.pool(x, into: y, average: average, geometry, pool: context.pool)
    } backward: {
      unclamp()
      guard let dx else { return }
      context.training.poolGradient(
        geometry,
        average: average,
        x,
        y,
        outputGradient: dy,
        input: dx,
        pool: context.pool
      )
    }
  }
}
