import AssayGraph
import AssayTensor

extension DepthwiseConv2D: ReferenceOperator {
  func evaluate(_ arguments: Arguments) throws -> [Tensor] {
    let image = try arguments.input(0).shape
    let filter = try arguments.input(1).shape
    let output = arguments.output.shape
    let (height, width) = (image[1], image[2])
    let (top, left) = padding.start(image, filter, strides, dilations)
    let multiplier = filter[3] / image[3]
    return try sumsOfProducts(arguments, activation: activation, groups: image[0]) { x, weights in
      var sums: [Double] = []
      sums.reserveCapacity(output.count)
      for n in 0..<output[0] {
        for oy in 0..<output[1] {
          for ox in 0..<output[2] {
            for o in 0..<output[3] {
              var sum = 0.0
              for ky in 0..<filter[1] {
                let y = oy * strides.height + ky * dilations.height - top
                if y < 0 || y >= height { continue }
                for kx in 0..<filter[2] {
                  let column = ox * strides.width + kx * dilations.width - left
                  if column < 0 || column >= width { continue }
                  let pixel = ((n * height + y) * width + column) * image[3] + o / multiplier
                  sum += x[pixel] * weights[(ky * filter[2] + kx) * filter[3] + o]
                }
              }
              sums.append(sum)
            }
          }
        }
      }
      return sums
    }
  }
}
