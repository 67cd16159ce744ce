import AssayGraph
import AssayTensor

extension Transpose: DifferentiableOperator {
  func gradientStep(_ site: GradientSite) throws -> GradientStep {
    let shape = try site.shape(0)
    return try site.movement(
      IndexMap(
        tables: permutation.map { Array(0..<shape.dims[$0]) },
        steps: permutation.map { shape.strides[$0] },
        sourceCount: shape.count
      )
    )
  }
}
