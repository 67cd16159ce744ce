import AssayBase
import AssayBench
import AssayCatalog
import AssayCodec
import AssayFormat
import AssayGraph
import AssayHost
import AssayRemote
import AssayRuntime
import AssayTensor

/// A model file loaded into a runtime, with the quantization that its file declares.
///
/// Runtimes do not all tell how an integer input or output is quantized, so the file is asked.
struct LoadedModel {
  let path: String
  let session: any Session
  let inputs: [(name: String, type: TensorType)]
  let outputs: [(name: String, type: TensorType)]

  /// Loads a file.
  ///
  /// - Parameter isIsolated: whether the runtime gets a process of its own; one that is itself such a
  ///   process needs none.
  init(
    path: String,
    runtime: any InferenceRuntime,
    options: SessionOptions,
    isIsolated: Bool = true
  ) throws {
    self.path = path
    if case .unavailable(let reason, let remedy) = runtime.probe() {
      throw Diagnostic("HST030", "\(runtime.id) cannot be used: \(reason)", remedy: remedy)
    }
    let host = isIsolated ? isolated(runtime) : runtime
    // Runtimes of ours tell the path themselves, programs of the user's may not.
    do {
      session = try host.load(path: path, options: options)
    } catch let fault as Diagnostic {
      throw fault.location.first == path ? fault : fault.inside(path)
    }
    let graph = try? importModel(path: path).graph
    let declared = graph.map { graph in
      (graph.inputs + graph.outputs).reduce(into: [String: Quantization]()) { table, id in
        table[graph.outputName(id)] = graph[id].type.quantization
      }
    }
    func complete(_ ports: [Port]) -> [(name: String, type: TensorType)] {
      ports.map { port in
        var type = port.type
        type.quantization = type.quantization ?? declared?[port.name]
        return (port.name, type)
      }
    }
    inputs = complete(session.inputs)
    outputs = complete(session.outputs)
  }

  /// Feeds the inputs (floats for an integer input are quantized) and runs once.
  ///
  /// - Returns: the outputs as the model gives them, with the model's names.
  func run(_ given: [String: Tensor]) throws -> [(name: String, tensor: Tensor)] {
    try feed(given)
    try session.runOnce()
    return try read()
  }

  func feed(_ given: [String: Tensor]) throws {
    for (index, tensor) in try bind(given, to: inputs).enumerated() {
      try session.write(tensor.bytes, toInput: index)
    }
  }

  func read() throws -> [(name: String, tensor: Tensor)] {
    try outputs.enumerated().map { index, output in
      (output.name, try Tensor(output.type, bytes: session.readOutput(index)))
    }
  }
}

/// The runtime in a process of its own, unless it is our own code: the others trust the files that they
/// are given, and a broken one may end the process.
private func isolated(_ runtime: any InferenceRuntime) -> any InferenceRuntime {
  guard !(runtime is WorkerRuntime), !["reference", "null"].contains(runtime.id),
    let executable = Host.executablePath
  else {
    return runtime
  }
  return IsolatedRuntime(runtime, executable: executable)
}

/// The arrays of an .npz, the lone array of an .npy under the name "", or that of an ONNX tensor file
/// (.pb) under its own.
///
/// A folder is read as all its `input_*.pb`, as the ONNX project's test data lies.
func readArrays(_ path: String) throws -> [String: Tensor] {
  if Host.kind(of: path) == .folder {
    let files = try Host.list(path).filter { $0.hasPrefix("input_") && $0.hasSuffix(".pb") }
    return try files.reduce(into: [:]) { arrays, file in
      arrays.merge(try readArrays(Host.join(path, file))) { first, _ in first }
    }
  }
  let bytes = try MappedFile(path: path).view
  return try locating(path) {
    if NPY.sniff(bytes) { return ["": try NPY.read(bytes)] }
    if path.hasSuffix(".pb") {
      let (name, tensor) = try readTensorFile(bytes)
      return [name: tensor]
    }
    return Dictionary(try NPZ.read(bytes).map { ($0.name, $0.tensor) }) { first, _ in first }
  }
}

/// Session options of `--provider`, `--threads` and what an Edge TPU is told.
func sessionOptions(_ arguments: Arguments) throws -> SessionOptions {
  if let word = arguments.value("--provider"), Provider(rawValue: word) == nil {
    throw Diagnostic(
      "CLI009",
      "--provider \(word) is for phones",
      remedy: "assay bench MODEL --device adb:SERIAL --provider \(word)"
    )
  }
  let settings = EdgeTPUOptions.settings(arguments)
  return SessionOptions(
    provider: arguments.value("--provider").flatMap(Provider.init)
      ?? (settings.isEmpty ? .cpu : .tpu),
    threads: try arguments.integer("--threads") ?? 1,
    settings: settings
  )
}

/// The runtime of `--runtime`, or the first usable one that reads the model's format.
///
/// - Parameter mustBeHere: whether this machine must have it; a device brings its own.
func chosenRuntime(
  _ arguments: Arguments,
  model path: String,
  mustBeHere: Bool = true
) throws -> any InferenceRuntime {
  let format = try format(ofModel: path).id
  if let name = arguments.value("--runtime") {
    let runtime = try Catalog.runtime(name)
    guard runtime.formats.contains(format) else {
      throw Diagnostic(
        "CLI009",
        "\(name) does not read \(format) files",
        at: [path],
        remedy: "it reads \(runtime.formats.joined(separator: ", ")): see assay convert"
      )
    }
    return runtime
  }
  let fitting = Catalog.runtimes.filter { $0.formats.contains(format) && $0.id != "null" }
  if !mustBeHere, let found = fitting.first(where: { RunnerBundle.runtimes.contains($0.id) }) {
    return found
  }
  if let found = fitting.first(where: { !mustBeHere || $0.probe().isAvailable }) { return found }
  throw Diagnostic(
    "HST030",
    "no runtime here runs \(format) files",
    at: [path],
    remedy: "see assay doctor"
  )
}
