import AssayGraph

extension DepthwiseConv2D: QuantizableOperator {
  func quantizationRule(_ inputs: [Value?]) -> QuantizationRule { .filter(inputs, axis: 3) }
}
