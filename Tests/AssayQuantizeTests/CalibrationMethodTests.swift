import AssayBase
import AssayEvaluator
import AssayGraph
import AssayKernels
import AssayTensor
import AssayTestSupport
import Testing

@testable import AssayQuantize

@Suite struct HistogramTests {
  private func histogram(_ parts: [[Float]]) -> Histogram {
    var result = Histogram()
    for part in parts { add(part, to: &result) }
    return result
  }

  private func add(_ values: [Float], to histogram: inout Histogram) {
    let block = FloatBlock(values)
    let peak = values.filter(\.isFinite).map(\.magnitude).max() ?? 0
    histogram.add(block.buffer, peak: peak)
  }

  @Test func orderAndPartsDoNotMatter() {
    forAll(count: 100) { rng in
      let values = (0..<200).map { _ in
        rng.normal() * rng.pick([1e-6, 0.01, 1, 50, 1e9]) * Float(rng.int(0...1))
      }
      let whole = histogram([values])
      let parts = histogram([Array(values[..<20]), Array(values[20..<150]), Array(values[150...])])
      try #require(whole == parts)
      try #require(whole == histogram([values.reversed()]))
      var merged = histogram([Array(values[..<90])])
      merged.merge(histogram([Array(values[90...])]))
      try #require(merged == whole)
      try #require(whole.total + whole.zeros == 200)
    }
  }

  @Test func extremesNeitherTrapNorGrow() {
    let values: [Float] = [
      .greatestFiniteMagnitude, -.greatestFiniteMagnitude, .leastNonzeroMagnitude, 0, -0.0, 1e-30,
    ]
    for value in values {
      let one = histogram([[value]])
      #expect(one.total + one.zeros == 1)
      #expect(one.counts.count == 2 * Histogram.half)
    }
    #expect(histogram([values]).total == 4)
    let faulty = histogram([[.nan, .infinity, 2]])
    #expect(faulty.total == 1)
  }

  @Test func methodsCutTailsAndKeepTheRest() {
    var rng = SeededRNG(seed: 2)
    // A million numbers of a bell, and one far outlier.
    let bell = (0..<20000).map { _ in rng.normal() }
    var histogram = Histogram()
    for _ in 0..<50 { add(bell, to: &histogram) }
    add([12], to: &histogram)
    let low = bell.min() ?? 0
    let search = RangeSearch(histogram, low: low, high: 12)
    let whole = search.range(.minMax)
    #expect(whole.low == low && whole.high == 12)
    let part = search.range(.percentile(99))
    #expect(part.low > -2.8 && part.low < -2.4 && part.high > 2.4 && part.high < 2.8)
    for method in [CalibrationMethod.meanSquaredError, .entropy] {
      let range = search.range(method)
      #expect(range.high < 9 && range.high > 2.5, "\(method): \(range)")
      #expect(range.low <= -2 && range.low >= low, "\(method): \(range)")
    }
    // Least squared error is what its name says.
    func error(_ range: (low: Float, high: Float)) -> Double {
      let quantization = AssayTensor.Quantization.int8(low: range.low, high: range.high)
      func square(_ value: Float) -> Double {
        let back = quantization.dequantize(quantization.quantize(value, to: -128...127))
        return Double((back - value) * (back - value))
      }
      return 50 * bell.reduce(0) { $0 + square($1) } + square(12)
    }
    let best = search.range(.meanSquaredError)
    #expect(error(best) < error(whole) * 0.7)
    for factor in [Float(0.7), 1.5] {
      #expect(error(best) < error((best.low, best.high * factor)) * 1.02)
    }
  }

  @Test func evenDistributionsAreKeptWhole() {
    let values = (0..<10000).map { Float($0) / 10000 * 3 }
    let search = RangeSearch(histogram([values]), low: 0, high: 2.9997)
    for method in [CalibrationMethod.meanSquaredError, .entropy, .percentile(100)] {
      let range = search.range(method)
      #expect(range.low == 0 && range.high > 2.85, "\(method): \(range)")
    }
  }
}

@Suite struct CalibrationMethodTests {
  private func network() throws -> Graph {
    var rng = SeededRNG(seed: 4)
    return try smallNetwork(&rng)
  }

  @Test func namesAreRead() {
    for name in CalibrationMethod.names { #expect(CalibrationMethod(name: name)?.name == name) }
    #expect(CalibrationMethod(name: "percentile99.9") == .percentile(99.9))
    #expect(CalibrationMethod(name: "percentile99.9")?.name == "percentile99.9")
    for name in ["", "max", "percentile12", "percentile100.1", "percentilex"] {
      #expect(CalibrationMethod(name: name) == nil)
    }
  }

  @Test func everyMethodMakesAWorkingVariant() throws {
    let graph = try network()
    var rng = SeededRNG(seed: 11)
    let data = (0..<12).map { _ in ["image": rng.tensor([1, 12, 12, 3])] }
    let maker = VariantMaker(graph) { for inputs in data { try $0.observe(inputs) } }
    let original = try Evaluator(graph)
    for name in CalibrationMethod.names {
      let recipe = try Recipe.parse("\(name)+static_int8")
      let calibration = try #require(try maker.calibration(recipe))
      for range in calibration.ranges.values {
        // The ends include zero, which every quantization holds.
        #expect(min(range.least, 0) <= range.low && range.high <= max(range.greatest, 0))
      }
      let variant = try Evaluator(try maker.make(recipe).graph)
      var (want, got): ([Float], [Float]) = ([], [])
      for inputs in data {
        want += try original.run(inputs)[0].tensor.floats()
        got += try variant.run(inputs)[0].tensor.floats()
      }
      #expect(sqnr(got, want) > 18, "\(name): \(sqnr(got, want)) dB")
    }
  }

  @Test func theAverageIsNearerThanTheExtremes() throws {
    var graph = Graph(name: "one")
    let x = graph.addInput("x", TensorType(.float32, [1, 2]))
    graph.outputs = try graph.addNode("y", Unary(.relu), [x])
    let calibrator = try Calibrator(graph, method: .movingAverage)
    for peak in [1, 1, 1, 9] as [Float] {
      try calibrator.observe(["x": Tensor([-1, peak], [1, 2])])
    }
    let range = try #require(calibrator.calibration.ranges["x"])
    // Weights 0.99^3, 0.99^2, 0.99, 1.
    #expect(abs(range.high - 3.0302) < 1e-3 && abs(range.low + 1) < 1e-6)
    #expect(range.greatest == 9)
  }

  @Test func sixteenBitsHoldWhatEightBitsCutOff() throws {
    let graph = try network()
    var rng = SeededRNG(seed: 11)
    let data = (0..<4).map { _ in ["image": rng.tensor([1, 12, 12, 3])] }
    let maker = VariantMaker(graph) { for inputs in data { try $0.observe(inputs) } }
    let cut = try maker.make(try Recipe.parse("percentile90+int16x8")).graph
    let whole = try maker.make(.int16x8).graph
    #expect(cut[cut.inputs[0]].type == whole[whole.inputs[0]].type)
  }
}

@Suite struct BiasCorrectionTests {
  @Test func theMeanErrorOfRoundedWeightsIsTakenUp() throws {
    var rng = SeededRNG(seed: 8)
    var graph = Graph(name: "means")
    let x = graph.addInput("x", TensorType(.float32, [1, 6, 6, 4]))
    let w = graph.addConstant("w", rng.tensor([8, 1, 1, 4]))
    let a = try graph.addNode("conv", Conv2D(activation: .relu), [x, w])
    let d = graph.addConstant("d", rng.tensor([1, 3, 3, 8]))
    let b = graph.addConstant("b", rng.tensor([8]))
    let c = try graph.addNode("depthwise", DepthwiseConv2D(), [a[0], d, b])
    graph.outputs = c
    // Inputs with a large mean: the error of a rounded weight is mostly a shift.
    let data = (0..<16).map { _ -> [String: Tensor] in
      let noise = rng.tensor([1, 6, 6, 4], scale: 0.1).floats()
      return ["x": Tensor(noise.enumerated().map { $1 + Float($0 % 4) + 1 }, [1, 6, 6, 4])]
    }
    let maker = VariantMaker(graph) { for inputs in data { try $0.observe(inputs) } }
    func error(_ name: String) throws -> (mean: Double, power: Double) {
      let (original, variant) = (
        try Evaluator(graph), try Evaluator(try maker.make(.parse(name)).graph)
      )
      var (sum, power, count) = (0.0, 0.0, 0)
      for inputs in data {
        let want = try original.run(inputs)[0].tensor.floats()
        for (a, b) in zip(try variant.run(inputs)[0].tensor.floats(), want) {
          sum += Double(a - b)
          power += Double((a - b) * (a - b))
          count += 1
        }
      }
      return ((sum / Double(count)).magnitude, power / Double(count))
    }
    var small = try Recipe.parse("weight_int4")
    small.minimumWeightElements = 1
    small.givenName = nil
    func weightError(_ corrects: Bool) throws -> Double {
      var recipe = small
      recipe.correctsBias = corrects
      let (original, variant) = (try Evaluator(graph), try Evaluator(try maker.make(recipe).graph))
      return try data.reduce(0) { sum, inputs in
        let want = try original.run(inputs)[0].tensor.floats()
        let got = try variant.run(inputs)[0].tensor.floats()
        return sum + zip(got, want).reduce(0) { $0 + Double(($1.0 - $1.1) * ($1.0 - $1.1)) }
      }
    }
    #expect(try weightError(true) < weightError(false) / 4)
    let (plain, corrected) = (
      try error("static_int8_floatio"), try error("static_int8_floatio+correct_bias")
    )
    #expect(corrected.power < plain.power * 1.05, "\(corrected) \(plain)")
    let means = try #require(try maker.calibration(.parse("static_int8+correct_bias")))
    let expected = try #require(means.channelMeans["x"])
    for (channel, mean) in expected.enumerated() {
      #expect(abs(mean - Double(channel + 1)) < 0.05)
    }
  }
}

@Suite struct EqualizationTests {
  @Test func theNetworkComputesTheSameWithBalancedChannels() throws {
    var rng = SeededRNG(seed: 8)
    var graph = Graph(name: "unbalanced")
    let x = graph.addInput("x", TensorType(.float32, [1, 8, 8, 3]))
    let scales: [Float] = [100, 0.01, 1, 5, 0.2, 30]
    let w1 = rng.tensor([6, 3, 3, 3]).floats().enumerated().map { $1 * scales[$0 / 27] }
    let b1 = rng.tensor([6]).floats().enumerated().map { $1 * scales[$0] }
    let a = try graph.addNode(
      "conv",
      Conv2D(padding: .same, activation: .relu),
      [
        x, graph.addConstant("w1", Tensor(w1, [6, 3, 3, 3])),
        graph.addConstant("b1", Tensor(b1, [6])),
      ]
    )
    let d = rng.tensor([1, 3, 3, 6]).floats().enumerated().map { $1 / scales[$0 % 6] }
    let m = try graph.addNode(
      "depthwise",
      DepthwiseConv2D(padding: .same, activation: .relu6),
      [a[0], graph.addConstant("w2", Tensor(d, [1, 3, 3, 6]))]
    )
    graph.outputs = try graph.addNode(
      "last",
      Conv2D(),
      [m[0], graph.addConstant("w3", rng.tensor([4, 1, 1, 6]))]
    )
    let (balanced, notes) = try equalized(graph)
    #expect(balanced.validate().isEmpty)
    #expect(notes.map(\.code) == ["QNT015"])
    // ReLU6 does not scale, so the second pair stays.
    #expect(notes[0].summary.contains("1 pairs") && notes[0].summary.contains("1 were left"))
    let sample = ["x": rng.tensor([1, 8, 8, 3])]
    let want = try Evaluator(graph).run(sample)[0].tensor.floats()
    let got = try Evaluator(balanced).run(sample)[0].tensor.floats()
    #expect(sqnr(got, want) > 100)
    func peaks(_ name: String, _ channel: (Int) -> Int) throws -> [Float] {
      let tensor = try #require(balanced.values.first { $0.name == name }?.constant).floats()
      var result = [Float](repeating: 0, count: 6)
      for (index, value) in tensor.enumerated() {
        result[channel(index)] = max(result[channel(index)], value.magnitude)
      }
      return result
    }
    for (one, other) in zip(try peaks("w1") { $0 / 27 }, try peaks("w2") { $0 % 6 }) {
      #expect(abs(one / other - 1) < 0.01)
    }
    // What is under one scale (the value between them) gains: its channels have the same range now.
    let maker = VariantMaker(graph) { try $0.observe(sample) }
    func ratio(_ name: String) throws -> Double {
      sqnr(try Evaluator(try maker.make(.parse(name)).graph).run(sample)[0].tensor.floats(), want)
    }
    #expect(try ratio("equalize+static_int8_floatio") > ratio("static_int8_floatio") + 10)
  }

  @Test func randomNetworksStayTheSame() {
    forAll(count: 40) { rng in
      let graph = try smallNetwork(&rng)
      let (balanced, _) = try equalized(graph)
      let sample = ["image": rng.tensor([1, 12, 12, 3])]
      let want = try Evaluator(graph).run(sample)[0].tensor.floats()
      try #require(sqnr(try Evaluator(balanced).run(sample)[0].tensor.floats(), want) > 90)
    }
  }
}

@Suite struct WeightOnlyTests {
  @Test func blocksHaveScalesThatHalvesHold() throws {
    var rng = SeededRNG(seed: 8)
    var graph = Graph(name: "dense")
    let x = graph.addInput("x", TensorType(.float32, [1, 64]))
    let w = graph.addConstant("w", rng.tensor([16, 64]))
    let a = try graph.addNode("dense", FullyConnected(), [x, w])
    let v = graph.addConstant("v", rng.tensor([70, 16]))
    graph.outputs = try graph.addNode("odd", FullyConnected(), [a[0], v])
    let (variant, diagnostics) = try Quantizer().apply(.parse("weight_int4_b32"), to: graph)
    #expect(variant.validate().isEmpty)
    #expect(diagnostics.map(\.code) == ["QNT014"])
    let small = try #require(variant.values.first { $0.name == "w" })
    #expect(small.type.dtype == .int4 && small.type.quantization?.blockSize == 32)
    let scales = try #require(small.type.quantization?.scales)
    #expect(scales.count == 32)
    for scale in scales { #expect(float(halfBits: halfBits(scale)) == scale) }
    // Rows of 16 have no blocks of 32: 8 bits for each channel, behind a Dequantize.
    let other = try #require(variant.values.first { $0.name == "v" })
    #expect(other.type.dtype == .int8 && other.type.quantization?.axis == 0)
    let sample = ["x": rng.tensor([1, 64])]
    let want = try Evaluator(graph).run(sample)[0].tensor.floats()
    for hybrid in [HybridKernels.liteRT, .onnx, .none] {
      let got = try Evaluator(variant, hybrid: hybrid).run(sample)[0].tensor.floats()
      #expect(sqnr(got, want) > 14, "\(sqnr(got, want)) dB")
    }
    let (eight, _) = try Quantizer().apply(.parse("weight_int8"), to: graph)
    #expect(sqnr(try Evaluator(eight).run(sample)[0].tensor.floats(), want) > 38)
  }

  @Test func theActivationOfABlockwiseLayerStandsBehindIt() throws {
    var rng = SeededRNG(seed: 8)
    var graph = Graph(name: "dense")
    let x = graph.addInput("x", TensorType(.float32, [1, 64]))
    let w = graph.addConstant("w", rng.tensor([32, 64]))
    graph.outputs = try graph.addNode("y", FullyConnected(activation: .relu), [x, w])
    let (variant, _) = try Quantizer().apply(.parse("weight_int4_b64"), to: graph)
    #expect(
      variant.validate().isEmpty && variant.nodes.map(\.op.name) == ["FullyConnected", "ReLU"]
    )
    #expect(variant.outputName(variant.outputs[0]) == "y")
    let sample = ["x": rng.tensor([1, 64])]
    let want = try Evaluator(graph).run(sample)[0].tensor.floats()
    #expect(sqnr(try Evaluator(variant).run(sample)[0].tensor.floats(), want) > 14)
  }

  @Test func fourBitScalesAreNotWorseThanTheGreatestMagnitudes() {
    forAll(count: 200) { rng in
      let values = (0..<32).map { _ in rng.normal() * rng.pick([0.001, 1, 40]) }
      let scale = SmallWeights.scale(values[...], bits: 4)
      func error(_ scale: Float) -> Float {
        values.reduce(0) { sum, value in
          let back = min(max((value / scale).rounded(.toNearestOrAwayFromZero), -8), 7) * scale
          return sum + (back - value) * (back - value)
        }
      }
      let peak = values.map(\.magnitude).max() ?? 0
      try #require(error(scale) <= error(peak / 7) * 1.0001)
    }
  }
}
