import AssayGraph
import AssayTensor

extension TransposeConv2D: ReferenceOperator {
  func evaluate(_ arguments: Arguments) throws -> [Tensor] {
    let image = try arguments.input(0).shape
    let filter = try arguments.input(1).shape
    let output = arguments.output.shape
    // The padding of the convolution whose gradient this is: its image is our output.
    let (top, left) = padding.start(output, filter, strides, .one)
    return try sumsOfProducts(arguments, activation: activation, groups: image[0]) { x, weights in
      var sums = [Double](repeating: 0, count: output.count)
      for n in 0..<image[0] {
        for iy in 0..<image[1] {
          for ix in 0..<image[2] {
            let pixel = ((n * image[1] + iy) * image[2] + ix) * image[3]
            for ky in 0..<filter[1] {
              let y = iy * strides.height + ky - top
              if y < 0 || y >= output[1] { continue }
              for kx in 0..<filter[2] {
                let column = ix * strides.width + kx - left
                if column < 0 || column >= output[2] { continue }
                let target = ((n * output[1] + y) * output[2] + column) * output[3]
                for o in 0..<filter[0] {
                  let tap = ((o * filter[1] + ky) * filter[2] + kx) * filter[3]
                  var sum = 0.0
                  for c in 0..<image[3] { sum += x[pixel + c] * weights[tap + c] }
                  sums[target + o] += sum
                }
              }
            }
          }
        }
      }
      return sums
    }
  }
}
