import AssayBase
import AssayBench
import AssayCatalog
import AssayCodec
import AssayDevice
import AssayFormat
import AssayGraph
import AssayHost
import AssayRemote
import AssayTensor

/// A device's health by a tiny network whose outputs are known: right or wrong, and how fast it is.
///
/// Weights are -1, 0 and 1 and inputs small whole numbers, so that floats hold every sum exactly and the
/// outputs are the same in whatever order they are added.
struct DeviceHealth {
  /// What one look told.
  struct Reading: Equatable {
    /// Whether the outputs are the known ones.
    var isRight: Bool
    /// The median time of an inference, nanoseconds.
    var median: Double
  }

  /// Time may differ by so much between two looks before it is called drift.
  static let tolerance = 0.1

  private static let width = 256
  private let folder: String
  private let input: [Float]
  private let expected: [Float]

  /// Writes the network and its input into a folder.
  init(folder: String) throws {
    self.folder = folder
    let width = DeviceHealth.width
    var random = SeededRNG(seed: 0x4845_414c_5448)
    func small() -> [Float] {
      (0..<(width * width)).map { _ in Float(Int.random(in: -1...1, using: &random)) }
    }
    let weights = [small(), small()]
    input = (0..<width).map { _ in Float(Int.random(in: -8...8, using: &random)) }
    func product(_ weights: [Float], _ values: [Float]) -> [Float] {
      (0..<width).map { row in
        (0..<width).reduce(Float(0)) { $0 + weights[row * width + $1] * values[$1] }
      }
    }
    expected = product(weights[1], product(weights[0], input).map { max($0, 0) })
    var graph = Graph(name: "health")
    var value = graph.addInput("x", TensorType(.float32, [1, width]))
    for (index, part) in weights.enumerated() {
      let constant = graph.addConstant("w\(index)", Tensor(part, [width, width]))
      let node = FullyConnected(activation: index == 0 ? .relu : .none)
      value = try graph.addNode("dense\(index)", node, [value, constant])[0]
    }
    graph.outputs = [value]
    guard let format = Catalog.formats.first(where: { $0.id == "tflite" }) else {
      throw Diagnostic("DEV032", "there is no TFLite format")
    }
    let parts = try format.exportGraph(graph, options: ExportOptions(description: "health"))
    try AtomicFile.write(parts, to: Host.join(folder, "health.tflite"), isSynced: false)
    let tensor = Tensor(input, [1, width])
    try AtomicFile.write(
      try NPZ.write([(name: "x", tensor: tensor)]),
      to: Host.join(folder, "health.npz")
    )
  }

  /// Looks at a device.
  ///
  /// - Throws: what its worker throws.
  func look(_ session: DeviceSession) throws -> Reading {
    let worker = try session.makeWorker(runtime: "litert")
    defer { worker.end() }
    _ = try worker.ask(
      .object([
        "do": "load", "runtime": "litert", "provider": "cpu", "threads": 1,
        "path": .string(Host.join(folder, "health.tflite")),
      ]),
      seconds: 60
    )
    let inputs = Host.join(folder, "health.npz")
    _ = try worker.ask(.object(["do": "feed", "inputs": .string(inputs)]), seconds: 30)
    _ = try worker.ask(
      .object([
        "do": "warmup", "minCount": 20, "minNs": 100_000_000, "maxCount": 100_000,
        "maxNs": 2_000_000_000,
      ]),
      seconds: 60
    )
    let block = try worker.ask(
      .object(["do": "block", "minCount": 20, "minNs": 300_000_000, "maxNs": 2_000_000_000]),
      seconds: 60
    )
    let samples = (block["samples"]?.ints ?? []).sorted()
    let outputs = Host.join(folder, "health.out.npz")
    _ = try worker.ask(.object(["do": "read", "outputs": .string(outputs)]), seconds: 30)
    let found = try NPZ.read(try MappedFile(path: outputs).view).first?.tensor.floats() ?? []
    return Reading(
      isRight: found == expected,
      median: samples.isEmpty ? .nan : Double(samples[samples.count / 2])
    )
  }

  /// What two looks say of a batch between them; `nil` when there is nothing to say.
  static func finding(_ name: String, before: Reading, after: Reading) -> Diagnostic? {
    if !after.isRight { return wrong(name) }
    let change = after.median / before.median - 1
    guard change.isFinite, abs(change) > tolerance else { return nil }
    return Diagnostic(
      "DEV031",
      "the device is \(Words.percent(abs(change), 0)) \(change > 0 ? "slower" : "faster") at the end of "
        + "the batch than at its beginning",
      at: [name],
      remedy:
        "look at temperature, governor and what else runs there; measure again with a cool-down",
      cause: "the golden network took \(Words.time(before.median)) before and "
        + "\(Words.time(after.median)) after",
      severity: .warning
    )
  }

  /// The finding of a device that computes something else.
  static func wrong(_ name: String) -> Diagnostic {
    Diagnostic(
      "DEV032",
      "the device computes wrong numbers: the golden network's outputs are not the known ones",
      at: [name],
      remedy: "look at its memory, power supply and overclocking, then assay devices release"
    )
  }
}
