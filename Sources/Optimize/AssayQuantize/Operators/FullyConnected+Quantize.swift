import AssayGraph

extension FullyConnected: QuantizableOperator {
  func quantizationRule(_ inputs: [Value?]) -> QuantizationRule { .filter(inputs, axis: 0) }
}
