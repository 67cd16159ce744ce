import AssayGraph
import AssayKernels
import AssayTensor

extension Slice: DifferentiableOperator {
  func gradientStep(_ site: GradientSite) throws -> GradientStep {
    let shape = try site.shape(0)
    return try site.movement(
      IndexMap(
        tables: sizes.indices.map { axis in
          (0..<sizes[axis]).map { begin[axis] + $0 * steps[axis] }
        },
        steps: shape.strides,
        sourceCount: shape.count
      )
    )
  }
}

extension Split: DifferentiableOperator {
  func gradientStep(_ site: GradientSite) throws -> GradientStep {
    let shape = try site.shape(0)
    let axis = shape.normalized(axis: axis) ?? 0
    let inner = shape.strides[axis]
    let outer = shape.dims[..<axis].reduce(1, *)
    let (x, dx, sizes) = (try site.input(0), site.gradient(of: 0), sizes)
    let (outputs, gradients) = (site.outputs, site.outputGradients)
    let extent = shape.dims[axis]
    func forEachPiece(_ body: (_ output: Int, _ whole: Int, _ part: Int, _ count: Int) -> Void) {
      var start = 0
      for (output, size) in sizes.enumerated() {
        for row in 0..<outer {
          body(output, (row * extent + start) * inner, row * size * inner, size * inner)
        }
        start += size
      }
    }
    return GradientStep {
      forEachPiece { output, whole, part, count in
        outputs[output].part(part, count).copy(x.part(whole, count))
      }
    } backward: {
      guard let dx else { return }
      forEachPiece { output, whole, part, count in
        let target = dx.part(whole, count)
        if let gradient = gradients[output] {
          target.copy(gradient.part(part, count))
        } else {
          target.fill(0)
        }
      }
    }
  }
}
