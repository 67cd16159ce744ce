import AssayBase
import AssayGraph
import AssayKernels
import AssayTensor

extension Dropout: DifferentiableOperator {
  var reusesGradient: Bool { true }

  func gradientStep(_ site: GradientSite) throws -> GradientStep {
    let shape = try site.shape(0)
    let (x, y, dy, dx) = (
      try site.input(0), site.output, site.outputGradient, site.gradient(of: 0)
    )
    let (context, rate, index) = (site.context, rate, site.index)
    // What each element is multiplied with: 0 or 1 / (1 - rate).
    let factors = site.context.keep(x.count)
    let channels = dropsChannels ? max(shape[-1], 1) : 1
    let samples = max(shape[0], 1)
    let perSample = x.count / samples
    let keeps = 1 / (1 - rate)
    let dropsChannels = dropsChannels
    return GradientStep {
      guard context.isTraining, rate > 0 else { return y.copy(x) }
      context.pool.forEach(samples) { sample, _ in
        var rng = context.generator(index, sample)
        let part = factors.part(sample * perSample, perSample)
        if dropsChannels {
          let drawn = (0..<channels).map { _ in rng.uniform() < rate ? 0 : keeps }
          for element in 0..<perSample { part[element] = drawn[element % channels] }
        } else {
          for element in 0..<perSample { part[element] = rng.uniform() < rate ? 0 : keeps }
        }
        let (from, to) = (
          x.part(sample * perSample, perSample), y.part(sample * perSample, perSample)
        )
        for element in 0..<perSample { to[element] = from[element] * part[element] }
      }
    } backward: {
      guard let dx else { return }
      guard rate > 0 else { return dx.copy(dy) }
      for element in 0..<dx.count { dx[element] = dy[element] * factors[element] }
    }
  }
}

extension GaussianNoise: DifferentiableOperator {
  var reusesGradient: Bool { true }

  func gradientStep(_ site: GradientSite) throws -> GradientStep {
    let (x, y, dy, dx) = (
      try site.input(0), site.output, site.outputGradient, site.gradient(of: 0)
    )
    let (context, deviation, index) = (site.context, deviation, site.index)
    return GradientStep {
      guard context.isTraining, deviation > 0 else { return y.copy(x) }
      let samples = max(site.outputShape[0], 1)
      let perSample = x.count / samples
      context.pool.forEach(samples) { sample, _ in
        var rng = context.generator(index, sample)
        for element in sample * perSample..<(sample + 1) * perSample {
          y[element] = x[element] + deviation * rng.normal()
        }
      }
    } backward: {
      if let dx, !dx.isSame(as: dy) { dx.copy(dy) }
    }
  }
}
