import AssayGraph
import AssayKernels
import AssayTensor

extension FullyConnected: DifferentiableOperator {
  var parameterInputs: [Int: Parameter.Role] { [1: .weight, 2: .bias] }
  var outputBounds: Activation? { activation }

  func gradientStep(_ site: GradientSite) throws -> GradientStep {
    let weightShape = try site.shape(1)
    let (outputs, inputs) = (weightShape[0], weightShape[1])
    let rows = inputs == 0 ? 0 : try site.shape(0).count / inputs
    let (x, weights, bias) = (try site.input(0), try site.input(1), site.optional(2))
    let (y, dy) = (site.output, site.outputGradient)
    let (dx, dw, db) = (site.gradient(of: 0), site.gradient(of: 1), site.gradient(of: 2))
    let unclamp = site.unclamped(site.bounds)
    let (context, bounds) = (site.context, site.bounds.bounds)
    return GradientStep {
      context.training.multiply(
        ProductShape(m: rows, n: outputs, k: inputs),
        Matrix(x, columns: inputs),
        Matrix(weights, columns: inputs).transposed,
        into: Matrix(y, columns: outputs),
        bias: bias,
        bounds: bounds,
        pool: context.pool,
        scratch: context.scratch
      )
    } backward: {
      unclamp()
      if let db {
        let sums = context.training.columnSums(.plain, dy, columns: outputs, pool: context.pool)
          .sums
        for index in sums.indices { db[index] = Float(sums[index]) }
      }
      if let dw {
        context.training.multiply(
          ProductShape(m: outputs, n: inputs, k: rows),
          Matrix(dy, columns: outputs).transposed,
          Matrix(x, columns: inputs),
          into: Matrix(dw, columns: inputs),
          pool: context.pool,
          scratch: context.scratch
        )
      }
      if let dx {
        context.training.multiply(
          ProductShape(m: rows, n: inputs, k: outputs),
          Matrix(dy, columns: outputs),
          Matrix(weights, columns: inputs),
          into: Matrix(dx, columns: inputs),
          pool: context.pool,
          scratch: context.scratch
        )
      }
    }
  }
}
