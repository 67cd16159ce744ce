import AssayGraph
import AssayTensor

extension Conv2D: ReferenceOperator {
  func evaluate(_ arguments: Arguments) throws -> [Tensor] {
    let image = try arguments.input(0).shape
    let filter = try arguments.input(1).shape
    let output = arguments.output.shape
    let (height, width) = (image[1], image[2])
    let (top, left) = padding.start(image, filter, strides, dilations)
    let taps = filter[3]
    let outputsOfGroup = max(filter[0] / max(image[3] / taps, 1), 1)
    return try sumsOfProducts(arguments, activation: activation, groups: image[0]) { x, weights in
      var sums: [Double] = []
      sums.reserveCapacity(output.count)
      for n in 0..<output[0] {
        for oy in 0..<output[1] {
          for ox in 0..<output[2] {
            for o in 0..<output[3] {
              let firstChannel = o / outputsOfGroup * taps
              var sum = 0.0
              for ky in 0..<filter[1] {
                let y = oy * strides.height + ky * dilations.height - top
                if y < 0 || y >= height { continue }
                for kx in 0..<filter[2] {
                  let column = ox * strides.width + kx * dilations.width - left
                  if column < 0 || column >= width { continue }
                  let pixel = ((n * height + y) * width + column) * image[3] + firstChannel
                  let tap = ((o * filter[1] + ky) * filter[2] + kx) * taps
                  for c in 0..<taps { sum += x[pixel + c] * weights[tap + c] }
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

extension Padding {
  /// Rows above and columns left of an image that a window with this filter starts at.
  func start(
    _ image: Shape,
    _ filter: Shape,
    _ strides: Size2D,
    _ dilations: Size2D
  ) -> (top: Int, left: Int) {
    let rows = amounts(
      extent: image[1],
      window: filter[1],
      stride: strides.height,
      dilation: dilations.height,
      isHeight: true
    )
    let columns = amounts(
      extent: image[2],
      window: filter[2],
      stride: strides.width,
      dilation: dilations.width,
      isHeight: false
    )
    return (rows.before, columns.before)
  }
}
