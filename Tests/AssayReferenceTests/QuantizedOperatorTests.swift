import AssayBase
import AssayGraph
import AssayReference
import AssayTensor
import AssayTestSupport
import Testing

/// 8-bit operators against what LiteRT computes for the converter's own files.
@Suite struct QuantizedOperatorTests {
  static let cases: [(name: String, op: any Operator, inputs: [Int])] = {
    let two = Size2D(2, 2)
    let pool = (window: Size2D(3, 3), strides: two)
    return [
      ("conv2d", Conv2D(strides: two, padding: .same, activation: .relu6), [0, 1, 2]),
      ("conv2d_linear", Conv2D(dilations: two), [0, 1, 2]),
      ("depthwise", DepthwiseConv2D(padding: .same, activation: .relu), [0, 1, 2]),
      ("dense", FullyConnected(), [0, 1, 2]),
      (
        "transpose_conv",
        TransposeConv2D(strides: two, padding: .same, outputSize: Size2D(6, 8)), [2, 1, 3]
      ),
      ("add", Binary(.add), [0, 1]),
      ("sub", Binary(.subtract), [0, 1]),
      ("mul", Binary(.multiply), [0, 1]),
      (
        "average_pool",
        Pool2D(.average, window: pool.window, strides: pool.strides, padding: .same), [0]
      ),
      ("max_pool", Pool2D(.max, window: pool.window, strides: pool.strides, padding: .same), [0]),
      ("mean", Reduce(.mean, axes: [1, 2], keepsAxes: false), [0]),
      ("softmax", Softmax(), [0]),
      ("sigmoid", Unary(.sigmoid), [0]),
      ("tanh", Unary(.tanh), [0]),
      ("leaky_relu", LeakyReLU(alpha: 0.2), [0]),
      ("concat", Concat(axis: 2), [0, 1]),
      ("pad", Pad(before: [0, 1, 2, 0], after: [0, 0, 1, 0]), [0]),
      ("resize_bilinear", Resize2D(.bilinear, size: Size2D(8, 6), usesHalfPixels: true), [0]),
    ]
  }()

  @Test func everyOperatorIsWithinAStepOfLiteRT() throws {
    let answers = try KnownAnswer.read("int8_operators")
    for (name, op, order) in Self.cases {
      let answer = try #require(answers[name])
      let expected = answer.outputs[0]
      let result = try evaluate(op, order.map { answer.inputs[$0] }, output: expected.type)[0]
      #expect(result.type == expected.type, "\(name)")
      let differences = zip(result.integers(), expected.integers()).map { abs($0 - $1) }
      #expect(differences.allSatisfy { $0 <= 1 }, "\(name): \(differences)")
      // These two go through the reals here, and through small integers there.
      if name != "leaky_relu", name != "resize_bilinear" {
        #expect(differences.allSatisfy { $0 == 0 }, "\(name): \(differences)")
      }
    }
  }

  @Test func dynamicRangeKernelsQuantizeTheirInput() throws {
    let answers = try KnownAnswer.read("int8_operators")
    for (name, op) in [
      ("dynamic_conv2d", Conv2D() as any Operator), ("dynamic_dense", FullyConnected()),
    ] {
      let answer = try #require(answers[name])
      let result = try evaluate(op, answer.inputs)[0]
      let difference = largestDifference(result.floats(), answer.outputs[0].floats()).relative
      #expect(difference <= 1e-5, "\(name): \(difference)")
      // Dequantized weights alone would be further away: the input's own rounding is there.
      let floats = try evaluate(op, answer.inputs.map { Tensor($0.floats(), $0.shape) })[0]
      #expect(largestDifference(floats.floats(), answer.outputs[0].floats()).relative > 1e-4)
    }
  }

  @Test func requantizingIsRoundingToTheNearestStep() {
    forAll(count: 50) { rng in
      let from = Quantization(scale: rng.uniform(0.01, 2), zeroPoint: Int32(rng.int(-50...50)))
      let to = Quantization(scale: rng.uniform(0.01, 2), zeroPoint: Int32(rng.int(-50...50)))
      let x = Tensor((-128...127).map { Int8($0) }, [256], dtype: .int8, quantization: from)
      let y = try evaluate(
        Quantize(.int8, to),
        [x],
        output: TensorType(.int8, [256], quantization: to)
      )[0]
      for (real, integer) in zip(x.floats(), y.integers()) {
        let nearest = to.quantize(real, to: -128...127)
        try #require(abs(nearest - integer) <= 1)
        let exact = real / to.scale + Float(to.zeroPoint)
        if abs(exact - exact.rounded(.down) - 0.5) > 1e-3 { try #require(nearest == integer) }
      }
    }
  }

  @Test func paddingIsTheZeroPoint() throws {
    let quantization = Quantization(scale: 0.5, zeroPoint: 7)
    let x = Tensor([1, 2] as [Int8], [2], dtype: .int8, quantization: quantization)
    let y = try evaluate(
      Pad(before: [1], after: [1]),
      [x],
      output: TensorType(.int8, [4], quantization: quantization)
    )
    #expect(y[0].integers() == [7, 1, 2, 7])
  }
}
