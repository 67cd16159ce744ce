import AssayGraph

extension Pool2D: QuantizableOperator {
  func quantizationRule(_ inputs: [Value?]) -> QuantizationRule { .shared(inputs: [0]) }
}
