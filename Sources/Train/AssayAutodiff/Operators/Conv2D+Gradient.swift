import AssayGraph
import AssayKernels
import AssayTensor

extension Conv2D: DifferentiableOperator {
  var parameterInputs: [Int: Parameter.Role] { [1: .weight, 2: .bias] }
  var outputBounds: Activation? { activation }

  func gradientStep(_ site: GradientSite) throws -> GradientStep {
    let (image, filter) = (try site.shape(0), try site.shape(1))
    let convolution = Convolution(
      try site.window(
        filter: Size2D(filter[1], filter[2]),
        strides: strides,
        dilations: dilations,
        padding: padding,
        groups: image[3] / filter[3],
        activation: site.bounds
      ),
      site.context
    )
    let (x, weights, bias) = (try site.input(0), try site.input(1), site.optional(2))
    let (dy, dx, dw, db) = (
      site.outputGradient, site.gradient(of: 0), site.gradient(of: 1), site.gradient(of: 2)
    )
    let unclamp = site.unclamped(site.bounds)
    let y = site.output
    return GradientStep {
      convolution.forward(x, weights, bias: bias, into: y)
    } backward: {
      unclamp()
      convolution.backward(
        x,
        weights,
        outputGradient: dy,
        image: dx,
        filterGradient: dw,
        bias: db
      )
    }
  }
}
