import AssayBase
import AssayCodec
import AssayEvaluator
import AssayFormat
import AssayGraph
import AssayHost
import AssayTensor
import FormatKeras
import Testing

@testable import AssayModels

/// Networks that Keras wrote, with what it answers.
///
/// They are made by Tests/Goldens/keras_applications.py into the
/// folder that `ASSAY_KERAS_NETWORKS` names. They take gigabytes, so `make test` does without them.
private let folder = Host.environment("ASSAY_KERAS_NETWORKS")

@Suite(.enabled(if: folder != nil, "ASSAY_KERAS_NETWORKS names no folder of Keras's networks"))
struct KerasEqualityTests {
  @Test func outputsEqualKerassForTheSameWeights() throws {
    let folder = try #require(folder)
    let only = Host.environment("ASSAY_KERAS_NETWORKS_ONLY")
    for entry in Zoo.entries where only.map({ entry.name.hasPrefix($0) }) ?? true {
      let path = Host.join(folder, entry.name + ".keras")
      guard Host.exists(path) else { continue }
      let arrays = try NPZ.read(try MappedFile(path: Host.join(folder, entry.name + ".npz")).view)
      let image = try #require(arrays.first { $0.name.hasPrefix("in/") }?.tensor)
      let keras = try #require(arrays.first { $0.name == "out/0" }?.tensor.floats())
      // Keras's own float32 is up to 1e-3 of the output away from its float64 in the deepest: there
      // we must not be farther away than it is.
      let wanted = arrays.first { $0.name == "exact/0" }?.tensor.floats() ?? keras
      let own = zip(wanted, keras).map { abs($0 - $1) }.max() ?? 0
      var options = ZooOptions()
      options.preparesAsPublished = false
      var network = try entry.built(options, .lively)
      let missing = try give(&network, weightsOf: path)
      #expect(missing.isEmpty, "\(entry.name): \(missing.prefix(5))")
      let found = try Evaluator(network.graph, threads: 2).run(["image": image])[0].tensor.floats()
      let peak = wanted.map(abs).max() ?? 0
      let error = zip(wanted, found).map { abs($0 - $1) }.max() ?? .infinity
      print("\(entry.name): \(error / peak) of the largest output")
      #expect(
        found.count == wanted.count && error <= max(1e-4 * peak, own),
        "\(entry.name): \(error / peak)"
      )
    }
  }

  /// Gives a network the weights of a file by their names, and tells which it has not.
  private func give(_ network: inout Network, weightsOf path: String) throws -> [String] {
    let options = ImportOptions(path: path)
    let source = try KerasFormat().importGraph(try MappedFile(path: path).view, options: options)
    let constants = source.graph.values.reduce(into: [String: Tensor]()) { table, value in
      if let tensor = value.constant { table[value.name] = tensor }
    }
    let own: Set = ["Rescaling", "HardSigmoid", "LayerScale"]
    let fixed = network.layers.filter { own.contains($0.kind) }.map { $0.name + "/" }
    var missing: [String] = []
    for index in network.graph.values.indices {
      let id = ValueID(index)
      let name = network.graph[id].name
      guard let old = network.graph[id].constant, !fixed.contains(where: name.hasPrefix) else {
        continue
      }
      var tensor = constants[name]
      if name.hasSuffix("/depthwise_kernel"), tensor == nil {
        tensor = constants[name.dropLast("depthwise_kernel".count) + "kernel"]
      }
      if name.hasSuffix("/variance"), let inverse = constants[name.dropLast(8) + "inverse"] {
        tensor = Tensor(inverse.floats().map { 1 / ($0 * $0) }, [inverse.count])
      }
      guard let tensor, tensor.count == old.count else {
        missing.append(name)
        continue
      }
      network.graph[id].constant = Tensor(tensor.floats(), old.shape)
    }
    return missing
  }
}
