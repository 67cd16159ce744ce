import AssayGraph
import AssayKernels
import AssayTensor

extension Concat: DifferentiableOperator {
  func gradientStep(_ site: GradientSite) throws -> GradientStep {
    let shape = site.outputShape
    let axis = shape.normalized(axis: axis) ?? 0
    let inner = shape.strides[axis]
    let outer = shape.dims[..<axis].reduce(1, *)
    let inputs = try site.inputs.indices.map { try site.input($0) }
    let extents = try site.inputs.indices.map { try site.shape($0).dims[axis] }
    let targets = site.inputs.indices.map { site.gradient(of: $0) }
    let (y, dy) = (site.output, site.outputGradient)
    func forEachPiece(_ body: (_ input: Int, _ part: Int, _ whole: Int, _ count: Int) -> Void) {
      var start = 0
      for (input, extent) in extents.enumerated() {
        for row in 0..<outer {
          body(
            input,
            row * extent * inner,
            (row * shape.dims[axis] + start) * inner,
            extent * inner
          )
        }
        start += extent
      }
    }
    return GradientStep {
      forEachPiece { input, part, whole, count in
        y.part(whole, count).copy(inputs[input].part(part, count))
      }
    } backward: {
      forEachPiece { input, part, whole, count in
        targets[input]?.part(part, count).copy(dy.part(whole, count))
      }
    }
  }
}
