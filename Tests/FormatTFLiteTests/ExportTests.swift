import AssayBase
import AssayCodec
import AssayFormat
import AssayGraph
import AssayReference
import AssayTensor
import FormatTFLite
import Testing

/// What a written file looks like from outside, by its tables.
@Suite struct ExportTests {
  private let format = TFLiteFormat()

  private func written(_ graph: Graph, description: String = "made by a test") throws -> FlatTable {
    let options = ExportOptions(description: description)
    let bytes = joined(try format.exportGraph(graph, options: options))
    return try FlatBufferReader(bytes).root(identifier: "TFL3")
  }

  private func graph(_ name: String) throws -> Graph {
    try #require(Problem.all.first { $0.name == name }).graph
  }

  /// Builtin code and version of each entry of the operator codes.
  private func codes(_ model: FlatTable) throws -> [Int32: Int32] {
    var codes: [Int32: Int32] = [:]
    for entry in try model.tables(1) {
      let old = Int32(try entry.scalar(0, default: Int8(0)))
      let code = try entry.scalar(3, default: Int32(0))
      #expect(old == min(code, 127))
      codes[code] = try entry.scalar(2, default: 1)
    }
    return codes
  }

  /// The versions that TensorFlow 2.21's converter gives, by operator number.
  @Test(
    arguments: [
      ("conv2d_same", [3: 1]), ("conv2d_grouped", [3: 6]), ("depthwise_same", [4: 1]),
      ("depthwise_dilated", [4: 2]), ("dense", [9: 1]), ("dense_3d", [9: 5]),
      ("transpose_conv_same", [67: 3]), ("transpose_conv_without_bias", [67: 4]),
      ("resize_bilinear_half", [23: 3]), ("resize_bilinear_plain", [23: 1]),
      ("transpose_5d", [39: 4]), ("unary_gelu", [150: 1]), ("float16_weights", [6: 3, 9: 1]),
      ("dynamic_int8", [3: 5, 4: 6, 9: 12]),
      ("static_int8_floatio", [114: 1, 3: 3, 17: 2, 0: 2, 6: 2]),
      ("static_uint8", [114: 1, 4: 3, 9: 4, 25: 2]),
    ] as [(String, [Int32: Int32])]
  )
  func versionsAreThoseOfTheConverter(name: String, expected: [Int32: Int32]) throws {
    #expect(try codes(written(graph(name))) == expected)
  }

  /// Along one row of taps a distance between rows changes nothing: it is written as the Edge TPU's
  /// compiler wants it, and computes the same.
  @Test(arguments: [
    (Shape([4, 1, 3, 2]), Size2D(1, 2)), (Shape([4, 3, 1, 2]), Size2D(2, 1)),
  ])
  func aWindowOfOneRowIsDilatedAlike(weights: Shape, dilations: Size2D) throws {
    func values(_ shape: Shape) -> Tensor {
      Tensor((0..<shape.count).map { Float($0 * 37 % 19 - 9) / 8 }, shape)
    }
    for isDepthwise in [false, true] {
      let taps: Shape = isDepthwise ? [1, weights[1], weights[2], 2] : weights
      var graph = Graph(name: "line")
      let x = graph.addInput("x", TensorType(.float32, [1, 7, 7, 2]))
      let w = graph.addConstant("w", values(taps))
      graph.outputs =
        isDepthwise
        ? try graph.addNode(
          "y",
          DepthwiseConv2D(dilations: dilations, padding: .same),
          [x, w]
        ) : try graph.addNode("y", Conv2D(dilations: dilations, padding: .same), [x, w])
      let options = try #require(
        try written(graph).tables(2).first?.tables(3).first?.table(4)
      )
      let first = isDepthwise ? 5 : 4
      #expect(try options.scalar(first, default: Int32(1)) == 2)
      #expect(try options.scalar(first + 1, default: Int32(1)) == 2)
      let bytes = joined(try format.exportGraph(graph, options: ExportOptions(description: "")))
      let again = try format.importGraph(bytes, options: ImportOptions()).graph
      let image = values([1, 7, 7, 2])
      let (ours, theirs) = try (
        ReferenceEvaluator(graph).run(["x": image]), ReferenceEvaluator(again).run(["x": image])
      )
      #expect(ours.map { $0.1.bytes.array } == theirs.map { $0.1.bytes.array })
      #expect(ours.count == 1)
    }
  }

  @Test func metadataNameTheMakerAndTheLeastRuntime() throws {
    let model = try written(graph("dynamic_int8"))
    #expect(try model.scalar(0, default: UInt32(0)) == 3)
    #expect(try model.string(3) == "made by a test")
    let buffers = try model.tables(4)
    #expect(try buffers[0].bytes(0) == nil)
    let entry = try #require(try model.tables(6).first)
    #expect(try entry.string(0) == "min_runtime_version")
    let bytes = try #require(try buffers[Int(entry.scalar(1, default: UInt32(0)))].bytes(0))
    // FULLY_CONNECTED in version 12 came with TensorFlow 2.17.
    #expect(bytes.array == Array("2.17.0".utf8) + [UInt8](repeating: 0, count: 10))
  }

  @Test func signatureHasTheNamesOfTheGraph() throws {
    let signature = try #require(try written(graph("several_outputs")).tables(7).first)
    #expect(try signature.string(2) == "serving_default")
    #expect(try signature.tables(0).map { try $0.string(0) } == ["first input", "second"])
    #expect(try signature.tables(1).map { try $0.string(0) } == ["output_0", "output_1"])
  }

  @Test func equalConstantsAreStoredOnceAndLargeOnesNotCopied() throws {
    let weights = Tensor((0..<4096).map { Float($0) }, [64, 64])
    let copy = Tensor((0..<4096).map { Float($0) }, [64, 64])
    var graph = Graph(name: "shared")
    let x = graph.addInput("x", TensorType(.float32, [1, 64]))
    let y = try graph.addNode("y", FullyConnected(), [x, graph.addConstant("a", weights)])
    let z = try graph.addNode("z", FullyConnected(), [y[0], graph.addConstant("b", copy)])
    graph.outputs = z
    let pieces = try format.exportGraph(graph, options: ExportOptions())
    #expect(pieces.reduce(0) { $0 + $1.count } < 16384 + 2000)
    let isUncopied = pieces.contains { piece in
      unsafe piece.withUnsafeBytes { a in
        unsafe weights.bytes.withUnsafeBytes { b in unsafe a.baseAddress == b.baseAddress }
      }
    }
    #expect(isUncopied)
  }

  @Test func openExtentsAreInTheShapeSignature() throws {
    var graph = Graph(name: "open")
    let x = graph.addInput("x", TensorType(.float32, [-1, 3]))
    graph.outputs = try graph.addNode("y", Unary(.relu), [x])
    let tensor = try #require(try written(graph).tables(2)[0].tables(0).first)
    #expect(try tensor.vector(0, of: Int32.self) == [1, 3])
    #expect(try tensor.vector(7, of: Int32.self) == [-1, 3])
    let bytes = joined(try format.exportGraph(graph, options: ExportOptions()))
    let five = try format.importGraph(bytes, options: ImportOptions(batch: 5)).graph
    #expect(five.outputs.map { five[$0].type.shape } == [[5, 3]])
  }

  @Test func everythingThatCannotBeWrittenIsNamed() throws {
    var graph = Graph(name: "odd")
    let x = graph.addInput("x", TensorType(.float32, [1, 4, 4, 2]))
    let grid = graph.addInput("grid", TensorType(.float32, [1, 4, 4, 2]))
    let a = try graph.addNode("first", GridSample(), [x, grid])
    let edge = Pad(before: [0, 1, 1, 0], after: [0, 1, 1, 0], mode: .edge)
    let b = try graph.addNode("second", edge, [a[0]])
    let type = TensorType(.float32, [1])
    graph.outputs = try graph.addNode("third", Opaque("mystery", outputTypes: [type]), [b[0]])
    #expect(
      performing: { try format.exportGraph(graph, options: ExportOptions()) },
      throws: { error in
        guard let all = (error as? Diagnostics)?.all else { return false }
        return all.map(\.code) == ["TFL101", "TFL106", "TFL101"]
          && all.map { $0.location.first } == [
            "node 'first' (GridSample)", "node 'second' (Pad)", "node 'third' (mystery)",
          ]
      }
    )
  }

  @Test func anInputThatLeavesIsCopied() throws {
    var graph = Graph(name: "through")
    let x = graph.addInput("x", TensorType(.float32, [1, 2]))
    graph.outputs = [x]
    graph.outputNames[x] = "y"
    let again = try format.importGraph(
      joined(try format.exportGraph(graph, options: ExportOptions())),
      options: ImportOptions()
    ).graph
    #expect(again.nodes.count == 1 && again.outputs != again.inputs)
    #expect(again.outputs.map(again.outputName) == ["y"])
  }

  @Test func plainSmallIntegersAreComputedInWideOnes() throws {
    var graph = Graph(name: "bytes")
    let x = graph.addInput("x", TensorType(.uint8, [2]))
    graph.outputs = try graph.addNode("y", Binary(.multiply), [x, x])
    let again = try format.importGraph(
      joined(try format.exportGraph(graph, options: ExportOptions())),
      options: ImportOptions()
    ).graph
    #expect(again[again.outputs[0]].type.dtype == .uint8)
    let product = try #require(again.nodes.first { $0.op is Binary })
    #expect(again[product.outputs[0]].type.dtype == .int32)
  }

  /// 25 to 1050 pixels are found in fixed point; 2380 to 99,960 are not.
  @Test(arguments: [(25, false), (2380, true)])
  func longEnlargementsAreChosenByIndex(_ width: Int, _ isChosen: Bool) throws {
    var graph = Graph(name: "long")
    let quantization = Quantization(scale: 0.1, zeroPoint: 0)
    let type = TensorType(.int8, [1, 1, width, 2], quantization: quantization)
    let x = graph.addInput("x", type)
    let y = graph.add(
      Value(
        name: "y",
        type: TensorType(.int8, [1, 1, width * 42, 2], quantization: quantization)
      )
    )
    let op = Resize2D(.nearest, size: Size2D(1, width * 42))
    graph.nodes.append(Node(name: "y", op: op, inputs: [x], outputs: [y]))
    graph.outputs = [y]
    let bytes = joined(try format.exportGraph(graph, options: ExportOptions()))
    let again = try format.importGraph(bytes, options: ImportOptions()).graph
    #expect(again.nodes.contains { $0.op is Gather } == isChosen)
    let elements = (0..<width * 2).map { Int8(truncatingIfNeeded: $0 * 7) }
    let numbers = Tensor(elements, type.shape, dtype: .int8, quantization: quantization)
    let wanted = try ReferenceEvaluator(graph).run(["x": numbers])[0].tensor
    let got = try ReferenceEvaluator(again).run(["x": numbers])[0].tensor
    #expect(got.floats() == wanted.floats())
  }

  @Test func typesThatTheSchemaLacksAreRefused() throws {
    var graph = Graph(name: "small")
    let x = graph.addInput("x", TensorType(.float32, [2]))
    graph.outputs = try graph.addNode("y", Cast(.float8E4M3FN), [x])
    let fault = #expect(throws: Diagnostic.self) {
      try format.exportGraph(graph, options: ExportOptions())
    }
    #expect(fault?.code == "TFL115")
  }

  @Test func otherFilesAreRefused() throws {
    let wrong: [([UInt8], String)] = [
      ([], "FLB003"), (Array("PK not a model".utf8), "FLB003"),
      ([0xFF, 0xFF, 0xFF, 0xFF] + Array("TFL3".utf8), "FLB001"),
      ([8, 0, 0, 0] + Array("TFL3".utf8) + [4, 0, 0, 0], "FLB001"),
    ]
    for (bytes, code) in wrong {
      #expect(
        "\(bytes)",
        performing: { try format.importGraph(ByteView(bytes), options: ImportOptions()) },
        throws: { ($0 as? Diagnostic)?.code == code }
      )
    }
    #expect(!format.sniff(ByteView(Array("PK\u{3}\u{4}".utf8))))
  }
}
