import AssayGraph

// Integers are moved as they are, so both sides have one scale.

extension Reshape: QuantizableOperator {
  func quantizationRule(_ inputs: [Value?]) -> QuantizationRule { .shared(inputs: [0]) }
}

extension Transpose: QuantizableOperator {
  func quantizationRule(_ inputs: [Value?]) -> QuantizationRule { .shared(inputs: [0]) }
}

extension Slice: QuantizableOperator {
  func quantizationRule(_ inputs: [Value?]) -> QuantizationRule { .shared(inputs: [0]) }
}

extension Split: QuantizableOperator {
  func quantizationRule(_ inputs: [Value?]) -> QuantizationRule { .shared(inputs: [0]) }
}

extension Pad: QuantizableOperator {
  func quantizationRule(_ inputs: [Value?]) -> QuantizationRule { .shared(inputs: [0]) }
}

extension Gather: QuantizableOperator {
  func quantizationRule(_ inputs: [Value?]) -> QuantizationRule { .shared(inputs: [0]) }
}

extension Concat: QuantizableOperator {
  func quantizationRule(_ inputs: [Value?]) -> QuantizationRule {
    .shared(inputs: Array(inputs.indices))
  }
}
