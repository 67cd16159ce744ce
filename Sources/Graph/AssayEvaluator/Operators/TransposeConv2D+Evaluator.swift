import AssayGraph
import AssayKernels
import AssayTensor

extension TransposeConv2D: EvaluatedOperator {
  /// Each input pixel spreads over a window of the output: one dense product gives all spreads, which
  /// are then added in a fixed order.
  func step(_ builder: StepBuilder) throws -> () throws -> Void {
    let (image, filter) = (try builder.shape(0), try builder.shape(1))
    let shape = builder.outputShape
    let (outputs, height, width) = (filter[0], filter[1], filter[2])
    let forward = windowGeometry(
      shape,
      image,
      window: Size2D(height, width),
      strides: strides,
      padding: padding,
      activation: activation
    )
    let pixels = image[0] * image[1] * image[2]
    let spread = outputs * height * width
    let window = Window.dense(
      rows: pixels,
      inputs: image[3],
      outputs: spread,
      bounds: (-.infinity, .infinity)
    )
    let products = FloatBlock(count: pixels * spread)
    let multiply = builder.convolution(
      try builder.input(0),
      try builder.packedFilter(window, usesBias: false),
      products.buffer,
      window
    )
    let bias = builder.optional(2)
    let output = builder.output
    let kernels = builder.kernels
    let bounds = activation.bounds
    return {
      multiply()
      for pixel in 0..<output.count / max(outputs, 1) {
        let row = output.part(pixel * outputs, outputs)
        if let bias { row.copy(bias) } else { row.fill(0) }
      }
      let from = products.buffer
      for pixel in 0..<pixels {
        let n = pixel / (image[1] * image[2])
        let y = pixel / image[2] % image[1] * forward.strideHeight - forward.padTop
        let x = pixel % image[2] * forward.strideWidth - forward.padLeft
        for ky in 0..<height where (0..<shape[1]).contains(y + ky) {
          for kx in 0..<width where (0..<shape[2]).contains(x + kx) {
            let target = ((n * shape[1] + y + ky) * shape[2] + x + kx) * outputs
            for o in 0..<outputs {
              output[target + o] += from[pixel * spread + (o * height + ky) * width + kx]
            }
          }
        }
      }
      kernels.unary(.clamp(bounds.low, bounds.high), output, into: output)
    }
  }
}
