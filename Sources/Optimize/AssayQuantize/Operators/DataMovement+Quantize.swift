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

extension GatherND: QuantizableOperator {
  func quantizationRule(_ inputs: [Value?]) -> QuantizationRule { .shared(inputs: [0]) }
}

extension Tile: QuantizableOperator {
  func quantizationRule(_ inputs: [Value?]) -> QuantizationRule { .shared(inputs: [0]) }
}

extension BroadcastTo: QuantizableOperator {
  func quantizationRule(_ inputs: [Value?]) -> QuantizationRule { .shared(inputs: [0]) }
}

extension DepthToSpace: QuantizableOperator {
  func quantizationRule(_ inputs: [Value?]) -> QuantizationRule { .shared(inputs: [0]) }
  var int16Obstacle: String? { "it has no 16-bit kernel" }
}

extension SpaceToDepth: QuantizableOperator {
  func quantizationRule(_ inputs: [Value?]) -> QuantizationRule { .shared(inputs: [0]) }
  var int16Obstacle: String? { "it has no 16-bit kernel" }
}

extension Reverse: QuantizableOperator {
  func quantizationRule(_ inputs: [Value?]) -> QuantizationRule { .shared(inputs: [0]) }
}

extension TopK: QuantizableOperator {
  func quantizationRule(_ inputs: [Value?]) -> QuantizationRule { .shared(inputs: [0]) }
}
