import AssayBase
import AssayCodec
import AssayFormat
import AssayGraph
import AssayHost
import AssayReference
import AssayTensor
import AssayTestSupport
import FormatTensorFlow
import Testing

/// A network in files of TensorFlow's, with what TensorFlow computes for it
/// (Tests/Goldens/make_tensorflow_models.py).
struct TensorFlowCase: Sendable, CustomTestStringConvertible {
  /// The archive or folder of the case.
  var place: String

  var testDescription: String { Host.name(of: place) }

  /// Calls `body` with the folder that holds the case's files.
  func withFolder<T>(_ body: (String) throws -> T) throws -> T {
    guard place.hasSuffix(".zip") else { return try body(place) }
    let folder = try Host.makeTemporaryFolder()
    defer { try? Host.remove(folder) }
    let archive = try ZipArchive(MappedFile(path: place).view)
    for entry in archive.entries where !entry.name.hasSuffix("/") {
      let path = Host.join(folder, entry.name)
      try Host.makeFolders(Host.folder(of: path))
      try AtomicFile.write([try archive.read(entry)], to: path)
    }
    return try body(folder)
  }

  /// The graph of the case, as the importer is told by `case.json`.
  static func graph(in folder: String, batch: Int = 1) throws -> (ImportReport, Golden) {
    let golden = try Golden(MappedFile(path: Host.join(folder, "golden.npz")).view)
    let told = try JSON(parsing: MappedFile(path: Host.join(folder, "case.json")).view.array)
    let path = Host.join(folder, try #require(told["model"]?.string))
    let options = ImportOptions(
      batch: golden.inputs.values.first?.shape[0] ?? 1,
      path: path,
      signature: told["signature"]?.string,
      inputs: (told["inputs"]?.array ?? []).compactMap(\.string),
      outputs: (told["outputs"]?.array ?? []).compactMap(\.string)
    )
    let report = try TensorFlowFormat().importGraph(MappedFile(path: path).view, options: options)
    return (report, golden)
  }

  /// The small networks of Tests/Fixtures/tensorflow.
  static let packed = cases(TestData.fixture("tensorflow")).filter { $0.place.hasSuffix(".zip") }

  /// The networks of a folder that make_tensorflow_models.py wrote, if ASSAY_TENSORFLOW_MODELS names one.
  static let unpacked = Host.environment("ASSAY_TENSORFLOW_MODELS").map { cases($0) } ?? []

  private static func cases(_ folder: String) -> [TensorFlowCase] {
    ((try? Host.list(folder)) ?? []).sorted().map {
      TensorFlowCase(place: Host.join(folder, $0))
    }
  }

  /// Inputs by name and outputs in order.
  struct Golden {
    var inputs: [String: Tensor] = [:]
    var outputs: [Tensor] = []

    init(_ bytes: ByteView) throws {
      var numbered: [Int: Tensor] = [:]
      for (name, tensor) in try NPZ.read(bytes) {
        if name.hasPrefix("in/") { inputs[String(name.dropFirst(3))] = tensor }
        if name.hasPrefix("out/"), let index = Int(name.dropFirst(4)) { numbered[index] = tensor }
      }
      outputs = numbered.sorted { $0.key < $1.key }.map(\.value)
    }

    /// max |a - b| / max |b| of each output; infinite where shapes differ.
    func errors(of outputs: [Tensor]) -> [Float] {
      guard outputs.count == self.outputs.count else { return [.infinity] }
      return zip(outputs, self.outputs).map { a, b in
        guard a.shape == b.shape else { return Float.infinity }
        let (x, y) = (a.floats(), b.floats())
        let difference = zip(x, y).map { abs($0 - $1) }.max() ?? 0
        return difference / max(y.map { abs($0) }.max() ?? 1, .leastNormalMagnitude)
      }
    }
  }
}

@Suite struct TensorFlowEqualityTests {
  @Test func hasCases() { #expect(TensorFlowCase.packed.count >= 26) }

  @Test(arguments: TensorFlowCase.packed + TensorFlowCase.unpacked)
  func computesWhatTensorFlowComputes(network: TensorFlowCase) throws {
    try network.withFolder { folder in
      let (report, golden) = try TensorFlowCase.graph(in: folder)
      let graph = report.graph
      #expect(graph.validate().isEmpty)
      #expect(Set(graph.inputs.map { graph[$0].name }) == Set(golden.inputs.keys))
      let outputs = try ReferenceEvaluator(graph).run(golden.inputs)
      let errors = golden.errors(of: outputs.map(\.tensor))
      // TensorFlow rounds to float32 after every layer, which adds up in networks of a hundred.
      let tolerance: Float = graph.nodes.count < 80 ? 1e-5 : 5e-5
      for (index, error) in errors.enumerated() {
        let name = index < outputs.count ? outputs[index].name : "?"
        #expect(error <= tolerance, "output \(index) '\(name)' of \(graph.nodes.count) nodes")
      }
    }
  }
}
