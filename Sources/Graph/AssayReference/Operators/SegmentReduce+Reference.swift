import AssayBase
import AssayGraph
import AssayTensor

extension SegmentReduce: ReferenceOperator {
  func evaluate(_ arguments: Arguments) throws -> [Tensor] {
    let data = try arguments.input(0)
    let numbers = try arguments.input(1).integers()
    let type = arguments.output
    let width = type.shape.dims.dropFirst().reduce(1, *)
    guard numbers.allSatisfy({ $0 < count }) else {
      throw Diagnostic("EVL015", "a number is not below \(count)")
    }
    let values = data.reals
    var result = [Double](repeating: start(type.dtype), count: count * width)
    for (slice, number) in numbers.enumerated() where number >= 0 {
      for index in 0..<width {
        let value = values[slice * width + index]
        let place = number * width + index
        switch kind {
        case .sum: result[place] += value
        case .product: result[place] *= value
        case .max: result[place] = Swift.max(result[place], value)
        case .min: result[place] = Swift.min(result[place], value)
        }
      }
    }
    return [try tensor(result, type)]
  }

  /// What a number that no slice has gives.
  private func start(_ dtype: DType) -> Double {
    let least = dtype.integerRange.map { Double($0.lowerBound) }
    let greatest = dtype.integerRange.map { Double($0.upperBound) }
    switch kind {
    case .sum: return 0
    case .product: return 1
    case .max: return least ?? -Double(Float.greatestFiniteMagnitude)
    case .min: return greatest ?? Double(Float.greatestFiniteMagnitude)
    }
  }
}
