import AssayGraph
import AssayKernels
import AssayTensor

extension LayerNorm: EvaluatedOperator {
  func step(_ builder: StepBuilder) throws -> () throws -> Void {
    let extent = max(builder.outputShape[-1], 1)
    let (input, output) = (try builder.input(0), builder.output)
    let (gamma, beta) = (builder.optional(1), builder.optional(2))
    let epsilon = epsilon
    let rows = output.count / extent
    return {
      for row in 0..<rows {
        let start = row &* extent
        var sum: Float = 0
        for c in 0..<extent { sum += input[start &+ c] }
        let mean = sum / Float(extent)
        var squares: Float = 0
        for c in 0..<extent {
          let difference = input[start &+ c] - mean
          squares += difference * difference
        }
        let factor = 1 / (squares / Float(extent) + epsilon).squareRoot()
        for c in 0..<extent {
          let scaled = (input[start &+ c] - mean) * factor
          output[start &+ c] = scaled * (gamma?[c] ?? 1) + (beta?[c] ?? 0)
        }
      }
    }
  }
}
