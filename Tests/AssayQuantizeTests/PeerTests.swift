import AssayBase
import AssayEvaluator
import AssayFormat
import AssayGraph
import AssayQuantize
import AssayReference
import AssayRewrite
import AssayTensor
import AssayTestSupport
import FormatKeras
import Testing

/// The digits network against what TensorFlow's converter makes of it
/// (Tests/Goldens/make_quantize_goldens.py).
@Suite struct PeerTests {
  static func digits() throws -> Graph {
    let path = TestData.package + "/Examples/digits/model.keras"
    let report = try KerasFormat().importGraph(
      MappedFile(path: path).view,
      options: ImportOptions(path: path)
    )
    return try canonicalized(report.graph)
  }

  /// The samples that the fixture was made with.
  static func sample(_ n: Int, _ shape: Shape) -> Tensor {
    Tensor(
      (0..<shape.count).map { i in Float((i * 7 + n * 31 + i * i % 17 * 13) % 256) / 255 },
      shape
    )
  }

  static func parameters(_ json: JSON) throws -> Quantization {
    let scales = try #require(json["scales"]?.array).map { Float($0.double ?? .nan) }
    let zero = Int32(try #require(json["zeroPoint"]?.int))
    if let axis = json["axis"]?.int { return Quantization(scales: scales, axis: axis) }
    return Quantization(scale: scales[0], zeroPoint: zero)
  }

  static func agree(_ a: Quantization?, _ b: Quantization) -> Bool {
    guard let a, a.axis == b.axis, a.zeroPoints == b.zeroPoints, a.scales.count == b.scales.count
    else { return false }
    return zip(a.scales, b.scales).allSatisfy { abs($0 - $1) <= 1e-4 * $1 }
  }

  @Test func scalesAndSignalToNoiseAreThoseOfTensorFlow() throws {
    let path = TestData.package + "/Tests/Fixtures/Quantize/digits_static_int8.json"
    let golden = try JSON(parsing: try #require(MappedFile(path: path).view.utf8))
    let graph = try Self.digits()
    let input = graph[graph.inputs[0]]
    let calibrator = try Calibrator(graph, threads: 2)
    for n in 0..<32 { try calibrator.observe([input.name: Self.sample(n, input.type.shape)]) }
    let (variant, diagnostics) = try Quantizer().apply(
      .staticInt8,
      to: graph,
      calibration: calibrator.calibration
    )
    #expect(diagnostics.isEmpty)
    let wantInput = try Self.parameters(try #require(golden["input"]))
    #expect(Self.agree(variant[variant.inputs[0]].type.quantization, wantInput))
    let values = variant.nodes.map { variant[$0.outputs[0]] }
    let wanted = try #require(golden["values"]?.array).map(Self.parameters)
    #expect(values.count == wanted.count, "\(variant.dump())")
    for (value, want) in zip(values, wanted) {
      #expect(Self.agree(value.type.quantization, want), "\(value.name): \(want)")
    }
    let filters = variant.nodes.filter { $0.inputs.count == 3 }.compactMap { $0.inputs[1] }
    let wantedFilters = try #require(golden["filters"]?.array).map(Self.parameters)
    #expect(filters.count == wantedFilters.count)
    for (id, want) in zip(filters, wantedFilters) {
      #expect(Self.agree(variant[id].type.quantization, want), "\(variant[id].name)")
    }
    var (got, want, fast): ([Float], [Float], [Float]) = ([], [], [])
    let original = try Evaluator(graph)
    let predicted = try Evaluator(variant)
    for n in 100..<132 {
      let inputs = [input.name: Self.sample(n, input.type.shape)]
      want += try original.run(inputs)[0].tensor.floats()
      got += try ReferenceEvaluator(variant).run(inputs)[0].tensor.floats()
      fast += try predicted.run(inputs)[0].tensor.floats()
    }
    let peer = try #require(golden["sqnr"]?.double)
    #expect(sqnr(got, want) > peer - 0.5)
    #expect(sqnr(fast, want) > peer - 1)
  }

  /// Every scale and zero point of trained networks of the shared test data.
  ///
  /// The two sides may have their operators in another order. Before the sums of resnet8, TensorFlow
  /// carries a bias to another operator, so three operands have other values there.
  @Test(
    .enabled(if: TestData.shared != nil, "the shared test data is absent"),
    arguments: [
      ("vww_96", "mlperf_tiny/vww_96.h5", 0), ("ad01", "mlperf_tiny/ad01.h5", 0),
      ("edge_converter", "tensor_edge_converter/model.h5", 0),
      ("resnet8_cifar10", "mlperf_tiny/resnet8_cifar10.h5", 3),
    ]
  )
  func trainedNetworksGetTensorFlowsScales(name: String, file: String, differing: Int) throws {
    guard let model = TestData.sharedFile("models/" + file) else { return }
    let path = TestData.package + "/Tests/Fixtures/Quantize/\(name)_static_int8.json"
    let golden = try JSON(parsing: try #require(MappedFile(path: path).view.utf8))
    let report = try KerasFormat().importGraph(
      MappedFile(path: model).view,
      options: ImportOptions(path: model)
    )
    let graph = try canonicalized(report.graph)
    let input = graph[graph.inputs[0]]
    let calibrator = try Calibrator(graph, threads: 2)
    for n in 0..<32 { try calibrator.observe([input.name: Self.sample(n, input.type.shape)]) }
    let (variant, diagnostics) = try Quantizer().apply(
      .staticInt8,
      to: graph,
      calibration: calibrator.calibration
    )
    #expect(!diagnostics.contains { $0.severity == .warning })
    var got = variant.nodes.compactMap { variant[$0.outputs[0]].type.quantization }
    let want = try #require(golden["values"]?.array).map(Self.parameters)
    var unmatched = 0
    for want in want {
      if let index = got.firstIndex(where: { Self.agree($0, want) }) {
        got.remove(at: index)
      } else {
        unmatched += 1
      }
    }
    #expect(unmatched == differing)
    let (original, predicted) = (try Evaluator(graph), try Evaluator(variant))
    var (reals, integers): ([Float], [Float]) = ([], [])
    for n in 100..<104 {
      let inputs = [input.name: Self.sample(n, input.type.shape)]
      reals += try original.run(inputs)[0].tensor.floats()
      integers += try predicted.run(inputs)[0].tensor.floats()
    }
    #expect(sqnr(integers, reals) > (try #require(golden["sqnr"]?.double)) - 1)
  }

  @Test func theOtherRecipesStayNear() throws {
    let graph = try Self.digits()
    let input = graph[graph.inputs[0]]
    let original = try Evaluator(graph)
    for (recipe, least) in [(Recipe.float32, 150.0), (.float16, 40), (.dynamicInt8, 20)] {
      let (variant, _) = try Quantizer().apply(recipe, to: graph)
      let evaluator = try Evaluator(variant)
      for n in 100..<104 {
        let inputs = [input.name: Self.sample(n, input.type.shape)]
        let want = try original.run(inputs)[0].tensor.floats()
        let ratio = sqnr(try evaluator.run(inputs)[0].tensor.floats(), want)
        #expect(ratio > least, "\(recipe.name), sample \(n)")
      }
    }
  }
}
