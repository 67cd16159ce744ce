import AssayGraph

extension Conv2D: QuantizableOperator {
  func quantizationRule(_ inputs: [Value?]) -> QuantizationRule { .filter(inputs, axis: 0) }
}
