import AssayGraph
import AssayKernels
import AssayTensor

extension Reshape: DifferentiableOperator {
  var reusesGradient: Bool { true }

  func gradientStep(_ site: GradientSite) throws -> GradientStep {
    let (x, y, dy, dx) = (
      try site.input(0), site.output, site.outputGradient, site.gradient(of: 0)
    )
    return GradientStep {
      if !x.isSame(as: y) { y.copy(x) }
    } backward: {
      if let dx, !dx.isSame(as: dy) { dx.copy(dy) }
    }
  }
}

extension FloatBuffer {
  /// Whether both are the same run of floats.
  func isSame(as other: FloatBuffer) -> Bool { unsafe base == other.base }
}
