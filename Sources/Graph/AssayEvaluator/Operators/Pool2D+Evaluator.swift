import AssayGraph
import AssayKernels
import AssayTensor

extension Pool2D: EvaluatedOperator {
  func step(_ builder: StepBuilder) throws -> () throws -> Void {
    let geometry = windowGeometry(
      try builder.shape(0),
      builder.outputShape,
      window: window,
      strides: strides,
      padding: padding,
      activation: activation
    )
    let (input, output, context) = (try builder.input(0), builder.output, builder.context)
    let isAverage = kind == .average
    return {
      context.kernels.pool(
        input,
        into: output,
        average: isAverage,
        geometry,
        pool: context.pool
      )
    }
  }
}
