import AssayGraph
import AssayTensor

extension DepthToSpace: ReferenceOperator {
  func evaluate(_ arguments: Arguments) throws -> [Tensor] {
    let x = try arguments.input(0)
    let (image, result) = (x.shape, arguments.output.shape)
    let strides = image.strides
    var sources: [Int] = []
    sources.reserveCapacity(result.count)
    for n in 0..<result[0] {
      for y in 0..<result[1] {
        for column in 0..<result[2] {
          let pixel =
            n * strides[0] + y / blockSize * strides[1] + column / blockSize * strides[2]
          let group = y % blockSize * blockSize + column % blockSize
          for channel in 0..<result[3] { sources.append(pixel + group * result[3] + channel) }
        }
      }
    }
    return [try select(x, sources, arguments.output)]
  }
}

extension SpaceToDepth: ReferenceOperator {
  func evaluate(_ arguments: Arguments) throws -> [Tensor] {
    let x = try arguments.input(0)
    let (image, result) = (x.shape, arguments.output.shape)
    let strides = image.strides
    var sources: [Int] = []
    sources.reserveCapacity(result.count)
    for n in 0..<result[0] {
      for y in 0..<result[1] {
        for column in 0..<result[2] {
          for group in 0..<blockSize * blockSize {
            let pixel =
              n * strides[0] + (y * blockSize + group / blockSize) * strides[1]
              + (column * blockSize + group % blockSize) * strides[2]
            for channel in 0..<image[3] { sources.append(pixel + channel) }
          }
        }
      }
    }
    return [try select(x, sources, arguments.output)]
  }
}
