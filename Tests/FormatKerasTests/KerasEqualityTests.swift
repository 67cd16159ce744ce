import AssayBase
import AssayCodec
import AssayFormat
import AssayGraph
import AssayReference
import AssayTensor
import AssayTestSupport
import FormatKeras
import Testing

#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#else
import Darwin
#endif

/// What Keras computed for a model: inputs by name, outputs in the model's order.
struct KerasGolden {
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

  /// The greatest max |a - b| / max |b| of any output.
  func error(of outputs: [Tensor]) -> Float {
    zip(outputs, self.outputs).map { a, b in
      guard a.shape == b.shape else { return Float.infinity }
      let (x, y) = (a.floats(), b.floats())
      let difference = zip(x, y).map { abs($0 - $1) }.max() ?? 0
      return difference / (y.map { abs($0) }.max() ?? 1)
    }.max() ?? .infinity
  }
}

/// A model saved by Keras, with what Keras computes for it.
struct KerasCase: Sendable, CustomTestStringConvertible {
  /// The archive or folder that holds both.
  var container: String
  /// The model's file.
  var model: String

  var testDescription: String { model }

  /// The file of the golden: files of Keras 2 have their own weights.
  var golden: String {
    "\(model.prefix { $0 != "." })" + (model.contains(".k2.") ? ".k2" : "") + ".npz"
  }

  func bytes(_ file: String) throws -> ByteView {
    guard container.hasSuffix(".zip") else {
      return try MappedFile(path: container + "/" + file).view
    }
    let archive = try ZipArchive(MappedFile(path: container).view)
    return try archive.read(#require(archive.entry(file)))
  }

  /// The models among `files`.
  static func cases(_ container: String, _ files: [String]) -> [KerasCase] {
    files.sorted().compactMap { file in
      let found = KerasCase(container: container, model: file)
      let isModel = file.hasSuffix(".h5") || file.hasSuffix(".keras")
      return isModel && files.contains(found.golden) ? found : nil
    }
  }

  /// Small networks of every layer: Tests/Goldens/make_keras_models.py and pack_keras_models.py.
  static let packed: [KerasCase] = {
    let folder = TestData.fixture("keras")
    return files(in: folder).sorted().flatMap { file -> [KerasCase] in
      let path = folder + "/" + file
      guard let archive = try? ZipArchive(MappedFile(path: path).view) else { return [] }
      return cases(path, archive.entries.map(\.name))
    }
  }()

  /// The networks of a folder that make_keras_models.py wrote, if ASSAY_KERAS_MODELS names one.
  static let unpacked: [KerasCase] = {
    guard let folder = unsafe getenv("ASSAY_KERAS_MODELS").map({ unsafe String(cString: $0) })
    else { return [] }
    return cases(folder, files(in: folder))
  }()

  private static func files(in folder: String) -> [String] {
    guard let directory = unsafe opendir(folder) else { return [] }
    defer { unsafe closedir(directory) }
    var names: [String] = []
    while let entry = unsafe readdir(directory) {
      names.append(
        unsafe withUnsafePointer(to: &entry.pointee.d_name) {
          unsafe $0.withMemoryRebound(to: CChar.self, capacity: 256) { unsafe String(cString: $0) }
        }
      )
    }
    return names
  }
}

@Suite struct KerasEqualityTests {
  @Test func hasCases() { #expect(KerasCase.packed.count == 91) }

  @Test(arguments: KerasCase.packed + KerasCase.unpacked)
  func computesWhatKerasComputes(model: KerasCase) throws {
    let golden = try KerasGolden(model.bytes(model.golden))
    let batch = golden.inputs.values.first?.shape[0] ?? 1
    let options = ImportOptions(batch: batch)
    let graph = try KerasFormat().importGraph(model.bytes(model.model), options: options).graph
    #expect(graph.validate().isEmpty)
    #expect(Set(graph.inputs.map { graph[$0].name }) == Set(golden.inputs.keys))
    let outputs = try ReferenceEvaluator(graph).run(golden.inputs)
    #expect(outputs.count == golden.outputs.count)
    // Keras rounds to float32 after every layer, which adds up in networks of a hundred.
    let tolerance: Float = graph.nodes.count < 80 ? 1e-5 : 5e-5
    #expect(golden.error(of: outputs.map(\.tensor)) <= tolerance)
  }
}
