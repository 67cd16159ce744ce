import AssayGraph
import AssayKernels
import AssayTensor

extension FullyConnected: EvaluatedOperator {
  func step(_ builder: StepBuilder) throws -> () throws -> Void {
    let (x, weights) = (try builder.shape(0), try builder.shape(1))
    let window = Window.dense(
      rows: weights[1] > 0 ? x.count / weights[1] : 0,
      inputs: weights[1],
      outputs: weights[0],
      bounds: activation.bounds
    )
    return builder.convolution(
      try builder.input(0),
      try builder.packedFilter(window),
      builder.output,
      window
    )
  }
}
