import AssayGraph
import AssayKernels
import AssayTensor

extension Conv2D: EvaluatedOperator {
  func step(_ builder: StepBuilder) throws -> () throws -> Void {
    let (image, filter) = (try builder.shape(0), try builder.shape(1))
    let window = windowGeometry(
      image,
      builder.outputShape,
      window: Size2D(filter[1], filter[2]),
      strides: strides,
      dilations: dilations,
      padding: padding,
      groups: filter[3] > 0 ? image[3] / filter[3] : 1,
      activation: activation
    )
    return builder.convolution(
      try builder.input(0),
      try builder.packedFilter(window),
      builder.output,
      window
    )
  }
}

/// The kernel's geometry of a window operator.
func windowGeometry(
  _ image: Shape,
  _ output: Shape,
  window: Size2D,
  strides: Size2D,
  dilations: Size2D = .one,
  padding: Padding,
  groups: Int = 1,
  activation: Activation
) -> Window {
  let top = padding.amounts(
    extent: image[1],
    window: window.height,
    stride: strides.height,
    dilation: dilations.height,
    isHeight: true
  ).before
  let left = padding.amounts(
    extent: image[2],
    window: window.width,
    stride: strides.width,
    dilation: dilations.width,
    isHeight: false
  ).before
  return Window(
    batch: image[0],
    input: (image[1], image[2], image[3]),
    output: (output[1], output[2], output[3]),
    window: (window.height, window.width),
    strides: (strides.height, strides.width),
    dilations: (dilations.height, dilations.width),
    padTop: top,
    padLeft: left,
    groups: groups,
    bounds: activation.bounds
  )
}
