import AssayGraph
import AssayTensor

extension DepthToSpace: DifferentiableOperator {
  func gradientStep(_ site: GradientSite) throws -> GradientStep {
    let image = try site.shape(0)
    let depth = image[3] / (blockSize * blockSize)
    let (rows, columns) = (image.strides[1], image.strides[2])
    // [n, h, bh, w, bw, c] of the result from [n, h, w, bh, bw, c].
    return try site.movement(
      IndexMap(
        tables: [image[0], image[1], blockSize, image[2], blockSize, depth].map { Array(0..<$0) },
        steps: [image.strides[0], rows, blockSize * depth, columns, depth, 1],
        sourceCount: image.count
      )
    )
  }
}

extension SpaceToDepth: DifferentiableOperator {
  func gradientStep(_ site: GradientSite) throws -> GradientStep {
    let image = try site.shape(0)
    let (rows, columns) = (image.strides[1], image.strides[2])
    // [n, h, w, bh, bw, c] of the result from [n, h, bh, w, bw, c].
    return try site.movement(
      IndexMap(
        tables: [
          image[0], image[1] / blockSize, image[2] / blockSize, blockSize, blockSize, image[3],
        ].map { Array(0..<$0) },
        steps: [image.strides[0], rows * blockSize, columns * blockSize, rows, columns, 1],
        sourceCount: image.count
      )
    )
  }
}
