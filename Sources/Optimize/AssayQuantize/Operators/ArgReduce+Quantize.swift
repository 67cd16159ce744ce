import AssayGraph

extension ArgReduce: QuantizableOperator {
  // The place of the greatest integer is that of the greatest number.
  func quantizationRule(_ inputs: [Value?]) -> QuantizationRule { .independent(inputs: [0]) }
  var int16Obstacle: String? { "it has no 16-bit kernel" }
}
