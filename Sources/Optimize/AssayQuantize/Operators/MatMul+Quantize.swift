import AssayGraph

extension MatMul: QuantizableOperator {
  func quantizationRule(_ inputs: [Value?]) -> QuantizationRule {
    .independent(inputs: [0, 1], symmetricConstants: true)
  }
}
