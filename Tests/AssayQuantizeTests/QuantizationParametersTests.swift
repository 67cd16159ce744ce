import AssayBase
import AssayTensor
import AssayTestSupport
import Testing

@testable import AssayQuantize

@Suite struct QuantizationParametersTests {
  /// Pairs that TensorFlow 2.21's converter gives for values that fill these ranges.
  @Test(
    arguments: [
      (-1, 1, 2 / 255, -1), (0, 6, 6 / 255, -128), (0, 255, 1, -128), (-128, 127, 1, 0),
      (1, 2.55, 0.01, -128), (-2.55, -1, 0.01, 127),
    ] as [(Float, Float, Float, Int32)]
  )
  func rangesGiveTheKnownScales(low: Float, high: Float, scale: Float, zeroPoint: Int32) {
    let quantization = Quantization.int8(low: low, high: high)
    #expect(abs(quantization.scale - scale) <= scale * 1e-6)
    #expect(quantization.zeroPoint == zeroPoint)
  }

  @Test func zeroIsExactAndTheRangeIsCovered() {
    forAll(count: 2000) { rng in
      let magnitude = Float(rng.pick([1e-6, 1e-3, 1, 100, 1e6]))
      let (a, b) = (rng.normal() * magnitude, rng.normal() * magnitude)
      let (low, high) = (min(a, b), max(a, b))
      let quantization = Quantization.int8(low: low, high: high)
      try #require(quantization.scale > 0 && (-128...127).contains(quantization.zeroPoint))
      let zero = quantization.quantize(0, to: -128...127)
      try #require(quantization.dequantize(zero) == 0)
      // Rounding the zero point may shift the range by half a step.
      for value in [low, high, (low + high) / 2] {
        let back = quantization.dequantize(quantization.quantize(value, to: -128...127))
        try #require(abs(back - value) <= quantization.scale * 1.001)
      }
    }
  }

  @Test(arguments: [(Float(0), Float(0)), (1e-37, 2e-37), (-0.0, 0)])
  func degenerateRangesHaveAUsableScale(low: Float, high: Float) {
    let quantization = Quantization.int8(low: low, high: high)
    #expect(quantization.scale == 1 && quantization.zeroPoint == 0)
  }

  @Test func weightsComeBackWithinHalfAStepAndBiasesToo() throws {
    for axis in [0, 3] {
      forAll(count: 100) { rng in
        let shape = Shape([rng.int(1...5), rng.int(1...3), rng.int(1...3), rng.int(1...5)])
        let weights = rng.tensor(shape, scale: rng.pick([0.01, 1, 30]))
        let bias = rng.tensor([shape[axis]])
        let inputScale = rng.uniform(0.001, 0.2)
        let result = QuantizedFilter(weights, axis: axis, bias: bias, inputScale: inputScale)
        let quantization = try #require(result.filter.quantization)
        try #require(quantization.axis == axis && quantization.scales.count == shape[axis])
        try #require(quantization.zeroPoints.allSatisfy { $0 == 0 })
        try #require(result.filter.integers().allSatisfy { (-127...127).contains($0) })
        let inner = shape.strides[axis]
        let pairs = zip(weights.floats(), result.filter.floats()).enumerated()
        for (index, (want, got)) in pairs {
          let scale = quantization.scales[index / inner % shape[axis]]
          try #require(abs(want - got) <= scale * 0.5001)
        }
        let integers = try #require(result.bias)
        try #require(integers.dtype == .int32)
        for (index, (want, got)) in zip(bias.floats(), integers.floats()).enumerated() {
          let scale = quantization.scales[index] * inputScale
          try #require(integers.quantization?.scales[index] == scale)
          try #require(abs(want - got) <= scale * 0.51 + abs(want) * 1e-6)
        }
      }
    }
  }

  @Test func aBiasThatWouldLeave32BitsRaisesItsChannelsScale() throws {
    let weights = Tensor([1e-9, 0, 1, 0.5, 0, 0] as [Float], [3, 2])
    let bias = Tensor([10, 10, 10] as [Float], [3])
    let result = QuantizedFilter(weights, axis: 0, bias: bias, inputScale: 0.01)
    #expect(result.raisedChannels == 1)
    let integers = try #require(result.bias)
    #expect(integers.integers().allSatisfy { $0.magnitude <= 1 << 30 })
    for value in integers.floats() { #expect(abs(value - 10) < 1e-3) }
    // The channel without weights has a bias of 20 bits.
    #expect(integers.integers()[2] > 1 << 19)
  }
}
