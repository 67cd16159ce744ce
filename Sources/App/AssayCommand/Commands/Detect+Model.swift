import AssayBase
import AssayCatalog
import AssayDetect
import AssayEvaluator
import AssayFormat
import AssayGraph
import AssayHost
import AssayRemote
import AssayRewrite
import AssayRuntime
import AssayTensor

/// The network of `assay detect`, and what is stored beside it.
struct DetectorSource {
  /// The network's file or folder.
  let path: String
  /// What a trained detector knows.
  let state: DetectorState?
  /// Whether the training series' statistics are taken.
  let usesStored: Bool
  private let runtime: any InferenceRuntime
  /// The device that computes; it is left when this goes.
  private let session: DeviceSession?

  /// The network's name, for people.
  var name: String { Host.name(of: path) }
  var runtimeID: String { runtime.id }

  init(_ arguments: Arguments) throws {
    let given = arguments.operands[0]
    let folder = Host.join(given, DetectorState.fileName)
    let isFolder = Host.kind(of: given) == .folder && Host.exists(folder)
    let wantsStored = arguments.value("--statistics") == "stored" || arguments.has("--follow")
    usesStored = wantsStored
    let beside = isFolder ? folder : Host.join(Host.folder(of: given), DetectorState.fileName)
    let file = arguments.value("--detector") ?? (Host.exists(beside) ? beside : nil)
    let needsState =
      isFolder || wantsStored || arguments.has("--detector")
      || arguments.value("--threshold") == "stored"
    state = try needsState ? file.map { try DetectorState(path: $0) } : nil
    if state == nil, needsState {
      throw Diagnostic(
        "DTC032",
        "there are no stored statistics for this network",
        at: [given],
        remedy: "train one with assay train tcn-autoencoder, or name the file with --detector"
      )
    }
    path = isFolder ? Host.join(given, state?.model ?? "model.tflite") : given
    session = try deviceSession(arguments, Console())
    // A device has no importer of ours: it gets a file and LiteRT.
    let unless = session == nil ? Catalog.referenceRuntime(ImportOptions()) : nil
    runtime = placed(
      try arguments.value("--runtime").map { try Catalog.runtime($0) }
        ?? unless ?? Catalog.runtime("litert"),
      on: session
    )
    if runtime.id == "null" {
      throw Diagnostic("CLI009", "the null runtime computes nothing that could be scored")
    }
  }

  /// The threshold of the command line.
  func threshold(_ arguments: Arguments) throws -> Threshold? {
    guard let text = arguments.value("--threshold") else { return nil }
    guard text == "stored" else { return try Threshold(parsing: text) }
    guard let value = state?.threshold else {
      throw Diagnostic(
        "DTC032",
        "the detector has no stored threshold",
        remedy: "--threshold SCORE"
      )
    }
    return .value(value)
  }

  // MARK: The network

  /// The network, canonical; with the extents of a series where its file leaves them open.
  func graph(samples: Int, channels: Int, _ arguments: Arguments) throws -> Graph {
    let options = try Shared.importOptions(arguments)
    var open = options
    open.openShape = [1, samples, channels]
    do {
      let graph = try importModel(path: path, options: options).graph
      let isOpen = graph.inputs.contains { id in
        let dims = graph[id].type.shape.dims
        return dims.contains { $0 < 1 } || dims.dropLast().allSatisfy { $0 == 1 }
      }
      if !isOpen || !options.shapes.isEmpty { return try canonicalized(graph) }
    } catch {
      do {
        return try canonicalized(try importModel(path: path, options: open).graph)
      } catch let reason {
        // With one channel the extents of the series say nothing that the file did not.
        throw channels > 1 ? reason : error
      }
    }
    return try canonicalized(try importModel(path: path, options: open).graph)
  }

  /// What the network makes of standardized channels.
  func reconstruct(_ series: [[Float]], _ arguments: Arguments) throws -> [[Float]] {
    let count = series[0].count
    let graph = try graph(samples: count, channels: series.count, arguments)
    let threads = try arguments.integer("--threads") ?? Host.processorCount
    let network: TemporalNetwork
    do {
      network = try TemporalNetwork(graph)
    } catch let reason as Diagnostic where reason.code == "DTC030" {
      return try windows(series, graph, reason, arguments, threads)
    }
    guard network.channelCount == series.count else {
      throw Diagnostic(
        "DTC033",
        "the network takes \(network.channelCount) channels, the series has \(series.count)",
        remedy: "choose columns with --columns"
      )
    }
    if runtime.id == "reference" {
      return try PiecewiseReconstruction(network, threads: threads)(series)
    }
    let whole = try network.graph(length: count)
    let run = try runner(whole, arguments, threads)
    return network.channels(try run(network.input(series)))
  }

  /// A network of its own length on one window after the other; the last one ends with the series.
  private func windows(
    _ series: [[Float]],
    _ graph: Graph,
    _ reason: Diagnostic,
    _ arguments: Arguments,
    _ threads: Int
  ) throws -> [[Float]] {
    let count = series[0].count
    guard graph.inputs.count == 1, graph.outputs.count == 1 else { throw reason }
    let (input, output) = (graph[graph.inputs[0]].type, graph[graph.outputs[0]].type)
    let elements = input.shape.count
    guard output.shape.count == elements, elements % series.count == 0 else {
      throw reason.inside(path)
    }
    let width = elements / series.count
    guard width <= count else {
      throw Diagnostic(
        "DTC004",
        "the network takes windows of \(width) samples, and the series has \(count)"
      )
    }
    let run = try runner(graph, arguments, threads)
    var result = series
    var start = 0
    while start < count {
      let first = min(start, count - width)
      let values = (first..<first + width).flatMap { index in series.map { $0[index] } }
      let made = try run(Tensor(values, input.shape)).floats()
      for index in start - first..<width {
        for channel in series.indices {
          result[channel][first + index] = made[index * series.count + channel]
        }
      }
      start += width
    }
    return result
  }

  /// Runs a graph on the chosen runtime; one that is not ours is given a file of it.
  private func runner(
    _ graph: Graph,
    _ arguments: Arguments,
    _ threads: Int
  ) throws -> (Tensor) throws -> Tensor {
    let name = graph[graph.inputs[0]].name
    if runtime.id == "reference" {
      let evaluator = try Evaluator(graph, threads: threads)
      return { try evaluator.run([name: $0])[0].tensor }
    }
    let folder = try Host.makeTemporaryFolder("assay-detect")
    defer { try? Host.remove(folder) }
    let file = Host.join(folder, runtime.formats.contains("tflite") ? "model.tflite" : "model.onnx")
    try exportModel(graph, to: file, description: "assay \(assayVersion) detect")
    var options = try sessionOptions(arguments)
    options.threads = threads
    // The runtime has the file in memory before it is removed.
    let model = try LoadedModel(path: file, runtime: runtime, options: options)
    return { tensor in
      guard let first = try model.run([name: tensor]).first?.tensor else {
        throw Diagnostic("RTM012", "the model has no output")
      }
      return first
    }
  }
}
