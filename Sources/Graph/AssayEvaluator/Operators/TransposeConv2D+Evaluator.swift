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
    // So many pixels at once that their products stay in the cache.
    let block = max(1, min(pixels, (1 << 18) / max(spread, 1)))
    let window = Window.dense(
      rows: block,
      inputs: image[3],
      outputs: spread,
      bounds: (-.infinity, .infinity)
    )
    let packed = try builder.packedFilter(window, usesBias: false)
    let products = FloatBlock(count: block * spread)
    let zeros = builder.store.zeros(image[3])
    let (input, output) = (try builder.input(0), builder.output)
    let bias = builder.optional(2)
    let context = builder.context
    let bounds = activation.bounds
    return {
      for pixel in 0..<output.count / max(outputs, 1) {
        let row = output.part(pixel * outputs, outputs)
        if let bias { row.copy(bias) } else { row.fill(0) }
      }
      let filter = packed()
      let from = products.buffer
      for first in stride(from: 0, to: pixels, by: block) {
        let count = min(block, pixels - first)
        var rows = window
        (rows.inputWidth, rows.outputWidth) = (count, count)
        context.kernels.convolve(
          input.part(first * image[3], count * image[3]),
          filter,
          into: from.part(0, count * spread),
          rows,
          zeros: zeros,
          pool: context.pool,
          scratch: context.scratch
        )
        for index in 0..<count {
          let pixel = first + index
          let n = pixel / (image[1] * image[2])
          let y = pixel / image[2] % image[1] * forward.strideHeight - forward.padTop
          let x = pixel % image[2] * forward.strideWidth - forward.padLeft
          for ky in 0..<height where (0..<shape[1]).contains(y + ky) {
            for kx in 0..<width where (0..<shape[2]).contains(x + kx) {
              let target = ((n * shape[1] + y + ky) * shape[2] + x + kx) * outputs
              let source = index * spread + ky * width + kx
              for o in 0..<outputs { output[target + o] += from[source + o * height * width] }
            }
          }
        }
      }
      context.kernels.unary(.clamp(bounds.low, bounds.high), output, into: output)
    }
  }
}
