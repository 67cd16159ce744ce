import AssayBase
import AssayFormat
import AssayGraph
import AssayHost
import AssayReference
import AssayTensor
import AssayTestSupport
import FormatTensorFlow
import Testing

/// What is written is read back as a network that computes the same; that TensorFlow computes the same
/// too is what Tests/Goldens/check_tensorflow_exports.py shows.
@Suite struct RoundTripTests {
  @Test(arguments: TensorFlowCase.packed)
  func savedModelIsReadBack(network: TensorFlowCase) throws {
    try network.withFolder { folder in
      let (report, golden) = try TensorFlowCase.graph(in: folder)
      let written = try TensorFlowFormat().exportModel(report.graph, options: ExportOptions())
      #expect(written.main == nil)
      let target = Host.join(folder, "written")
      for file in written.companions {
        let path = Host.join(target, file.name)
        try Host.makeFolders(Host.folder(of: path))
        try AtomicFile.write(file.parts, to: path)
      }
      let path = Host.join(target, "saved_model.pb")
      let again = try TensorFlowFormat().importGraph(
        MappedFile(path: path).view,
        options: ImportOptions(path: path)
      ).graph
      try expectSame(report.graph, again, golden)
      // Names of the source are kept, and so are those of weights.
      #expect(Set(again.inputs.map { again[$0].name }) == Set(golden.inputs.keys))
      let weights = report.graph.values.filter { $0.constant?.dtype == .float32 }
      let names = Set(again.values.map(\.name))
      let isFloat = weights.contains { $0.type.shape.rank > 1 }
      #expect(!isFloat || weights.contains { names.contains($0.name) })
    }
  }

  @Test(arguments: TensorFlowCase.packed)
  func frozenGraphIsReadBack(network: TensorFlowCase) throws {
    try network.withFolder { folder in
      let (report, golden) = try TensorFlowCase.graph(in: folder)
      let options = ExportOptions(fileName: "model.pb")
      let written = try TensorFlowFormat().exportModel(report.graph, options: options)
      let bytes = ByteView(try #require(written.main).flatMap(\.array))
      let names = report.graph.outputs.map { report.graph.outputName($0) }
      let again = try TensorFlowFormat().importGraph(
        bytes,
        options: ImportOptions(outputs: names)
      ).graph
      try expectSame(report.graph, again, golden)
    }
  }

  private func expectSame(_ a: Graph, _ b: Graph, _ golden: TensorFlowCase.Golden) throws {
    #expect(b.validate().isEmpty)
    let expected = try ReferenceEvaluator(a).run(golden.inputs)
    let outputs = try ReferenceEvaluator(b).run(golden.inputs)
    #expect(outputs.count == expected.count)
    for (name, tensor) in expected {
      let other = try #require(outputs.first { $0.name == name }, "output '\(name)'").tensor
      #expect(other.shape == tensor.shape)
      let (x, y) = (other.floats(), tensor.floats())
      let difference = zip(x, y).map { abs($0 - $1) }.max() ?? 0
      #expect(difference <= 1e-6 * (y.map { abs($0) }.max() ?? 1), "output '\(name)'")
    }
  }
}
