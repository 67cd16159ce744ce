import AssayGraph
import AssayKernels
import AssayTensor

#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#else
import Darwin
#endif

extension BatchNorm: EvaluatedOperator {
  func step(_ builder: StepBuilder) throws -> () throws -> Void {
    let channels = builder.outputShape[-1]
    let (input, output, kernels) = (try builder.input(0), builder.output, builder.kernels)
    let (gamma, beta) = (builder.optional(1), builder.optional(2))
    let (mean, variance) = (try builder.input(3), try builder.input(4))
    let scale = FloatBlock(count: channels)
    let offset = FloatBlock(count: channels)
    let epsilon = epsilon
    return {
      for c in 0..<channels {
        let factor = (gamma?[c] ?? 1) / (variance[c] + epsilon).squareRoot()
        scale.buffer[c] = factor
        offset.buffer[c] = (beta?[c] ?? 0) - mean[c] * factor
      }
      kernels.scaleRows(input, scale: scale.buffer, offset: offset.buffer, into: output)
    }
  }
}

extension Softmax: EvaluatedOperator {
  func step(_ builder: StepBuilder) throws -> () throws -> Void {
    let shape = builder.outputShape
    let axis = shape.normalized(axis: axis) ?? 0
    let (input, output, kernels) = (try builder.input(0), builder.output, builder.kernels)
    let (extent, inner, beta) = (shape[axis], shape.strides[axis], beta)
    if inner == 1 {
      return { kernels.softmax(input, into: output, extent: extent, beta: beta) }
    }
    return {
      for start in 0..<output.count / max(extent, 1) {
        let base = start / inner * inner * extent + start % inner
        var most = -Float.infinity
        for index in 0..<extent { most = max(most, input[base + index * inner]) }
        var sum: Float = 0
        for index in 0..<extent {
          let value = exp(beta * (input[base + index * inner] - most))
          output[base + index * inner] = value
          sum += value
        }
        for index in 0..<extent { output[base + index * inner] /= sum }
      }
    }
  }
}
