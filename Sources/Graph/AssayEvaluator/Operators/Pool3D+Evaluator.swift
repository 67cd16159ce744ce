import AssayGraph
import AssayKernels
import AssayTensor

extension Pool3D: EvaluatedOperator {
  /// Pools every slice, then takes the slices under the window together.
  ///
  /// Every slice has the same number of elements under a window, so that the mean of their means is
  /// the mean.
  func step(_ builder: StepBuilder) throws -> () throws -> Void {
    let volume = try builder.shape(0)
    let shape = builder.outputShape
    let start = padding.start(volume, window: window, strides: strides, dilations: .one)
    let geometry = Window(
      batch: volume[0] * volume[1],
      input: (volume[2], volume[3], volume[4]),
      output: (shape[2], shape[3], shape[4]),
      window: (window.height, window.width),
      strides: (strides.height, strides.width),
      padTop: start.height,
      padLeft: start.width
    )
    let slice = shape[2] * shape[3] * shape[4]
    let slices = FloatBlock(count: geometry.batch * slice)
    let (input, output, context) = (try builder.input(0), builder.output, builder.context)
    let isAverage = kind == .average
    let bounds = activation.bounds
    let (depth, strideOfDepth) = (window.depth, strides.depth)
    return {
      context.kernels.pool(
        input,
        into: slices.buffer,
        average: isAverage,
        geometry,
        pool: context.pool
      )
      for n in 0..<shape[0] {
        for d in 0..<shape[1] {
          let target = output.part((n * shape[1] + d) * slice, slice)
          let first = d * strideOfDepth - start.depth
          let planes = max(first, 0)..<max(max(first, 0), min(first + depth, volume[1]))
          target.fill(planes.isEmpty ? (isAverage ? .nan : -.infinity) : 0)
          for plane in planes {
            let source = slices.buffer.part((n * volume[1] + plane) * slice, slice)
            if plane == planes.lowerBound {
              target.copy(source)
            } else {
              context.kernels.binary(isAverage ? .add : .maximum, target, source, into: target)
            }
          }
          if isAverage, planes.count > 1 {
            let share = 1 / Float(planes.count)
            for index in 0..<slice { target[index] *= share }
          }
        }
      }
      context.kernels.unary(.clamp(bounds.low, bounds.high), output, into: output)
    }
  }
}
