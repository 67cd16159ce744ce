import AssayBase
import AssayKernels
import AssayTestSupport
import Testing

/// Random floats in a block.
func block(_ count: Int, _ rng: inout SeededRNG) -> FloatBlock {
  FloatBlock((0..<count).map { _ in rng.normal() })
}

/// Every set of kernels against the portable one.
@Suite struct KernelTests {
  static let sets = Kernels.all.filter { $0.name != "portable" }

  @Test func theProcessorHasSetsAndThePortableOneIsLast() {
    #expect(Kernels.all.count >= 2)
    #expect(Kernels.all.last?.name == "portable")
    #expect(Set(Kernels.all.map(\.name)).count == Kernels.all.count)
  }

  /// A window that fits, over few to many channels, so that tiles and panels are cut everywhere.
  static func window(_ rng: inout SeededRNG, isDepthwise: Bool = false) -> Window {
    let groups = rng.pick([1, 1, 1, 2, 3])
    let channels = rng.int(1...(isDepthwise ? 70 : 40)) * (isDepthwise ? 1 : groups)
    let outputs = isDepthwise ? channels : rng.int(1...70) * groups
    let window = rng.pick([(1, 1), (1, 1), (3, 3), (2, 5), (1, 4)])
    let strides = (rng.int(1...2), rng.int(1...3))
    let dilations = (rng.int(1...2), rng.int(1...2))
    let output = (rng.int(1...7), rng.int(1...9))
    let (padTop, padLeft) = (rng.int(0...(window.0 - 1)), rng.int(0...(window.1 - 1)))
    let (extraTop, extraLeft) = (rng.int(0...(window.0 - 1)), rng.int(0...(window.1 - 1)))
    let height = (output.0 - 1) * strides.0 + (window.0 - 1) * dilations.0 + 1 - padTop - extraTop
    let width = (output.1 - 1) * strides.1 + (window.1 - 1) * dilations.1 + 1 - padLeft - extraLeft
    return Window(
      batch: rng.int(1...3),
      input: (max(height, 1), max(width, 1), channels),
      output: (output.0, output.1, outputs),
      window: window,
      strides: strides,
      dilations: dilations,
      padTop: padTop,
      padLeft: padLeft,
      groups: isDepthwise ? channels : groups,
      bounds: rng.pick([(-.infinity, .infinity), (0, 6), (0, .infinity)])
    )
  }

  @Test(arguments: [1, 3])
  func convolutionsAgree(threads: Int) {
    forAll(count: 150) { rng in
      let w = Self.window(&rng)
      let pixels = w.batch * w.outputHeight * w.outputWidth
      let input = block(w.batch * w.inputHeight * w.inputWidth * w.inputChannels, &rng)
      let weights = block(w.outputChannels * w.depth, &rng)
      let bias = rng.bool() ? block(w.outputChannels, &rng) : nil
      let zeros = FloatBlock(count: w.inputChannels)
      func run(_ kernels: Kernels, _ threads: Int) -> [Float] {
        let output = FloatBlock(count: pixels * w.outputChannels)
        let filter = unsafe PackedFilter(
          kernels,
          window: w,
          weights: weights.buffer.base,
          bias: bias.map { unsafe UnsafePointer($0.buffer.base) }
        )
        kernels.convolve(
          input.buffer,
          filter,
          into: output.buffer,
          w,
          zeros: zeros.buffer,
          pool: ThreadPool(threads: threads),
          scratch: Scratch()
        )
        return output.buffer.array
      }
      let expected = run(.portable, 1)
      for kernels in Self.sets {
        let result = run(kernels, threads)
        try #require(
          largestDifference(result, expected).relative < 3e-6,
          "\(kernels.name) \(w)"
        )
        try #require(threads == 1 || result == run(kernels, 1), "threads change \(w)")
      }
    }
  }

  @Test func depthwiseConvolutionsAgree() {
    forAll(count: 100) { rng in
      let w = Self.window(&rng, isDepthwise: true)
      let count = w.batch * w.outputHeight * w.outputWidth * w.outputChannels
      let input = block(w.batch * w.inputHeight * w.inputWidth * w.inputChannels, &rng)
      let weights = block(w.height * w.width * w.inputChannels, &rng)
      let bias = rng.bool() ? block(w.outputChannels, &rng) : nil
      let zeros = FloatBlock(count: w.inputChannels)
      let results = Kernels.all.map { kernels in
        let output = FloatBlock(count: count)
        kernels.convolveDepthwise(
          input.buffer,
          weights.buffer,
          bias: bias?.buffer,
          into: output.buffer,
          w,
          zeros: zeros.buffer,
          pool: ThreadPool(threads: 2),
          scratch: Scratch()
        )
        return output.buffer.array
      }
      for result in results {
        try #require(largestDifference(result, results[results.count - 1]).relative < 2e-6, "\(w)")
      }
    }
  }

  @Test(arguments: [false, true])
  func poolingAgrees(average: Bool) {
    forAll(count: 60) { rng in
      let w = Self.window(&rng, isDepthwise: true)
      var plain = w
      (plain.dilationHeight, plain.dilationWidth) = (1, 1)
      let count = w.batch * w.outputHeight * w.outputWidth * w.outputChannels
      let input = block(w.batch * w.inputHeight * w.inputWidth * w.inputChannels, &rng)
      let results = Kernels.all.map { kernels in
        let output = FloatBlock(count: count)
        kernels.pool(
          input.buffer,
          into: output.buffer,
          average: average,
          plain,
          pool: ThreadPool(threads: 2)
        )
        return output.buffer.array
      }
      for result in results {
        let difference = largestDifference(result, results[results.count - 1]).relative
        try #require(difference <= (average ? 1e-6 : 0), "\(plain)")
      }
    }
  }

  @Test func elementwiseKernelsAgree() {
    forAll(count: 40) { rng in
      let count = rng.int(1...100)
      let a = block(rng.bool() ? count : 1, &rng)
      let b = block(a.buffer.count == count && rng.bool() ? 1 : count, &rng)
      for kind in BinaryKernel.allCases {
        let results = Kernels.all.map { kernels in
          let output = FloatBlock(count: count)
          kernels.binary(kind, a.buffer, b.buffer, into: output.buffer, low: -2, high: 2)
          return output.buffer.array
        }
        for result in results {
          let difference = largestDifference(result, results[results.count - 1]).relative
          try #require(difference < 1e-6, "\(kind)")
        }
      }
    }
  }

  @Test func functionsAgreeUpToAFewUnitsInTheLastPlace() {
    var values: [Float] = [0, -0.0, .infinity, -.infinity, .nan, 88.7, 89, -87.3, -90, -104, 1e-30]
    var rng = SeededRNG(seed: 3)
    values += (0..<2000).map { _ in rng.uniform(-100, 100) }
    values += (0..<2000).map { _ in rng.uniform(-2, 2) }
    let input = FloatBlock(values)
    let kinds: [UnaryKernel] = [
      .clamp(-1, 1), .sigmoid, .tanh, .exp, .abs, .negative, .square, .sqrt, .rsqrt, .leaky(0.3),
      .hardSwish,
    ]
    for kind in kinds {
      let expected = FloatBlock(count: values.count)
      Kernels.portable.unary(kind, input.buffer, into: expected.buffer)
      for kernels in Self.sets {
        let output = FloatBlock(count: values.count)
        kernels.unary(kind, input.buffer, into: output.buffer)
        for (index, x) in values.enumerated() {
          let (result, want) = (output.buffer[index], expected.buffer[index])
          let isClose =
            result == want || result.isNaN && want.isNaN
            || abs(result - want) <= 4e-7 * abs(want) + 1e-7 * (kind == .exp ? 0 : 1) + 2e-38
          #expect(isClose, "\(kernels.name) \(kind)(\(x)) = \(result), not \(want)")
        }
      }
    }
  }

  @Test func softmaxScalingRangeAndRoundTripAgree() {
    forAll(count: 60) { rng in
      let extent = rng.int(1...70)
      let rows = rng.int(1...4)
      var values = (0..<extent * rows).map { _ in 5 * rng.normal() }
      let input = FloatBlock(values)
      let (scale, offset) = (block(extent, &rng), block(extent, &rng))
      let step = rng.uniform(0.01, 0.3)
      let zeroPoint = Int32(rng.int(-128...127))
      let results = Kernels.all.map { kernels in
        let outputs = (0..<3).map { _ in FloatBlock(count: values.count) }
        kernels.softmax(input.buffer, into: outputs[0].buffer, extent: extent, beta: 1.5)
        kernels.scaleRows(
          input.buffer,
          scale: scale.buffer,
          offset: offset.buffer,
          into: outputs[1].buffer
        )
        kernels.roundTrip(
          input.buffer,
          into: outputs[2].buffer,
          scale: step,
          zeroPoint: zeroPoint,
          low: -128,
          high: 127
        )
        return outputs.map(\.buffer.array)
      }
      let expected = results[results.count - 1]
      for result in results {
        try #require(largestDifference(result[0], expected[0]).relative < 2e-6)
        try #require(largestDifference(result[1], expected[1]).relative < 1e-6)
        try #require(result[2] == expected[2])
      }
      if rng.bool() { values[rng.int(0...values.count - 1)] = rng.pick([.nan, .infinity]) }
      let spoiled = FloatBlock(values)
      let ranges = Kernels.all.map { $0.range(spoiled.buffer) }
      for range in ranges { try #require(range == ranges[ranges.count - 1]) }
    }
  }
}
