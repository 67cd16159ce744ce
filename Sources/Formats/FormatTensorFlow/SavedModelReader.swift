import AssayBase
import AssayCodec
import AssayFormat
import AssayGraph
import AssayTensor
import AssayTensorFlow

/// Reads a SavedModel: the graph of one of its signatures, with the variables of its folder.
enum SavedModelReader {
  static func read(_ bytes: ByteView, _ options: ImportOptions) throws -> ImportReport {
    let model = try TFSavedModel(bytes)
    guard
      let meta = model.metaGraphs.first(where: { $0.tags.contains("serve") })
        ?? model.metaGraphs.first
    else { throw Diagnostic("TFG020", "the SavedModel holds no graph") }
    guard options.inputs.isEmpty, options.outputs.isEmpty else {
      return try GraphFileReader.read(
        meta,
        options,
        checkpoint: try bundle(options).map { lookup(in: $0) }
      )
    }
    let (name, signature) = try choose(meta.signatures, options)
    return try locating("signature '\(name)'") {
      let inputs = try signature.inputs.sorted { isOrdered($0.key, $1.key) }.map { key, info in
        TFPort(name: key, reference: info.name, type: try inputType(key, info, meta.graph, options))
      }
      let outputs = signature.outputs.sorted { isOrdered($0.key, $1.key) }.map { key, info in
        TFPort(name: key, reference: info.name)
      }
      let bundle = try bundle(options)
      let (graph, notes) = try TensorFlowImporter.network(
        meta.graph,
        name: name,
        inputs: inputs,
        outputs: outputs,
        saver: meta.saver,
        checkpoint: bundle.map { lookup(in: $0) },
        savedNames: try bundle.map { try savedNames(meta, $0) } ?? [:]
      )
      let producer = meta.version.isEmpty ? nil : "tensorflow \(meta.version)"
      return ImportReport(graph: graph, diagnostics: notes, producer: producer)
    }
  }

  /// The signature that the user asks for, the usual one, or the only one.
  private static func choose(
    _ signatures: [String: TFSignature],
    _ options: ImportOptions
  ) throws -> (String, TFSignature) {
    let callable = signatures.filter { $0.key != "__saved_model_init_op" }
    let names = callable.keys.sorted()
    let list = names.map { "'\($0)'" }.joined(separator: ", ")
    if let name = options.signature {
      if let found = signatures[name] { return (name, found) }
      let guess = nearest(to: name, among: names).map { "; did you mean '\($0)'?" } ?? ""
      throw Diagnostic(
        "TFG023",
        "there is no signature '\(name)'",
        remedy: names.isEmpty ? "the SavedModel has none" : "one of \(list)\(guess)"
      )
    }
    if let found = callable["serving_default"] { return ("serving_default", found) }
    if callable.count == 1, let only = callable.first { return (only.key, only.value) }
    throw Diagnostic(
      "TFG023",
      callable.isEmpty
        ? "the SavedModel has no signature" : "the SavedModel has several signatures",
      remedy: callable.isEmpty
        ? "save it with signatures, or name input and output nodes" : "choose one of \(list)"
    )
  }

  /// Names in alphabetical order, but numbers at their end by value.
  private static func isOrdered(_ a: String, _ b: String) -> Bool {
    func parts(_ name: String) -> (String, Int) {
      let digits = String(name.reversed().prefix { $0.isNumber }.reversed())
      return (String(name.dropLast(digits.count)), Int(digits) ?? -1)
    }
    return parts(a) < parts(b)
  }

  /// The type of an input, with open extents filled from the options.
  private static func inputType(
    _ name: String,
    _ info: TFTensorInfo,
    _ graph: TFGraph,
    _ options: ImportOptions
  ) throws -> TensorType {
    try locating("input '\(name)'") {
      guard let dtype = info.dtype.dtype, dtype != .string else {
        throw Diagnostic(
          "TFG018",
          "inputs of type \(info.dtype) are not supported",
          remedy: "choose a signature whose inputs are tensors of numbers"
        )
      }
      return TensorType(dtype, try staticShape(name, try info.shape.shape(), options))
    }
  }

  /// A shape without open extents: the first is the batch, all others must be given.
  static func staticShape(_ name: String, _ shape: Shape?, _ options: ImportOptions) throws -> Shape
  {
    if let given = options.shape(of: name) {
      guard given.isStatic,
        shape.map({
          $0.rank == given.rank && zip($0.dims, given.dims).allSatisfy { $0 < 0 || $0 == $1 }
        }) ?? true
      else { throw Diagnostic("TFG019", "the shape \(given) does not fit this input") }
      return given
    }
    guard let shape else {
      throw Diagnostic("TFG019", "not even the rank is known", remedy: "give the input's shape")
    }
    for (axis, dim) in shape.dims.enumerated() where dim < 0 && axis > 0 {
      throw Diagnostic("TFG019", "extent \(axis) is open", remedy: "give the input's shape")
    }
    return Shape(shape.dims.map { $0 < 0 ? options.batch : $0 })
  }

  /// The variables of a SavedModel; `nil` when it has none.
  private static func bundle(_ options: ImportOptions) throws -> (any Checkpoint)? {
    guard !options.path.isEmpty, options.companions.has("variables/variables.index") else {
      return nil
    }
    return try openCheckpoint("variables/variables", options.companions)
  }

  /// The names in the checkpoint of the variables that a signature's function captures.
  ///
  /// The graph names them by handles; the objects behind those are listed with the function, and the
  /// checkpoint has the same objects with their values' names.
  private static func savedNames(
    _ meta: TFMetaGraph,
    _ checkpoint: any Checkpoint
  ) throws -> [String: String] {
    guard let objects = meta.objects, let text = try checkpoint.text("_CHECKPOINTABLE_OBJECT_GRAPH")
    else { return [:] }
    let saved = try TFObjectGraph(reading: ProtobufReader(text))
    let keys = objects.checkpointKeys(in: saved)
    var names: [String: String] = [:]
    for node in meta.graph.nodes {
      guard case .function(let function) = node.attributes["f"],
        let bound = objects.boundInputs[function], bound.count <= node.dataInputs.count
      else { continue }
      for (handle, object) in zip(node.dataInputs.suffix(bound.count), bound) {
        if let key = keys[object] { names[handle] = key }
      }
    }
    return names
  }
}

/// What finds the value of a variable in a checkpoint.
func lookup(in checkpoint: any Checkpoint) -> (String) throws -> Tensor? {
  { name in
    if let tensor = try checkpoint.tensor(name) { return tensor }
    // Objects' variables are kept under the path to them.
    return try checkpoint.tensor(name + "/.ATTRIBUTES/VARIABLE_VALUE")
  }
}

/// Opens the checkpoint with this prefix, of either format.
///
/// - Throws: `Diagnostic` FMT01x when a file is missing, TFG04x when it is damaged.
public func openCheckpoint(_ prefix: String, _ companions: Companions) throws -> any Checkpoint {
  func numbered(_ number: Int, _ count: Int) -> String {
    func padded(_ value: Int) -> String {
      let digits = String(value)
      return String(repeating: "0", count: max(5 - digits.count, 0)) + digits
    }
    return "-\(padded(number))-of-\(padded(count))"
  }
  if companions.has(prefix + ".index") {
    return try locating("\(prefix).index") {
      try TensorBundle(index: try companions.open(prefix + ".index")) { shard, count in
        try companions.open("\(prefix).data\(numbered(shard, count))")
      }
    }
  }
  if companions.has(prefix) {
    return try locating(prefix) { try CheckpointV1([try companions.open(prefix)]) }
  }
  for count in 1...64 where companions.has(prefix + numbered(0, count)) {
    return try locating(prefix) {
      try CheckpointV1(try (0..<count).map { try companions.open(prefix + numbered($0, count)) })
    }
  }
  throw Diagnostic(
    "FMT011",
    "there is no checkpoint '\(prefix)' in the model's folder",
    at: [companions.folder]
  )
}
