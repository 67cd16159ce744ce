import AssayGraph
import AssayTensor

extension TransposeConv3D: ReferenceOperator {
  func evaluate(_ arguments: Arguments) throws -> [Tensor] {
    let volume = try arguments.input(0).shape
    let filter = try arguments.input(1).shape
    let output = arguments.output.shape
    // The windows of the convolution whose gradient this is: its volume is our output.
    let windows = WindowPositions(
      window: Size3D(filter[1], filter[2], filter[3]),
      strides: strides,
      dilations: dilations,
      padding: padding,
      over: output
    )
    return try sumsOfProducts(arguments, activation: activation, groups: volume[0]) { x, weights in
      var sums = [Double](repeating: 0, count: output.count)
      var voxel = 0
      windows.forEach(volume) { positions in
        for (tap, position) in positions {
          for o in 0..<filter[0] {
            let weight = (o * windows.count + tap) * filter[4]
            var sum = 0.0
            for c in 0..<filter[4] { sum += x[voxel + c] * weights[weight + c] }
            sums[position * output[4] + o] += sum
          }
        }
        voxel += filter[4]
      }
      return sums
    }
  }
}
