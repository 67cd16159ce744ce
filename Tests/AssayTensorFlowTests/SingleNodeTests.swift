import AssayBase
import AssayCodec
import AssayGraph
import AssayReference
import AssayTensor
import AssayTensorFlow
import Testing

/// Single nodes, as TFLite's Flex operators carry them.
@Suite struct SingleNodeTests {
  /// What a node makes of tensors that are fed, each by its own name `x0`, `x1`, ….
  private func run(_ node: TFNode, _ inputs: [Tensor], constants: [Tensor] = []) throws -> [Tensor]
  {
    let bytes = ByteView(node.encoded().finish().flatMap(\.array))
    var graph = Graph(name: "single")
    var ids = inputs.enumerated().map { graph.addInput("x\($0)", $1.type) }
    ids += constants.enumerated().map { graph.addConstant("c\($0)", $1) }
    var importer = TensorFlowImporter(graph)
    graph = Graph(name: "")
    let outputs = try importer.add(try TFNode(bytes), inputs: ids)
    var result = importer.graph
    result.outputs = outputs
    #expect(result.validate().isEmpty)
    let fed = Dictionary(uniqueKeysWithValues: inputs.enumerated().map { ("x\($0)", $1) })
    return try ReferenceEvaluator(result).run(fed).map(\.tensor)
  }

  @Test func dilatedConvolution() throws {
    // A row of 1…6, taps 1 and 10 two apart: y[i] = x[i] + 10 x[i + 2].
    let node = TFNode(
      "conv",
      "Conv2D",
      ["a", "b"],
      [
        "T": .type(.float), "strides": .ints([1, 1, 1, 1]), "dilations": .ints([1, 1, 2, 1]),
        "padding": .string("VALID"), "data_format": .string("NHWC"),
      ]
    )
    let image = Tensor((1...6).map { Float($0) }, [1, 1, 6, 1])
    let outputs = try run(node, [image], constants: [Tensor([1, 10] as [Float], [1, 2, 1, 1])])
    #expect(outputs.map(\.shape) == [[1, 1, 4, 1]])
    #expect(outputs[0].floats() == [31, 42, 53, 64])
  }

  @Test func channelsFirst() throws {
    let node = TFNode(
      "pool",
      "MaxPool",
      ["a"],
      [
        "ksize": .ints([1, 1, 2, 2]), "strides": .ints([1, 1, 2, 2]),
        "padding": .string("VALID"), "data_format": .string("NCHW"),
      ]
    )
    let image = Tensor((0..<32).map { Float($0) }, [1, 2, 4, 4])
    let outputs = try run(node, [image])
    #expect(outputs[0].shape == [1, 2, 2, 2])
    #expect(outputs[0].floats() == [5, 7, 13, 15, 21, 23, 29, 31])
  }

  @Test func einsumOfHeads() throws {
    // Queries and keys of two heads: scores by head.
    let node = TFNode("scores", "Einsum", ["a", "b"], ["equation": .string("aecd,abcd->acbe")])
    let keys = Tensor((0..<24).map { Float($0) }, [1, 3, 2, 4])
    let queries = Tensor((0..<16).map { Float($0 % 5) }, [1, 2, 2, 4])
    let outputs = try run(node, [keys, queries])
    #expect(outputs[0].shape == [1, 2, 2, 3])
    var expected: [Float] = []
    let (k, q) = (keys.floats(), queries.floats())
    for c in 0..<2 {
      for b in 0..<2 {
        for e in 0..<3 {
          expected.append(
            (0..<4).reduce(0) { $0 + k[(e * 2 + c) * 4 + $1] * q[(b * 2 + c) * 4 + $1] }
          )
        }
      }
    }
    #expect(outputs[0].floats() == expected)
  }

  @Test func shapeArithmeticIsFolded() throws {
    var graph = Graph(name: "shapes")
    let x = graph.addInput("x", TensorType(.float32, [2, 3, 4]))
    var importer = TensorFlowImporter(graph)
    let shape = try importer.add(TFNode("shape", "Shape"), inputs: [x])[0]
    let begin = importer.graph.addConstant("begin", Tensor([Int32(1)], [1]))
    let end = importer.graph.addConstant("end", Tensor([Int32(3)], [1]))
    let step = importer.graph.addConstant("step", Tensor([Int32(1)], [1]))
    let cut = try importer.add(TFNode("cut", "StridedSlice"), inputs: [shape, begin, end, step])[0]
    let all = importer.graph.addConstant("axes", Tensor([Int32(0)], [1]))
    let product = try importer.add(TFNode("product", "Prod"), inputs: [cut, all])[0]
    #expect(importer.graph.nodes.isEmpty)
    #expect(importer.graph[product].constant?.integers() == [12])
  }

  @Test func unknownOperatorIsNamed() throws {
    var importer = TensorFlowImporter(Graph(name: ""))
    let error = #expect(throws: Diagnostic.self) {
      try importer.add(TFNode("a", "DecodeJpeg"), inputs: [])
    }
    #expect(error?.code == "TFG021")
    #expect(error?.summary.contains("DecodeJpeg") == true)
  }

  @Test func missingInputIsNoTrap() throws {
    for name in TensorFlowImporter.readOperators {
      var graph = Graph(name: "")
      let x = graph.addInput("x", TensorType(.float32, [1, 2, 2, 1]))
      for count in 0...1 {
        var importer = TensorFlowImporter(graph)
        _ = try? importer.add(TFNode("a", name), inputs: [ValueID](repeating: x, count: count))
      }
    }
  }
}
