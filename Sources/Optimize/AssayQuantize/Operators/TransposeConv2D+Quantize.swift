import AssayGraph

extension TransposeConv2D: QuantizableOperator {
  func quantizationRule(_ inputs: [Value?]) -> QuantizationRule { .filter(inputs, axis: 0) }
}
