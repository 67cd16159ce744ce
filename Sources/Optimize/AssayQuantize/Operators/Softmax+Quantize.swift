import AssayGraph
import AssayTensor

extension Softmax: QuantizableOperator {
  func quantizationRule(_ inputs: [Value?]) -> QuantizationRule {
    .fixed(inputs: [0], Quantization(scale: 1 / 256, zeroPoint: -128))
  }
}
