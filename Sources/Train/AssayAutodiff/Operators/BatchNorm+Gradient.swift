import AssayBase
import AssayGraph
import AssayKernels
import AssayTensor

extension BatchNorm: DifferentiableOperator {
  var parameterInputs: [Int: Parameter.Role] {
    [1: .scale, 2: .offset, 3: .statistic, 4: .statistic]
  }
  var reusesGradient: Bool { true }
  func flows(to input: Int) -> Bool { input < 3 }

  /// In a training step the batch's own mean and (biased) variance normalize.
  ///
  /// They also move the averages, `average = momentum * average + (1 - momentum) * batch`, as Keras
  /// does. Otherwise the averages normalize.
  func gradientStep(_ site: GradientSite) throws -> GradientStep {
    let channels = try site.shape(0)[-1]
    let (x, mean, variance) = (try site.input(0), try site.input(3), try site.input(4))
    let (gamma, beta) = (site.optional(1), site.optional(2))
    let (y, dy, dx) = (site.output, site.outputGradient, site.gradient(of: 0))
    let (dGamma, dBeta) = (site.gradient(of: 1), site.gradient(of: 2))
    let (context, epsilon, momentum) = (site.context, epsilon, site.batchNormMomentum)
    let bounds = site.takenBack == .none ? nil : site.takenBack.bounds
    let rows = channels == 0 ? 0 : x.count / channels
    // What the backward pass needs: the mean and the inverse deviation that were used.
    let (center, inverse) = (context.keep(channels), context.keep(channels))
    let (p, q, r) = (context.keep(channels), context.keep(channels), context.keep(channels))
    return GradientStep {
      if context.isTraining, !context.freezesNormalization, rows > 0 {
        let (sums, squares) = context.training.columnSums(
          .squares,
          x,
          columns: channels,
          pool: context.pool
        )
        for c in 0..<channels {
          let shift = sums[c] / Double(rows)
          let spread = max(squares[c] / Double(rows) - shift * shift, 0)
          center[c] = Float(shift + Double(x[c]))
          inverse[c] = Float(1 / (spread + Double(epsilon)).squareRoot())
          mean[c] = mean[c] * momentum + center[c] * (1 - momentum)
          variance[c] = variance[c] * momentum + Float(spread) * (1 - momentum)
        }
      } else {
        for c in 0..<channels {
          center[c] = mean[c]
          inverse[c] = 1 / (variance[c] + epsilon).squareRoot()
        }
      }
      for c in 0..<channels {
        p[c] = inverse[c] * (gamma?[c] ?? 1)
        r[c] = (beta?[c] ?? 0) - center[c] * p[c]
      }
      context.training.scaleRows(x, scale: p, offset: r, into: y, pool: context.pool)
    } backward: {
      guard rows > 0 else { return }
      let (sums, products) = context.training.columnSums(
        .products(x),
        dy,
        columns: channels,
        pool: context.pool
      )
      for c in 0..<channels {
        // The sum of dy times the normalized x.
        let total = sums[c]
        let along =
          (products[c] - (Double(center[c]) - Double(x[c])) * total) * Double(inverse[c])
        if let dGamma { dGamma[c] = Float(along) }
        if let dBeta { dBeta[c] = Float(total) }
        let scale = Double(gamma?[c] ?? 1) * Double(inverse[c])
        let isBatch = !context.freezesNormalization
        let slope = isBatch ? -scale * Double(inverse[c]) * along / Double(rows) : 0
        p[c] = Float(scale)
        q[c] = Float(slope)
        r[c] = isBatch ? Float(-scale * total / Double(rows) - slope * Double(center[c])) : 0
      }
      if let dx {
        context.training.combineRows(
          dy,
          x,
          p: p,
          q: q,
          r: r,
          into: dx,
          bounds: bounds,
          pool: context.pool
        )
      }
    }
  }
}
