import AssayBase
import AssayCodec
import AssayFormat
import AssayGraph
import AssayHost
import AssayReference
import AssayTensor
import AssayTestSupport
import Testing

@testable import FormatONNX

/// Graphs inside of graphs, functions, values given beforehand, and files beside the model.
@Suite struct StructureTests {
  private func node(
    _ opType: String,
    _ inputs: [String],
    _ outputs: [String],
    _ attributes: [ONNXAttribute] = [],
    domain: String = ""
  ) -> ONNXNode {
    ONNXNode(
      name: outputs[0],
      opType: opType,
      domain: domain,
      inputs: inputs,
      outputs: outputs,
      attributes: attributes
    )
  }

  private func value(
    _ name: String,
    _ type: DType = .float32,
    _ dims: [Int64]? = nil
  )
    -> ONNXValueInfo
  {
    ONNXValueInfo(name: name, elementType: type.onnx, shape: dims.map { $0.map { .fixed($0) } })
  }

  private func body(_ inputs: [String], _ outputs: [String], _ nodes: [ONNXNode]) -> ONNXGraph {
    var graph = ONNXGraph()
    graph.inputs = inputs.map { value($0) }
    graph.outputs = outputs.map { value($0) }
    graph.nodes = nodes
    return graph
  }

  private func graph(_ name: String, _ graph: ONNXGraph) -> ONNXAttribute {
    ONNXAttribute(name: name, payload: .graph(graph))
  }

  private func model(_ nodes: [ONNXNode], constants: [(String, Tensor)] = []) -> ONNXModel {
    var model = ONNXModel()
    model.irVersion = 8
    model.opsets = [("", 17), ("local", 1)]
    model.graph.name = "g"
    model.graph.nodes = nodes
    model.graph.inputs = [value("x", .float32, [2, 3])]
    model.graph.outputs = [value("y")]
    model.graph.initializers = constants.map { ONNXTensor(name: $0.0, $0.1) }
    return model
  }

  private func outcome(_ model: ONNXModel, _ options: ImportOptions = .init()) throws -> [Float] {
    let graph = try GraphImporter.graph(of: model, options: options).graph
    #expect(graph.validate().isEmpty)
    let x = Tensor([Float(1), -2, 3, -4, 5, -6], [2, 3])
    let inputs = graph.inputs.isEmpty ? [:] : ["x": x]
    return try ReferenceEvaluator(graph).run(inputs)[0].tensor.floats()
  }

  private func code(_ model: ONNXModel) -> String? {
    do {
      _ = try GraphImporter.graph(of: model, options: .init())
      return nil
    } catch let fault as Diagnostic {
      return fault.code
    } catch { return (error as? Diagnostics)?.all.first?.code ?? "\(error)" }
  }

  private func truth(_ value: Bool) -> Tensor { Tensor([UInt8(value ? 1 : 0)], [], dtype: .bool) }
  private func count(_ value: Int64) -> Tensor { Tensor([value], [], dtype: .int64) }

  @Test func aConstantConditionChoosesABranch() throws {
    let branches = [
      graph("then_branch", body([], ["r"], [node("Neg", ["x"], ["r"])])),
      graph("else_branch", body([], ["r"], [node("Abs", ["x"], ["r"])])),
    ]
    let choice = node("If", ["c"], ["y"], branches)
    #expect(try outcome(model([choice], constants: [("c", truth(true))])) == [-1, 2, -3, 4, -5, 6])
    #expect(try outcome(model([choice], constants: [("c", truth(false))])) == [1, 2, 3, 4, 5, 6])
    // A condition that the network computes is named, with the input that it depends on.
    let sum = node("ReduceSum", ["x"], ["s"], [.int("keepdims", 0)])
    let test = node("Greater", ["s", "zero"], ["c"])
    let open = model([sum, test, choice], constants: [("zero", Tensor([Float(0)], []))])
    #expect(code(open) == "ONX030")
    var options = ImportOptions()
    options.values["x"] = Tensor([Float(1), -2, 3, -4, 5, -6], [2, 3])
    #expect(try outcome(open, options) == [1, 2, 3, 4, 5, 6])
  }

  @Test func loopsOfKnownLengthAreUnrolled() throws {
    let step = body(
      ["i", "on", "a"],
      ["on_out", "b", "b"],
      [node("Identity", ["on"], ["on_out"]), node("Add", ["a", "x"], ["b"])]
    )
    var loop = node("Loop", ["n", "", "x"], ["z", "all"], [graph("body", step)])
    var network = model([loop, node("Neg", ["z"], ["y"])], constants: [("n", count(3))])
    #expect(try outcome(network) == [-4, 8, -12, 16, -20, 24])
    network.graph.outputs = [value("all")]
    #expect(try outcome(network).count == 18)
    // A condition that turns false ends it.
    var ending = step
    ending.nodes[0] = node("Less", ["i", "two"], ["on_out"])
    loop.attributes = [graph("body", ending)]
    network = model(
      [loop, node("Neg", ["z"], ["y"])],
      constants: [("n", count(.max)), ("two", count(2))]
    )
    #expect(code(network) == "ONX022")
    network.graph.initializers[0] = ONNXTensor(name: "n", count(100))
    #expect(try outcome(network) == [-4, 8, -12, 16, -20, 24])
  }

  @Test func hostileTripCountsEndSoon() {
    var inner = body(
      ["i", "on", "a"],
      ["on", "b"],
      [node("Neg", ["a"], ["b"])]
    )
    // Loops in loops: each is within its budget, together they are not.
    for _ in 0..<3 {
      inner = body(
        ["i", "on", "a"],
        ["on", "b"],
        [node("Loop", ["n", "", "a"], ["b"], [graph("body", inner)])]
      )
    }
    let loop = node("Loop", ["n", "", "x"], ["y"], [graph("body", inner)])
    #expect(code(model([loop], constants: [("n", count(4000))])) == "ONX024")
    #expect(code(model([loop], constants: [("n", count(.max))])) == "ONX022")
    let endless = node("Loop", ["", "", "x"], ["y"], [graph("body", inner)])
    #expect(code(model([endless], constants: [("n", count(1))])) == "ONX022")
  }

  @Test func graphsDeepInOneAnotherAreRefused() {
    var inner = body([], ["r"], [node("Neg", ["x"], ["r"])])
    for _ in 0..<40 {
      inner = body(
        [],
        ["r"],
        [
          node(
            "If",
            ["c"],
            ["r"],
            [graph("then_branch", inner), graph("else_branch", body([], ["x"], []))]
          )
        ]
      )
    }
    let choice = node("If", ["c"], ["y"], [graph("then_branch", inner)])
    #expect(code(model([choice], constants: [("c", truth(true))])) == "ONX023")
  }

  @Test func scansWalkSequences() throws {
    let step = body(
      ["s", "e"],
      ["t", "o"],
      [node("Add", ["s", "e"], ["t"]), node("Neg", ["t"], ["o"])]
    )
    let scan = node(
      "Scan",
      ["start", "x"],
      ["last", "y"],
      [graph("body", step), .int("num_scan_inputs", 1)]
    )
    let zeros = Tensor([Float(0), 0, 0], [3])
    #expect(try outcome(model([scan], constants: [("start", zeros)])) == [-1, 2, -3, 3, -3, 3])
  }

  @Test func functionsAreReadInPlace() throws {
    var function = ONNXFunction()
    function.name = "Scaled"
    function.domain = "local"
    function.inputs = ["a"]
    function.outputs = ["b"]
    function.opsets = [("", 17)]
    function.defaults = [.float("slope", 0.5)]
    let slope = ONNXAttribute(name: "alpha", payload: .reference("slope"))
    function.nodes = [node("LeakyRelu", ["a"], ["b"], [slope])]
    var network = model([node("Scaled", ["x"], ["y"], domain: "local")])
    network.functions = [function]
    #expect(try outcome(network) == [1, -1, 3, -2, 5, -3])
    network.graph.nodes[0].attributes = [.float("slope", 0.25)]
    #expect(try outcome(network) == [1, -0.5, 3, -1, 5, -1.5])
    // One that calls itself, directly or through another, never ends.
    network.functions[0].nodes = [node("Scaled", ["a"], ["b"], domain: "local")]
    #expect(code(network) == "ONX023")
    function.name = "Other"
    function.nodes = [node("Scaled", ["a"], ["b"], domain: "local")]
    network.functions[0].nodes[0].opType = "Other"
    network.functions.append(function)
    #expect(code(network) == "ONX023")
  }

  @Test func sparseConstantsAreFilled() throws {
    var sparse = ONNXSparseTensor()
    sparse.values = ONNXTensor(name: "k", Tensor([Float(10), 20], [2]))
    sparse.indices = ONNXTensor(name: "", Tensor([Int64(1), 5], [2], dtype: .int64))
    sparse.dims = [2, 3]
    var network = model([node("Add", ["x", "k"], ["y"])])
    network.graph.sparseInitializers = [sparse]
    #expect(try outcome(network) == [1, 8, 3, -4, 5, 14])
    sparse.indices = ONNXTensor(name: "", Tensor([Int64(0), 1, 1, 2], [2, 2], dtype: .int64))
    network.graph.sparseInitializers = [sparse]
    #expect(try outcome(network) == [1, 8, 3, -4, 5, 14])
    for places in [[Int64(1), 6], [-1, 0], [.max, 0], [1]] {
      let indices = Tensor(places, [places.count], dtype: .int64)
      sparse.indices = ONNXTensor(name: "", indices)
      network.graph.sparseInitializers = [sparse]
      #expect(code(network) == "ONX012")
    }
    sparse.dims = [1 << 30, 1 << 30]
    network.graph.sparseInitializers = [sparse]
    #expect(code(network) == "ONX011")
  }

  @Test func valuesThatDoNotFitAreNamed() throws {
    let network = model([node("Reshape", ["x", "x"], ["y"])])
    var options = ImportOptions()
    options.values["x"] = Tensor([Float(1)], [])
    #expect(throws: Diagnostic.self) { try GraphImporter.graph(of: network, options: options) }
    options.values = ["nothing": Tensor([Float(1)], [])]
    #expect(throws: (any Error).self) { try GraphImporter.graph(of: network, options: options) }
  }

  /// Four-bit weights with a scale for each block of a row: one constant and its widening.
  @Test(arguments: [(4, 8), (8, 16)])
  func blocksOfFourBitsAreWritten(_ block: Int, _ width: Int) throws {
    var make = ProblemMaker("blocks_\(block)")
    let x = make.input([3, width])
    let rows = 5
    let scales = make.floats([rows * (width / block)], 0.1...0.3).floats()
    let type = TensorType(
      .int4,
      [rows, width],
      quantization: Quantization(
        scales: scales,
        zeroPoints: scales.map { _ in 0 },
        axis: 1,
        blockSize: block
      )
    )
    let weights = Tensor(codes: (0..<rows * width).map { UInt8($0 * 7 % 16) }, type)
    let id = make.graph.addConstant("w", weights)
    let bias = make.constant("b", [rows])
    let problem = try make.problem { [try $0.node("y", FullyConnected(), x, id, bias)] }
    // ONNX says nothing of rounding the rows of x, as LiteRT's kernel does.
    var plain = problem.graph
    plain[id] = Value(
      name: "w",
      type: TensorType(.float32, type.shape),
      constant: Tensor(weights.floats(), type.shape)
    )
    let wanted = try ReferenceEvaluator(plain).run(problem.inputs)[0].tensor
    let bytes = joined(try ONNXFormat().exportGraph(problem.graph, options: .init()))
    let model = try ONNXModel(reading: bytes)
    #expect(model.opsets.map(\.version) == [21])
    #expect(model.graph.nodes.map(\.opType) == ["DequantizeLinear", "MatMul", "Add"])
    let graph = try ONNXFormat().importGraph(bytes, options: .init()).graph
    #expect(
      relativeError(try ReferenceEvaluator(graph).run(problem.inputs)[0].tensor, wanted) < 1e-5
    )
    let fault = #expect(throws: Diagnostic.self) {
      try ONNXFormat().exportGraph(problem.graph, options: .init(opset: 20))
    }
    #expect(fault?.code == "ONX104")
  }

  @Test func olderOperatorSetsAreWritten() throws {
    var make = ProblemMaker("old")
    let x = make.input([1, 4, 4, 3])
    let problem = try make.problem {
      let gelu = try $0.node("g", Unary(.gelu), x)
      let swish = try $0.node("h", Unary(.hardSwish), gelu)
      let normal = try $0.node("n", LayerNorm(epsilon: 1e-3), swish)
      let tanh = try $0.node("t", Unary(.geluApproximate), normal)
      return [try $0.node("y", Reduce(.max, axes: [3], keepsAxes: false), tanh)]
    }
    let wanted = try ReferenceEvaluator(problem.graph).run(problem.inputs)[0].tensor
    for opset in 13...23 {
      let bytes = try ONNXFormat().exportGraph(problem.graph, options: .init(opset: opset))
      let model = try ONNXModel(reading: joined(bytes))
      #expect(model.opsets.map(\.version) == [Int64(opset)])
      let graph = try ONNXFormat().importGraph(joined(bytes), options: .init()).graph
      let result = try ReferenceEvaluator(graph).run(problem.inputs)[0].tensor
      #expect(relativeError(result, wanted) <= 1e-5, "opset \(opset)")
    }
    for opset in [12, 24, Int.max] {
      let fault = #expect(throws: Diagnostic.self) {
        try ONNXFormat().exportGraph(problem.graph, options: .init(opset: opset))
      }
      #expect(fault?.code == "ONX104")
    }
    let mask = try Problem.one("mask", [3, 3], BandPart(lowest: 0, highest: nil))
    let fault = #expect(throws: Diagnostic.self) {
      try ONNXFormat().exportGraph(mask.graph, options: .init(opset: 13))
    }
    #expect(fault?.code == "ONX104")
  }

  @Test func constantsGoBesideAFileThatIsTooLarge() throws {
    let problem = try #require(try Problem.networks().first)
    let options = ExportOptions(fileName: "net.onnx")
    let whole = try ONNXFormat().exportModel(problem.graph, options: options)
    #expect(whole.companions.isEmpty)
    let parted = try ONNXFormat().exportModel(problem.graph, options: options, largestFile: 1000)
    #expect(parted.companions.map(\.name) == ["net.onnx.data"])
    let folder = try Host.makeTemporaryFolder()
    defer { try? Host.remove(folder) }
    let path = Host.join(folder, "net.onnx")
    try AtomicFile.write(try #require(parted.main), to: path)
    try AtomicFile.write(parted.companions[0].parts, to: path + ".data")
    let read = try ONNXFormat().importGraph(
      try MappedFile(path: path).view,
      options: ImportOptions(path: path)
    )
    let wanted = try ReferenceEvaluator(problem.graph).run(problem.inputs)
    let made = try ReferenceEvaluator(read.graph).run(problem.inputs)
    for (a, b) in zip(made, wanted) { #expect(relativeError(a.tensor, b.tensor) <= 2e-6) }
  }

  @Test func hostileExternalDataIsRefused() throws {
    let folder = try Host.makeTemporaryFolder()
    defer { try? Host.remove(folder) }
    let inside = Host.join(folder, "model")
    try Host.makeFolders(inside)
    try AtomicFile.write([ByteView([UInt8](repeating: 1, count: 24))], to: folder + "/secret")
    try AtomicFile.write([ByteView([UInt8](repeating: 1, count: 24))], to: inside + "/data")
    func outcome(_ external: [String: String]) -> String? {
      var network = model([node("Add", ["x", "k"], ["y"])])
      var tensor = ONNXTensor()
      tensor.name = "k"
      tensor.dims = [2, 3]
      tensor.dataType = 1
      tensor.isExternal = true
      tensor.external = external
      network.graph.initializers = [tensor]
      do {
        let options = ImportOptions(path: inside + "/model.onnx")
        _ = try GraphImporter.graph(of: network, options: options)
        return nil
      } catch let fault as Diagnostic {
        return fault.code
      } catch { return (error as? Diagnostics)?.all.first?.code ?? "\(error)" }
    }
    #expect(outcome(["location": "data"]) == nil)
    #expect(outcome(["location": "data", "offset": "0", "length": "24"]) == nil)
    for place in ["../secret", "/etc/passwd", "a/../../secret", "..\\secret", ""] {
      #expect(outcome(["location": place])?.hasPrefix("FMT01") == true, "\(place)")
    }
    for (offset, length) in [
      ("1", "24"), ("0", "25"), ("9223372036854775807", "24"), ("-1", "24"),
      ("0", "9223372036854775808"), ("24", "24"), ("0", "x"),
    ] {
      let external = ["location": "data", "offset": offset, "length": length]
      #expect(outcome(external) == "ONX012", "\(offset) \(length)")
    }
  }
}
