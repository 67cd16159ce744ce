import AssayGraph
import AssayKernels
import AssayTensor

extension DepthwiseConv2D: EvaluatedOperator {
  func step(_ builder: StepBuilder) throws -> () throws -> Void {
    let (image, filter) = (try builder.shape(0), try builder.shape(1))
    let window = windowGeometry(
      image,
      builder.outputShape,
      window: Size2D(filter[1], filter[2]),
      strides: strides,
      dilations: dilations,
      padding: padding,
      groups: image[3],
      activation: activation
    )
    let input = try builder.input(0)
    guard filter[3] == image[3] else {
      // Several filters a channel: a convolution with a group for each channel.
      let packed = try builder.packedFilter(window, rowStride: 1, depthStride: filter[3])
      return builder.convolution(input, packed, builder.output, window)
    }
    let weights = try builder.input(1)
    let bias = builder.optional(2)
    let output = builder.output
    let zeros = builder.store.zeros(image[3])
    let context = builder.context
    return {
      context.kernels.convolveDepthwise(
        input,
        weights,
        bias: bias,
        into: output,
        window,
        zeros: zeros,
        pool: context.pool,
        scratch: context.scratch
      )
    }
  }
}
