import AssayGraph

extension Resize2D: QuantizableOperator {
  func quantizationRule(_ inputs: [Value?]) -> QuantizationRule { .shared(inputs: [0]) }
}
