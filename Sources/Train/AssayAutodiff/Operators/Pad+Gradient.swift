import AssayGraph
import AssayTensor

extension Pad: DifferentiableOperator {
  func gradientStep(_ site: GradientSite) throws -> GradientStep {
    let shape = try site.shape(0)
    let mode = mode
    let tables = shape.dims.indices.map { axis -> [Int] in
      let extent = shape.dims[axis]
      return (-before[axis]..<extent + after[axis]).map { place in
        if (0..<extent).contains(place) { return place }
        switch mode {
        case .constant: return -1
        case .edge: return place < 0 ? 0 : extent - 1
        case .reflect: return place < 0 ? -place : 2 * (extent - 1) - place
        case .symmetric: return place < 0 ? -place - 1 : 2 * extent - 1 - place
        }
      }
    }
    return try site.movement(
      IndexMap(tables: tables, steps: shape.strides, sourceCount: shape.count),
      fill: value
    )
  }
}
