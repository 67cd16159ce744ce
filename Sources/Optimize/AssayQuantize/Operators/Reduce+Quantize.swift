import AssayGraph

extension Reduce: QuantizableOperator {
  func quantizationRule(_ inputs: [Value?]) -> QuantizationRule {
    switch kind {
    case .mean, .sum: .independent(inputs: [0])
    case .max, .min: .shared(inputs: [0])
    case .product, .any, .all: .float("it has no 8-bit kernel")
    }
  }
}
