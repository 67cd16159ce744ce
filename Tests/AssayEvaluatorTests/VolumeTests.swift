import AssayBase
import AssayGraph
import AssayKernels
import AssayReference
import AssayTensor
import AssayTestSupport
import Testing

/// Windows over volumes and recurrent layers against the reference, over seeded shapes.
@Suite struct VolumeTests {
  static func size(_ rng: inout SeededRNG, _ range: ClosedRange<Int>) -> Size3D {
    Size3D(rng.int(range), rng.int(range), rng.int(range))
  }

  static func padding(_ rng: inout SeededRNG) -> Padding3D {
    let before = size(&rng, 0...2)
    return rng.pick([.same, .valid, .explicit(before: before, after: size(&rng, 0...1))])
  }

  @Test func convolutions() {
    forAll(count: 40) { rng in
      let groups = rng.pick([1, 1, 2, 3])
      let (channels, outputs) = (rng.int(1...6), rng.int(1...9) * groups)
      let filter = Shape([outputs, rng.int(1...3), rng.int(1...3), rng.int(1...3), channels])
      let op = Conv3D(
        strides: Self.size(&rng, 1...2),
        dilations: Self.size(&rng, 1...2),
        padding: Self.padding(&rng),
        activation: rng.pick(OperatorTests.activations)
      )
      let volume = Shape([rng.int(1...2), 5, rng.int(5...7), rng.int(5...7), channels * groups])
      let bias = rng.bool() ? rng.tensor([outputs]) : nil
      try Problem(
        op,
        [rng.tensor(volume), rng.tensor(filter), bias],
        constants: rng.pick([[1, 2], [1], []])
      ).check()
    }
  }

  @Test func transposedConvolutions() {
    forAll(count: 40) { rng in
      let (channels, outputs) = (rng.int(1...6), rng.int(1...9))
      let window = Self.size(&rng, 1...3)
      let (strides, dilations) = (Self.size(&rng, 1...2), Self.size(&rng, 1...2))
      let padding = Self.padding(&rng)
      let size = Self.size(&rng, 5...8)
      let filter = Shape([outputs] + window.all + [channels])
      let forward = try Conv3D(strides: strides, dilations: dilations, padding: padding).inferTypes(
        [
          TensorType(.float32, Shape([2] + size.all + [outputs])),
          TensorType(.float32, Shape([channels] + window.all + [outputs])),
        ]
      )
      let op = TransposeConv3D(
        strides: strides,
        dilations: dilations,
        padding: padding,
        outputSize: size,
        activation: rng.pick(OperatorTests.activations)
      )
      let bias = rng.bool() ? rng.tensor([outputs]) : nil
      try Problem(
        op,
        [rng.tensor(forward[0].shape), rng.tensor(filter), bias],
        constants: rng.pick([[1, 2], []])
      ).check()
    }
  }

  @Test func pooling() {
    forAll(count: 40) { rng in
      let op = Pool3D(
        rng.pick([.max, .average]),
        window: Self.size(&rng, 1...3),
        strides: Self.size(&rng, 1...3),
        padding: rng.pick([.same, .valid]),
        activation: rng.pick(OperatorTests.activations)
      )
      let shape = Shape([rng.int(1...2), rng.int(3...6), rng.int(3...6), 5, rng.int(1...9)])
      try Problem(op, [rng.tensor(shape)]).check()
    }
  }

  @Test func recurrentLayers() {
    forAll(count: 120) { rng in
      let cell = rng.pick(Recurrent.Cell.allCases)
      let (batch, steps) = (rng.int(1...3), rng.int(1...6))
      let (features, units) = (rng.int(1...9), rng.int(1...17))
      let isLSTM = cell == .lstm
      let projects = isLSTM && rng.bool()
      let outputs = projects ? rng.int(1...5) : units
      let rows = cell.gates * units
      func function(_ rng: inout SeededRNG) -> RecurrentFunction {
        RecurrentFunction(rng.pick(RecurrentFunction.Kind.allCases), alpha: 0.4, beta: 0.3)
      }
      func bound(_ rng: inout SeededRNG) -> Float? { rng.pick([nil, nil, 0.3]) }
      let isPlain = rng.bool()
      let op = Recurrent(
        cell,
        isReversed: rng.bool(),
        activation: isPlain ? .tanh : function(&rng),
        recurrentActivation: isPlain ? .sigmoid : RecurrentFunction(.hardSigmoid, alpha: 0.2),
        outputActivation: isPlain ? .tanh : function(&rng),
        resetsAfter: rng.bool(),
        coupling: rng.pick(Recurrent.Coupling.allCases),
        gateClip: bound(&rng),
        cellClip: bound(&rng),
        projectionClip: bound(&rng),
        zerosMaskedOutputs: rng.bool()
      )
      // Small weights keep even exponential cells in range.
      func maybe(_ rng: inout SeededRNG, _ shape: Shape, if isThere: Bool = true) -> Tensor? {
        let tensor = rng.tensor(shape, scale: 0.3)
        return rng.bool() && isThere ? tensor : nil
      }
      let flags = (0..<batch * steps).map { _ -> Float in rng.bool() ? 1 : 0 }
      let mask = Tensor(flags, [batch, steps])
      let arguments: [Tensor?] = [
        rng.tensor([batch, steps, features], scale: 0.5),
        rng.tensor([rows, features], scale: 0.3), rng.tensor([rows, outputs], scale: 0.3),
        maybe(&rng, [rows]), maybe(&rng, [rows]), maybe(&rng, [batch, outputs]),
        maybe(&rng, [batch, units], if: isLSTM), maybe(&rng, [3 * units], if: isLSTM),
        projects ? rng.tensor([outputs, units], scale: 0.3) : nil,
        maybe(&rng, [outputs], if: projects), rng.bool() ? mask : nil,
      ]
      let constants: Set<Int> = rng.pick([[1, 2, 3, 4, 7, 8, 9], []])
      try Problem(op, arguments, constants: constants).check(3e-5)
    }
  }
}
