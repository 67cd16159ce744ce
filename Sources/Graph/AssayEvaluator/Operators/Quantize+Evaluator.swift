import AssayGraph
import AssayKernels
import AssayTensor

// Values are real numbers here: the plan rounds what it holds for a quantized value.
extension Quantize: EvaluatedOperator {
  func step(_ builder: StepBuilder) throws -> () throws -> Void { try builder.copying() }
}

extension Dequantize: EvaluatedOperator {
  func step(_ builder: StepBuilder) throws -> () throws -> Void { try builder.copying() }
}

extension Cast: EvaluatedOperator {
  func step(_ builder: StepBuilder) throws -> () throws -> Void {
    let (input, output) = (try builder.input(0), builder.output)
    if dtype == .bool {
      return { for index in 0..<output.count { output[index] = input[index] != 0 ? 1 : 0 } }
    }
    guard dtype.isInteger else { return try builder.copying() }
    let range = dtype.integerRange
    let low = range.map { Float($0.lowerBound) } ?? -.infinity
    let high = range.map { Float($0.upperBound) } ?? .infinity
    return {
      for index in 0..<output.count {
        let whole = input[index].rounded(.towardZero)
        output[index] = whole.isNaN ? 0 : min(max(whole, low), high)
      }
    }
  }
}
