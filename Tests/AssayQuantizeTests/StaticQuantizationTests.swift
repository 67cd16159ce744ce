import AssayBase
import AssayEvaluator
import AssayGraph
import AssayQuantize
import AssayReference
import AssayTensor
import AssayTestSupport
import Testing

#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#else
import Darwin
#endif

/// 10 log10(sum want^2 / sum (got - want)^2).
func sqnr(_ got: [Float], _ want: [Float]) -> Double {
  let signal = want.reduce(0) { $0 + Double($1) * Double($1) }
  let noise = zip(got, want).reduce(0) {
    $0 + (Double($1.0) - Double($1.1)) * (Double($1.0) - Double($1.1))
  }
  return noise == 0 ? .infinity : 10 * log10(signal / noise)
}

/// A small network with every kind of rule: filters, residual sum, concatenation, pooling, fixed scales.
func smallNetwork(_ rng: inout SeededRNG) throws -> Graph {
  var graph = Graph(name: "small")
  let image = graph.addInput("image", TensorType(.float32, [1, 12, 12, 3]))
  let w1 = graph.addConstant("w1", rng.tensor([8, 3, 3, 3], scale: 0.3))
  let b1 = graph.addConstant("b1", rng.tensor([8], scale: 0.2))
  let a = try graph.addNode("conv", Conv2D(padding: .same, activation: .relu6), [image, w1, b1])[0]
  let w2 = graph.addConstant("w2", rng.tensor([1, 3, 3, 8], scale: 0.4))
  let b2 = graph.addConstant("b2", rng.tensor([8], scale: 0.2))
  let d = try graph.addNode("depthwise", DepthwiseConv2D(padding: .same), [a, w2, b2])[0]
  let s = try graph.addNode("sum", Binary(.add, activation: .relu), [a, d])[0]
  let gate = try graph.addNode("gate", Unary(.sigmoid), [d])[0]
  let scaled = try graph.addNode("scaled", Binary(.multiply), [s, gate])[0]
  let joined = try graph.addNode("joined", Concat(axis: 3), [scaled, gate, s])[0]
  let pooled = try graph.addNode(
    "pooled",
    Pool2D(.max, window: Size2D(2, 2), strides: Size2D(2, 2)),
    [joined]
  )[0]
  let padded = try graph.addNode(
    "padded",
    Pad(before: [0, 1, 1, 0], after: [0, 1, 1, 0]),
    [pooled]
  )[0]
  let mean = try graph.addNode("mean", Reduce(.mean, axes: [1, 2], keepsAxes: false), [padded])[0]
  let w3 = graph.addConstant("w3", rng.tensor([10, 24], scale: 0.4))
  let b3 = graph.addConstant("b3", rng.tensor([10], scale: 0.2))
  let logits = try graph.addNode("logits", FullyConnected(), [mean, w3, b3])[0]
  let half = graph.addConstant("half", Tensor([0.5] as [Float], [1]))
  let cooled = try graph.addNode("cooled", Binary(.multiply), [logits, half])[0]
  graph.outputs = [try graph.addNode("probabilities", Softmax(), [cooled])[0], logits]
  graph.outputNames[logits] = "scores"
  return graph
}

func calibrated(_ graph: Graph, _ samples: [[String: Tensor]]) throws -> Calibration {
  let calibrator = try Calibrator(graph)
  for sample in samples { try calibrator.observe(sample) }
  return calibrator.calibration
}

@Suite struct StaticQuantizationTests {
  static func made(
    _ recipe: Recipe
  ) throws -> (original: Graph, variant: Graph, samples: [[String: Tensor]]) {
    var rng = SeededRNG(seed: 11)
    let graph = try smallNetwork(&rng)
    let samples = (0..<8).map { _ in ["image": rng.tensor([1, 12, 12, 3])] }
    let (variant, diagnostics) = try Quantizer().apply(
      recipe,
      to: graph,
      calibration: try calibrated(graph, samples)
    )
    #expect(diagnostics.isEmpty)
    #expect(variant.validate().isEmpty, "\(variant.validate())")
    return (graph, variant, samples)
  }

  @Test(arguments: [
    (Recipe.staticInt8, DType.int8), (.staticInt8FloatIO, .float32), (.staticInt8UInt8IO, .uint8),
  ])
  func theBoundaryHasItsTypeAndItsNames(recipe: Recipe, dtype: DType) throws {
    let (original, variant, samples) = try Self.made(recipe)
    #expect(variant.inputs.map { variant[$0].name } == ["image"])
    #expect(variant.outputs.map { variant.outputName($0) } == ["probabilities", "scores"])
    for id in variant.inputs + variant.outputs { #expect(variant[id].type.dtype == dtype) }
    let conversions = variant.nodes.filter { $0.op is Quantize || $0.op is Dequantize }
    // Those of the boundary, and the one that brings the gate to the scale of what it is joined with.
    #expect(conversions.count == (recipe == .staticInt8 ? 1 : 4))
    #expect(variant.nodes.count == original.nodes.count + conversions.count)
    for sample in samples {
      let want = try ReferenceEvaluator(original).run(sample)
      let got = try ReferenceEvaluator(variant).run(sample)
      #expect(sqnr(got[0].tensor.floats(), want[0].tensor.floats()) > 25)
      #expect(sqnr(got[1].tensor.floats(), want[1].tensor.floats()) > 25)
      // The fast evaluator predicts the integers: a node may round to a neighbour, which the few
      // nodes after it spread.
      let fast = try Evaluator(variant).run(sample)
      for (fast, got) in zip(fast, got) {
        #expect(fast.tensor.type == got.tensor.type && fast.name == got.name)
        let step = got.tensor.quantization?.scale ?? 1 / 64
        #expect(largestDifference(fast.tensor.floats(), got.tensor.floats()).absolute <= 3 * step)
      }
    }
  }

  @Test func scalesFollowTheSpecification() throws {
    let (_, variant, _) = try Self.made(.staticInt8)
    func type(_ name: String) throws -> TensorType {
      try #require(variant.values.first { $0.name == name }).type
    }
    #expect(try type("gate").quantization == Quantization(scale: 1 / 256, zeroPoint: -128))
    #expect(try type("probabilities").quantization == Quantization(scale: 1 / 256, zeroPoint: -128))
    #expect(try type("pooled").quantization == type("joined").quantization)
    #expect(try type("padded").quantization == type("joined").quantization)
    #expect(try type("scaled").quantization == type("joined").quantization)
    #expect(try type("conv").quantization?.zeroPoint == -128)
    for node in variant.nodes where node.inputs.count == 3 && !(node.op is Concat) {
      guard let filter = node.inputs.dropFirst().first ?? nil,
        let bias = node.inputs.dropFirst(2).first ?? nil
      else { continue }
      let input = try #require(node.inputs[0])
      let scale = try #require(variant[input].type.quantization?.scale)
      let weights = try #require(variant[filter].type.quantization)
      #expect(weights.axis == (node.op is DepthwiseConv2D ? 3 : 0))
      #expect(variant[bias].type.dtype == .int32)
      #expect(variant[bias].type.quantization?.scales == weights.scales.map { $0 * scale })
    }
    // Every node that moves integers has one scale on both sides.
    for node in variant.nodes where node.op is Concat || node.op is Pool2D || node.op is Pad {
      let output = variant[node.outputs[0]].type.quantization
      for case let input? in node.inputs { #expect(variant[input].type.quantization == output) }
    }
  }

  @Test func anOperatorWithoutAnIntegerKernelStaysInFloats() throws {
    var rng = SeededRNG(seed: 4)
    var graph = Graph(name: "mixed")
    let x = graph.addInput("x", TensorType(.float32, [1, 6]))
    let w = graph.addConstant("w", rng.tensor([6, 6]))
    let a = try graph.addNode("a", FullyConnected(), [x, w])[0]
    let b = try graph.addNode("b", Unary(.sin), [a])[0]
    let c = try graph.addNode("c", Reshape([1, 2, 3]), [b])[0]
    let d = try graph.addNode("d", Unary(.cos), [c])[0]
    graph.outputs = try graph.addNode("e", Binary(.add), [d, c])
    let samples = (0..<8).map { _ in ["x": rng.tensor([1, 6])] }
    let (variant, warnings) = try Quantizer().apply(
      .staticInt8,
      to: graph,
      calibration: calibrated(graph, samples)
    )
    #expect(variant.validate().isEmpty)
    #expect(warnings.map(\.code) == ["QNT010", "QNT010"])
    #expect(warnings.allSatisfy { $0.severity == .warning })
    #expect(warnings.map(\.location) == [["node 'b'"], ["node 'd'"]])
    let names = variant.nodes.map(\.op.name)
    #expect(
      names == [
        "FullyConnected", "Dequantize", "Sin", "Reshape", "Cos", "Quantize", "Quantize", "Add",
      ]
    )
    let want = try ReferenceEvaluator(graph).run(samples[0])[0].tensor.floats()
    let got = try ReferenceEvaluator(variant).run(samples[0])[0].tensor.floats()
    #expect(sqnr(got, want) > 25)
  }

  @Test func outputsThatAreMadeInFloatsOrAreInputsLeaveInTheBoundarysType() throws {
    var rng = SeededRNG(seed: 4)
    var graph = Graph(name: "edges")
    let x = graph.addInput("x", TensorType(.float32, [1, 6]))
    let i = graph.addInput("i", TensorType(.int32, [2]))
    let y = try graph.addNode("y", Unary(.sin), [x])[0]
    let z = try graph.addNode("z", Gather(axis: 1), [x, i])[0]
    let isLarge = try graph.addNode("isLarge", Binary(.greater), [x, y])[0]
    graph.outputs = [y, x, z, isLarge]
    graph.outputNames[x] = "same"
    let sample = ["x": rng.tensor([1, 6]), "i": Tensor([5, 0] as [Int32], [2])]
    let calibration = try calibrated(graph, [sample])
    let want = try ReferenceEvaluator(graph).run(sample)
    for (recipe, dtype) in [
      (Recipe.staticInt8, DType.int8), (.staticInt8FloatIO, .float32), (.staticInt8UInt8IO, .uint8),
    ] {
      let (variant, _) = try Quantizer().apply(recipe, to: graph, calibration: calibration)
      #expect(variant.validate().isEmpty)
      #expect(variant.outputs.map { variant.outputName($0) } == ["y", "same", "z", "isLarge"])
      #expect(variant.outputs.map { variant[$0].type.dtype } == [dtype, dtype, dtype, .bool])
      #expect(variant[variant.inputs[1]].type == TensorType(.int32, [2]))
      let got = try ReferenceEvaluator(variant).run(sample)
      for (got, want) in zip(got, want).prefix(3) {
        #expect(sqnr(got.tensor.floats(), want.tensor.floats()) > 30)
      }
    }
  }

  @Test func randomNetworksBecomeValidInteger() {
    forAll(count: 60) { rng in
      var graph = Graph(name: "random")
      let shape: Shape = [1, 4, 4, 6]
      var known = [graph.addInput("x", TensorType(.float32, shape))]
      for index in 0..<rng.int(2...12) {
        let x = rng.pick(known)
        let (op, inputs): (any Operator, [ValueID?])
        switch rng.int(0...8) {
        case 0, 1:
          let filter = graph.addConstant("w\(index)", rng.tensor([6, 3, 3, 6], scale: 0.2))
          (op, inputs) = (
            Conv2D(padding: .same, activation: rng.pick([.none, .relu])), [x, filter]
          )
        case 2: (op, inputs) = (Binary(.add), [x, rng.pick(known)])
        case 3: (op, inputs) = (Binary(rng.pick([.maximum, .minimum])), [x, rng.pick(known)])
        case 4: (op, inputs) = (Unary(rng.pick([.tanh, .sigmoid, .sin, .hardSwish])), [x])
        case 5:
          (op, inputs) = (
            Pool2D(.average, window: Size2D(3, 3), strides: .one, padding: .same), [x]
          )
        case 6: (op, inputs) = (Transpose([0, 2, 1, 3]), [x])
        case 7:
          let joined = try graph.addNode("j\(index)", Concat(axis: 3), [x, rng.pick(known)])
          (op, inputs) = (Slice(begin: [0, 0, 0, 3], sizes: [1, 4, 4, 6]), joined)
        default:
          let constant = graph.addConstant("c\(index)", rng.tensor([6]))
          (op, inputs) = (Binary(.multiply), [x, constant])
        }
        known += try graph.addNode("n\(index)", op, inputs)
      }
      graph.outputs = [known[known.count - 1]]
      let samples = (0..<4).map { _ in ["x": rng.tensor(shape)] }
      let (variant, _) = try Quantizer().apply(
        rng.pick([.staticInt8, .staticInt8FloatIO, .staticInt8UInt8IO]),
        to: graph,
        calibration: calibrated(graph, samples)
      )
      try #require(variant.validate().isEmpty, "\(variant.validate())\n\(variant.dump())")
      try #require(Set(variant.values.map(\.name)).count == variant.values.count)
      try #require(Set(variant.nodes.map(\.name)).count == variant.nodes.count)
      let want = try ReferenceEvaluator(graph).run(samples[0])[0].tensor.floats()
      let got = try ReferenceEvaluator(variant).run(samples[0])[0].tensor.floats()
      let ratio = sqnr(got, want)
      try #require(ratio > 12, "\(ratio) dB\n\(variant.dump())")
      let predicted = sqnr(try Evaluator(variant).run(samples[0])[0].tensor.floats(), want)
      try #require(abs(predicted - ratio) < 3, "\(predicted) for \(ratio) dB\n\(variant.dump())")
    }
  }

  @Test func aTableOfConstantsTakesTheScaleOfWhatIsReadFromIt() throws {
    var rng = SeededRNG(seed: 4)
    var graph = Graph(name: "embedding")
    let i = graph.addInput("i", TensorType(.int32, [1, 3]))
    let table = graph.addConstant("table", rng.tensor([10, 4]))
    let rows = try graph.addNode("rows", Gather(axis: 0), [table, i])
    graph.outputs = try graph.addNode("mean", Reduce(.mean, axes: [1], keepsAxes: false), rows)
    let sample = ["i": Tensor([1, 7, 7] as [Int32], [1, 3])]
    let (variant, warnings) = try Quantizer().apply(
      .staticInt8FloatIO,
      to: graph,
      calibration: calibrated(graph, [sample])
    )
    #expect(warnings.isEmpty && variant.validate().isEmpty)
    #expect(variant.nodes.map(\.op.name) == ["Gather", "Mean", "Dequantize"])
    let values = Dictionary(uniqueKeysWithValues: variant.values.map { ($0.name, $0.type) })
    #expect(values["table"]?.dtype == .int8)
    #expect(values["table"]?.quantization == values["rows"]?.quantization)
    let want = try ReferenceEvaluator(graph).run(sample)[0].tensor.floats()
    let got = try ReferenceEvaluator(variant).run(sample)[0].tensor.floats()
    #expect(sqnr(got, want) > 25)
  }

  @Test func faultsAreDiagnostics() throws {
    var rng = SeededRNG(seed: 4)
    let graph = try smallNetwork(&rng)
    func code(_ graph: Graph, _ calibration: Calibration?) -> String? {
      do {
        _ = try Quantizer().apply(.staticInt8, to: graph, calibration: calibration)
      } catch let fault as Diagnostic { return fault.code } catch {}
      return nil
    }
    #expect(code(graph, nil) == "QNT008")
    var calibration = try calibrated(graph, [["image": rng.tensor([1, 12, 12, 3])]])
    var partial = calibration
    partial.ranges["sum"] = nil
    // "sum" is joined with others whose range is known; "logits" stands alone.
    partial.ranges["logits"] = nil
    #expect(code(graph, partial) == "QNT004")
    calibration.ranges["mean"]?.faults = 3
    #expect(code(graph, calibration) == "QNT005")
    let (variant, _) = try Quantizer().apply(
      .staticInt8,
      to: graph,
      calibration: calibrated(graph, [["image": rng.tensor([1, 12, 12, 3])]])
    )
    #expect(code(variant, partial) == "QNT007")
  }
}

@Suite struct CalibrationTests {
  @Test func partsMergeToTheWhole() throws {
    var rng = SeededRNG(seed: 9)
    let graph = try smallNetwork(&rng)
    let samples = (0..<6).map { _ in ["image": rng.tensor([1, 12, 12, 3])] }
    let whole = try calibrated(graph, samples)
    var parts = try calibrated(graph, Array(samples[..<2]))
    parts.merge(try calibrated(graph, Array(samples[2...])))
    #expect(parts == whole && whole.sampleCount == 6)
    let floats = samples.flatMap { $0["image"]?.floats() ?? [] }
    #expect(whole.ranges["image"] == Calibration.Range(floats.min() ?? 0, floats.max() ?? 0))
    // Six samples in one array are six samples.
    let joined = Tensor(floats, [6, 12, 12, 3])
    #expect(try calibrated(graph, [["image": joined]]) == whole)
  }

  @Test func samplesThatAreNotFiniteAreNamed() throws {
    var rng = SeededRNG(seed: 9)
    let calibrator = try Calibrator(smallNetwork(&rng))
    try calibrator.observe(["image": rng.tensor([1, 12, 12, 3])])
    var values = [Float](repeating: 0, count: 432)
    values[5] = .nan
    let fault = #expect(throws: Diagnostic.self) {
      try calibrator.observe(["image": Tensor(values, [1, 12, 12, 3])])
    }
    #expect(fault?.code == "QNT003")
    #expect(fault?.location == ["representative sample 2", "input 'image'"])
  }
}

@Suite struct WeightRecipeTests {
  @Test func halfPrecisionPutsADequantizeBehindEachConstant() throws {
    var rng = SeededRNG(seed: 2)
    let graph = try smallNetwork(&rng)
    let (variant, diagnostics) = try Quantizer().apply(.float16, to: graph)
    #expect(diagnostics.isEmpty && variant.validate().isEmpty)
    let halves = variant.nodes.filter { $0.op is Dequantize }
    #expect(
      Set(halves.map(\.name))
        == Set(["w1", "b1", "w2", "b2", "w3", "b3"].map { $0 + "/dequantize" })
    )
    for node in halves { #expect(variant[node.inputs[0]!].type.dtype == .float16) }
    let sample = ["image": rng.tensor([1, 12, 12, 3])]
    let want = try ReferenceEvaluator(graph).run(sample)
    for got in [try ReferenceEvaluator(variant).run(sample), try Evaluator(variant).run(sample)] {
      for (got, want) in zip(got, want) {
        #expect(got.name == want.name)
        #expect(sqnr(got.tensor.floats(), want.tensor.floats()) > 55)
      }
    }
  }

  @Test func numbersBeyondHalfPrecisionStay() throws {
    var graph = Graph(name: "large")
    let x = graph.addInput("x", TensorType(.float32, [2]))
    let large = graph.addConstant("large", Tensor([1e6, 1] as [Float], [2]))
    graph.outputs = try graph.addNode("y", Binary(.add), [x, large])
    let (variant, diagnostics) = try Quantizer().apply(.float16, to: graph)
    #expect(diagnostics.map(\.code) == ["QNT012"])
    #expect(variant.nodes.count == 1)
  }

  @Test func largeWeightsBecomeSmallAndValuesStay() throws {
    var rng = SeededRNG(seed: 2)
    let graph = try smallNetwork(&rng)
    var recipe = Recipe.dynamicInt8
    recipe.minimumWeightElements = 200
    let (variant, _) = try Quantizer().apply(recipe, to: graph)
    #expect(variant.validate().isEmpty)
    let small = variant.values.filter { $0.type.dtype == .int8 }
    #expect(small.map(\.name) == ["w1", "w3"])
    #expect(small.allSatisfy { $0.type.quantization?.axis == 0 && $0.constant != nil })
    #expect(variant.nodes.map(\.name) == graph.nodes.map(\.name))
    let sample = ["image": rng.tensor([1, 12, 12, 3])]
    let want = try ReferenceEvaluator(graph).run(sample)
    let got = try Evaluator(variant).run(sample)
    for (got, want) in zip(got, want) {
      #expect(sqnr(got.tensor.floats(), want.tensor.floats()) > 35)
    }
    let (same, _) = try Quantizer().apply(.dynamicInt8, to: graph)
    #expect(same.values.allSatisfy { $0.type.dtype == .float32 })
  }
}
