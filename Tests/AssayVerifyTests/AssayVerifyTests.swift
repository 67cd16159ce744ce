import AssayBase
import AssayGraph
import AssayTensor
import AssayTestSupport
import AssayVerify
import Testing

@Suite struct ErrorMetricsTests {
  @Test func knownAnswers() {
    // sum b^2 = 25, sum e^2 = 1: 10 log10(25) = 13.979 dB.
    let metrics = compareTensors(reference: [3, 4], other: [3, 5])
    #expect(abs(metrics.snrDb - 13.9794) < 1e-4)
    #expect(metrics.maxAbs == 1)
    #expect(metrics.relative == 0.25)
    #expect(abs(metrics.cosine - 29 / (5 * 34.0.squareRoot())) < 1e-12)
    #expect(metrics.count == 2)
    #expect(metrics.ratioText == "SNR 14.0 dB")
  }

  @Test func equalArraysHaveNoError() {
    let metrics = compareTensors(reference: [1, .infinity, .nan], other: [1, .infinity, .nan])
    #expect(metrics.snrDb == .infinity)
    #expect(metrics.relative == 0)
    #expect(metrics.nonFinite == 0)
    #expect(metrics.ratioText == "identical")
    #expect(compareTensors(reference: [], other: []).snrDb == .infinity)
  }

  @Test func whatIsNoNumberIsNeverEqual() {
    let metrics = compareTensors(reference: [1, 2], other: [1, .nan])
    #expect(metrics.snrDb == -.infinity)
    #expect(metrics.relative == .infinity)
    #expect(metrics.nonFinite == 1)
    #expect(metrics.ratioText == "1 elements NaN or infinite")
    #expect(!metrics.isIdentical)
    #expect(!Certificate.Tolerance.snrDb(10).accepts(metrics))
    #expect(!Certificate.Tolerance.relative(1).accepts(metrics))
  }

  @Test func errorsBesideAZeroReferenceAreNotAccepted() {
    let metrics = compareTensors(reference: [0, 0], other: [0, 1])
    #expect(metrics.snrDb.isNaN)
    #expect(!Certificate.Tolerance.snrDb(10).accepts(metrics))
    #expect(!Certificate.Tolerance.relative(1).accepts(metrics))
  }

  @Test func sumsOverPartsAreSumsOverTheWhole() {
    forAll(count: 20) { rng in
      let a = rng.tensor([30]).floats()
      let b = rng.tensor([30]).floats()
      var sums = ErrorSums()
      sums.add(reference: Array(a[..<7]), other: Array(b[..<7]))
      sums.add(reference: Array(a[7...]), other: Array(b[7...]))
      let whole = compareTensors(reference: a, other: b)
      try #require(abs(sums.metrics.snrDb - whole.snrDb) < 1e-9)
      try #require(sums.metrics.maxAbs == whole.maxAbs)
    }
  }
}

@Suite struct CertificateTests {
  /// x -> first -> second -> y with a factor in the middle.
  private func network(_ factor: Float, input: String = "x") throws -> Graph {
    var graph = Graph(name: "net")
    let x = graph.addInput(input, TensorType(.float32, [1, 4]))
    let first = try graph.addNode("first", Unary(.tanh), [x])
    let constant = graph.addConstant("factor", Tensor([factor], []))
    let second = try graph.addNode("second", Binary(.multiply), [first[0], constant])
    graph.outputs = try graph.addNode("y", Unary(.square), second)
    return graph
  }

  private let inputs = [["x": Tensor([0.5, -1, 2, 0.25], [1, 4])]]

  @Test func aGraphEqualsItself() throws {
    let graph = try network(2)
    let certificate = try Certificate.compare(original: graph, variant: graph, inputs: inputs)
    #expect(certificate.equal)
    #expect(certificate.tolerance == .relative(1e-4))
    #expect(certificate.firstDivergence == nil)
    #expect(certificate.json["equal"] == true)
    #expect(certificate.json["outputs"]?.array?.first?["snrDb"]?.isNull == true)
  }

  @Test func theFirstOperatorThatDivergesIsNamed() throws {
    let certificate = try Certificate.compare(
      original: try network(2),
      variant: try network(2.5),
      inputs: inputs
    )
    #expect(!certificate.equal)
    #expect(certificate.firstDivergence?.node == "second")
    #expect(certificate.firstDivergence?.op == "Mul")
    #expect(certificate.losses.first?.value == "second")
    let json = certificate.json
    #expect(json["firstDivergence"]?["operator"] == "Mul")
    #expect(json["outputs"]?.array?.first?["name"] == "y")
    #expect(json["tolerance"]?["bound"] == 1e-4)
  }

  /// `docs/schema/certificate-1.json` is what the code writes; products of small numbers have the same
  /// bits everywhere.
  @Test func theExampleOfTheSchemaIsTheCodes() throws {
    func graph(_ factor: Float) throws -> Graph {
      var graph = Graph(name: "example")
      let x = graph.addInput("x", TensorType(.float32, [1, 4]))
      let constant = graph.addConstant("factor", Tensor([factor], []))
      let y = try graph.addNode("product", Binary(.multiply), [x, constant])
      graph.outputs = try graph.addNode("y", Unary(.relu), y)
      return graph
    }
    let probe = Probe(name: "input 1", arrays: ["x": Tensor([1, 2, -4, 0.5], [1, 4])])
    let json = try Certificate.compare(
      original: graph(2),
      variant: graph(2.5),
      probes: [probe]
    ).json
    let text = json.text(pretty: true) + "\n"
    #expect(Golden.mismatch(text, "docs/schema/certificate-1.json") == nil)
    let path = TestData.package + "/docs/schema/certificate-1.schema.json"
    let schema = try JSON(parsing: #require(MappedFile(path: path).view.utf8))
    func check(_ value: JSON?, _ schema: JSON?) throws {
      let names = (schema?["required"]?.array ?? []).compactMap(\.string)
      #expect(!names.isEmpty)
      for name in names { #expect(value?[name] != nil, "\(name)") }
    }
    try check(json, schema)
    try check(json["firstDivergence"], schema["$defs"]?["operator"])
    try check(json["firstDivergence"], schema["$defs"]?["metrics"])
    try check(json["tolerance"], schema["$defs"]?["tolerance"])
    #expect(json["firstDivergence"]?["node"] == "product")
  }

  @Test func inputsOfAnotherNameCorrespondByPosition() throws {
    let certificate = try Certificate.compare(
      original: try network(2),
      variant: try network(2, input: "serving_default_x:0"),
      inputs: inputs
    )
    #expect(certificate.equal)
  }

  @Test func limitsCanBeWidened() throws {
    let certificate = try Certificate.compare(
      original: try network(2),
      variant: try network(2.0005),
      inputs: inputs,
      limits: .init(relative: 1e-2)
    )
    #expect(certificate.equal)
  }

  @Test func quantizedVariantsAreJudgedByTheirRatio() throws {
    let graph = try network(2)
    var variant = Graph(name: "net")
    let x = variant.addInput("x", TensorType(.float32, [1, 4]))
    let scale = Quantization(scale: 4 / 255, zeroPoint: -128)
    var last = try variant.addNode("first", Unary(.tanh), [x])[0]
    let constant = variant.addConstant("factor", Tensor([2.0 as Float], []))
    last = try variant.addNode("second", Binary(.multiply), [last, constant])[0]
    last = try variant.addNode("square", Unary(.square), [last])[0]
    last = try variant.addNode("y", Quantize(.int8, scale), [last])[0]
    variant.outputs = [last]
    let certificate = try Certificate.compare(original: graph, variant: variant, inputs: inputs)
    #expect(certificate.tolerance == .snrDb(10))
    #expect(certificate.equal)
    #expect(certificate.outputs[0].metrics.snrDb > 30)
    #expect(certificate.outputs[0].metrics.maxAbs > 0)
    let strict = try Certificate.compare(
      original: graph,
      variant: variant,
      inputs: inputs,
      limits: .init(snrDb: 200)
    )
    #expect(!strict.equal)
    #expect(strict.firstDivergence?.node == "y")
  }

  private func judge(_ reference: [Float], _ other: Tensor) throws -> Certificate {
    try Certificate.compare(
      original: [[("y", Tensor(reference, [reference.count]))]],
      variant: [[("y", other)]],
      tolerance: .snrDb(-100)
    )
  }

  @Test func aConstantOutputIsAnAlarm() throws {
    let certificate = try judge([1, 2, 3], Tensor([2.0, 2, 2], [3]))
    #expect(certificate.outputs[0].alarms == [.constant(2)])
    #expect(!certificate.equal)
    #expect(try judge([2, 2, 2], Tensor([2.0, 2, 2], [3])).equal)
  }

  @Test func clippingIsAnAlarm() throws {
    let scale = Quantization(scale: 0.01, zeroPoint: 0)
    let clipped = Tensor([127, 5, 3] as [Int8], [3], dtype: .int8, quantization: scale)
    let certificate = try judge([9, 0.05, 0.03], clipped)
    #expect(certificate.outputs[0].alarms == [.saturated(1.0 / 3)])
    let atTheEnd = try judge([1.27, 0.05, 0.03], clipped)
    #expect(atTheEnd.outputs[0].alarms.isEmpty)
  }

  @Test func whatIsNoNumberIsAnAlarm() throws {
    let certificate = try judge([1, 2], Tensor([1, .nan] as [Float], [2]))
    #expect(certificate.outputs[0].alarms == [.notFinite(1)])
    #expect(!certificate.equal)
  }

  @Test func outputsThatDoNotCorrespondAreRefused() throws {
    let fault = #expect(throws: Diagnostic.self) { try judge([1, 2], Tensor([1.0], [1])) }
    #expect(fault?.code == "VFY002")
  }
}
