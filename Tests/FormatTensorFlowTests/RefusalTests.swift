import AssayBase
import AssayCodec
import AssayFormat
import AssayGraph
import AssayHost
import AssayTensor
import AssayTensorFlow
import AssayTestSupport
import FormatTensorFlow
import Testing

/// Files that cannot be read are refused with what is wrong, never with a trap.
@Suite struct RefusalTests {
  private static let x = TFNode(
    "x",
    "Placeholder",
    [],
    ["dtype": .type(.float), "shape": .shape(TFShape([1, 4]))]
  )

  private func bytes(_ nodes: [TFNode]) -> ByteView {
    var graph = TFGraph()
    graph.nodes = nodes
    graph.producer = 561
    return ByteView(graph.encoded().finish().flatMap(\.array))
  }

  /// The codes of what is found wrong.
  private func codes(_ bytes: ByteView, _ options: ImportOptions = ImportOptions()) -> [String] {
    do {
      _ = try TensorFlowFormat().importGraph(bytes, options: options)
      return []
    } catch let fault as Diagnostic {
      return [fault.code]
    } catch let several as Diagnostics {
      return several.all.map(\.code)
    } catch {
      return ["\(error)"]
    }
  }

  @Test func everyUnknownOperatorIsNamed() {
    let nodes = [
      Self.x, TFNode("a", "DecodeJpeg", ["x"]), TFNode("b", "StringJoin", ["x"]),
      TFNode("c", "AddV2", ["a", "b"]),
    ]
    #expect(codes(bytes(nodes)) == ["TFG021", "TFG021"])
  }

  @Test func circlesAreFound() {
    let nodes = [Self.x, TFNode("a", "AddV2", ["x", "b"]), TFNode("b", "Relu", ["a"])]
    let options = ImportOptions(outputs: ["b"])
    #expect(codes(bytes(nodes), options) == ["TFG009"])
  }

  @Test func missingNodesAreNamed() {
    #expect(codes(bytes([Self.x, TFNode("a", "Relu", ["nothing"])])) == ["TFG027"])
    let options = ImportOptions(outputs: ["a"])
    let nodes = [Self.x, TFNode("a", "AddV2", ["x", "nothing"])]
    #expect(codes(bytes(nodes), options) == ["TFG005"])
    #expect(codes(bytes([Self.x]), ImportOptions(outputs: ["y"])) == ["TFG025"])
  }

  @Test func twoNodesOfOneName() {
    let nodes = [Self.x, TFNode("a", "Relu", ["x"]), TFNode("a", "Exp", ["x"])]
    #expect(codes(bytes(nodes), ImportOptions(outputs: ["a"])) == ["TFG015"])
  }

  @Test func constantsOfAnotherSize() {
    var tensor = TFTensor()
    tensor.dtype = .float
    tensor.shape = TFShape([4])
    tensor.content = ByteView([0, 0, 0])
    let constant = TFNode("c", "Const", [], ["value": .tensor(tensor)])
    let nodes = [Self.x, constant, TFNode("a", "AddV2", ["x", "c"])]
    #expect(codes(bytes(nodes)) == ["TFG003"])
  }

  @Test func extentsOfAbsurdSize() {
    for extent in [Int64.max, 1 << 62, 1 << 40, -2] {
      let node = TFNode(
        "x",
        "Placeholder",
        [],
        ["dtype": .type(.float), "shape": .shape(TFShape([1, extent, extent]))]
      )
      #expect(!codes(bytes([node, TFNode("a", "Relu", ["x"])])).isEmpty)
    }
    var huge = TFTensor(Tensor([Int32.max, Int32.max], [2]))
    huge.dtype = .int32
    let dims = TFNode("d", "Const", [], ["value": .tensor(huge)])
    let zero = TFNode("z", "Const", [], ["value": .tensor(TFTensor(Tensor([Float(0)], [])))])
    let nodes = [
      Self.x, dims, zero, TFNode("f", "Fill", ["d", "z"]), TFNode("a", "AddV2", ["x", "f"]),
    ]
    #expect(codes(bytes(nodes)) == ["TFG022"])
  }

  @Test func variablesWithoutCheckpoint() {
    let variable = TFNode("v", "VariableV2", [], ["dtype": .type(.float)])
    let nodes = [Self.x, variable, TFNode("a", "AddV2", ["x", "v"])]
    #expect(codes(bytes(nodes)) == ["TFG012"])
  }

  @Test func unknownSignature() throws {
    let network = try #require(
      TensorFlowCase.packed.first { $0.place.hasSuffix("module_signatures.zip") }
    )
    try network.withFolder { folder in
      let path = Host.join(folder, "saved_model.pb")
      let bytes = try MappedFile(path: path).view
      #expect(codes(bytes, ImportOptions(path: path)) == ["TFG023"])
      let wrong = ImportOptions(path: path, signature: "embedd")
      #expect(codes(bytes, wrong) == ["TFG023"])
      // Without its checkpoint nothing is made up.
      try Host.remove(Host.join(folder, "variables"))
      let codes = codes(bytes, ImportOptions(path: path, signature: "embed"))
      #expect(codes.allSatisfy { $0 == "TFG012" } && !codes.isEmpty)
    }
  }

  @Test func damagedCheckpoints() throws {
    let network = try #require(
      TensorFlowCase.packed.first { $0.place.hasSuffix("module_signatures.zip") }
    )
    try network.withFolder { folder in
      let path = Host.join(folder, "saved_model.pb")
      let bytes = try MappedFile(path: path).view
      let options = ImportOptions(path: path, signature: "embed")
      #expect(codes(bytes, options).isEmpty)
      let data = Host.join(folder, "variables/variables.data-00000-of-00001")
      var elements = try MappedFile(path: data).view.array
      elements[5] ^= 1
      try AtomicFile.write([ByteView(elements)], to: data)
      #expect(codes(bytes, options) == ["TFG042"])
      try AtomicFile.write([ByteView(Array(elements.prefix(3)))], to: data)
      #expect(codes(bytes, options).contains("TFG042"))
      let index = Host.join(folder, "variables/variables.index")
      var table = try MappedFile(path: index).view.array
      table[20] ^= 1
      try AtomicFile.write([ByteView(table)], to: index)
      #expect(codes(bytes, options) == ["LDB002"])
      try AtomicFile.write([ByteView(Array(table.prefix(60)))], to: index)
      #expect(codes(bytes, options) == ["LDB001"])
    }
  }

  @Test func checkpointsOutsideTheFolder() throws {
    let folder = try Host.makeTemporaryFolder()
    defer { try? Host.remove(folder) }
    let path = Host.join(folder, "model.pb")
    let variable = TFNode("v", "VariableV2", [], ["dtype": .type(.float)])
    try AtomicFile.write(
      [bytes([Self.x, variable, TFNode("a", "AddV2", ["x", "v"])])],
      to: path
    )
    try AtomicFile.write(
      "model_checkpoint_path: \"../../../../etc/passwd\"\n",
      to: Host.join(folder, "checkpoint")
    )
    let file = try MappedFile(path: path).view
    #expect(codes(file, ImportOptions(path: path)) == ["TFG012"])
  }

  @Test func quantizedNetworksAreNotWritten() throws {
    var graph = Graph(name: "q")
    let quantization = Quantization(scale: 0.1, zeroPoint: 0)
    let x = graph.addInput("x", TensorType(.int8, [1, 4], quantization: quantization))
    let y = try graph.addNode("y", Unary(.relu), [x])[0]
    graph[y].type.quantization = quantization
    graph.outputs = [y]
    let error = #expect(throws: Diagnostic.self) {
      try TensorFlowFormat().exportModel(graph, options: ExportOptions())
    }
    #expect(error?.code == "TFG102")
  }
}
