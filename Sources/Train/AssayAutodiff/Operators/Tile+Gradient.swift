import AssayGraph
import AssayTensor

extension Tile: DifferentiableOperator {
  func gradientStep(_ site: GradientSite) throws -> GradientStep {
    let shape = try site.shape(0)
    return try site.movement(
      IndexMap(
        tables: zip(shape.dims, repeats).map { extent, times in
          (0..<extent * times).map { $0 % max(extent, 1) }
        },
        steps: shape.strides,
        sourceCount: shape.count
      )
    )
  }
}

extension BroadcastTo: DifferentiableOperator {
  func gradientStep(_ site: GradientSite) throws -> GradientStep {
    let source = try site.shape(0)
    let target = site.outputShape
    let missing = target.rank - source.rank
    return try site.movement(
      IndexMap(
        tables: target.dims.enumerated().map { axis, extent in
          axis < missing || source.dims[axis - missing] == 1
            ? [Int](repeating: 0, count: extent) : Array(0..<extent)
        },
        steps: target.dims.indices.map { $0 < missing ? 0 : source.strides[$0 - missing] },
        sourceCount: source.count
      )
    )
  }
}
