import AssayBase
import AssayCodec
import AssayGraph
import AssayTensor
import AssayTensorFlow

/// A node as its operator's `write` sees it.
struct ExportedNode {
  var name: String
  var inputs: [ValueID?]
  var outputs: [ValueID]
  /// The types of the inputs; `nil` for an absent one.
  var inputTypes: [TensorType?]
  var outputTypes: [TensorType]

  /// The type of a mandatory input.
  func type(_ index: Int) throws -> TensorType {
    guard inputTypes.indices.contains(index), let type = inputTypes[index] else {
      throw Diagnostic("TFL100", "input \(index) is missing")
    }
    return type
  }

  /// The type of the first output.
  var outputType: TensorType {
    get throws {
      guard let type = outputTypes.first else { throw Diagnostic("TFL100", "it has no output") }
      return type
    }
  }

  /// An input, or `nil` where it is absent.
  func input(_ index: Int) -> ValueID? {
    inputs.indices.contains(index) ? inputs[index] : nil
  }
}

/// Graph -> tables of a .tflite file.
struct TFLiteExporter {
  /// The graph that is written.
  let graph: Graph
  private var model = ModelRecord()
  private var subgraph = SubgraphRecord()
  private var tensorOfValue: [ValueID: Int32] = [:]
  private var codeIndices: [CodeName: Int] = [:]
  /// Whether custom operators of the file that was read are written back, and TensorFlow's used where
  /// the format has none.
  private let allowsCustom: Bool
  /// What the user should know of the file.
  var notes: [Diagnostic] = []
  /// Buffers by a sample of their bytes, so that equal constants lie in the file once.
  private var buffersBySample: [BufferSample: [Int]] = [:]
  /// Reshapes that need no operator, because every reader of their result flattens by itself: the
  /// result and what stands for it.
  private var flattened: [ValueID: ValueID] = [:]

  init(_ graph: Graph, allowsCustom: Bool = false) {
    self.graph = graph
    self.allowsCustom = allowsCustom
  }

  /// Writes the whole graph.
  ///
  /// - Throws: `Diagnostics` with every node that the format cannot hold.
  mutating func run(description: String) throws -> ModelRecord {
    // The schema keeps buffer 0 for tensors without elements.
    model.buffers = [nil]
    findFlattened()
    var faults: [Diagnostic] = []
    subgraph.inputs = graph.inputs.map { tensor($0) }
    for node in graph.nodes where !(node.op is Reshape && isFlattened(node)) {
      let view = ExportedNode(
        name: node.name,
        inputs: node.inputs,
        outputs: node.outputs,
        inputTypes: node.inputs.map { $0.map { graph[$0].type } },
        outputTypes: node.outputs.map { graph[$0].type }
      )
      do {
        try locating("node '\(node.name)' (\(node.op.name))") {
          try checkTypes(view)
          if let opaque = node.op as? Opaque { return try write(opaque, view) }
          try write(node, view)
        }
      } catch let fault as Diagnostic {
        faults.append(fault)
      } catch let several as Diagnostics {
        faults += several.all
      }
    }
    subgraph.outputs = graph.outputs.map { tensor($0) }
    try Diagnostics(faults).throwIfErrors()
    subgraph.name = graph.name.isEmpty ? "main" : graph.name
    model.subgraphs = [subgraph]
    model.description = description
    model.signatures = [signature()]
    addMetadata()
    return model
  }

  /// Throws for values of a type that the schema does not have.
  private func checkTypes(_ view: ExportedNode) throws {
    let types = view.inputTypes.compactMap { $0 } + view.outputTypes
    guard let type = types.first(where: { !$0.dtype.isInTFLite }) else { return }
    throw Diagnostic(
      "TFL115",
      "TensorFlow Lite has no type \(type.dtype)",
      remedy: "export as ONNX, or cast to a type that it has in the network"
    )
  }

  /// Writes a node by the format's operators, or else, where custom ones are allowed, as TensorFlow's.
  private mutating func write(_ node: Node, _ view: ExportedNode) throws {
    let before = self
    do {
      guard let op = node.op as? any TFLiteOperator else {
        throw Diagnostic(
          "TFL101",
          "TensorFlow Lite has no operator \(node.op.name)",
          remedy: "export as ONNX, or replace the operator in the network"
        )
      }
      try checkBlocks(view, op)
      try op.write(view, to: &self)
    } catch {
      guard allowsCustom, canExportToTensorFlow(node.op) else { throw error }
      self = before
      try writeFlex(node)
    }
  }

  /// Throws when the kernels cannot take an input that has a scale for each block.
  private func checkBlocks(_ node: ExportedNode, _ op: any Operator) throws {
    for (index, type) in node.inputTypes.enumerated() {
      guard let type, let quantization = type.quantization, quantization.isBlockwise else {
        continue
      }
      guard op is FullyConnected, index == 1, type.dtype == .int4, type.shape.rank == 2,
        quantization.axis == 1, let size = quantization.blockSize, size % 32 == 0,
        type.shape[1] % size == 0, quantization.zeroPoints.allSatisfy({ $0 == 0 })
      else {
        throw Diagnostic(
          "TFL111",
          "\(type.dtype.rawValue) with a scale for every \(quantization.blockSize ?? 0) elements has no "
            + "kernel here",
          remedy: "LiteRT has weights of dense layers in int4 with blocks of 32, 64, 128 or 256"
        )
      }
    }
  }

  private func isFlattened(_ node: Node) -> Bool {
    node.outputs.contains { flattened[$0] != nil }
  }

  /// Finds reshapes to rank 2 whose result only dense layers read: FULLY_CONNECTED takes an input
  /// of any rank as rows of its weights' length, in the order of the elements.
  private mutating func findFlattened() {
    let consumers = graph.consumers()
    let results = Set(graph.outputs)
    for node in graph.nodes where node.op is Reshape {
      guard let output = node.outputs.first, let input = node.inputs.first ?? nil,
        graph[output].type.shape.rank == 2, graph[input].type.shape.rank > 2,
        !results.contains(output), let readers = consumers[output], !readers.isEmpty,
        readers.allSatisfy({ index in
          graph.nodes[index].op is FullyConnected && graph.nodes[index].inputs.first == output
            && !graph.nodes[index].inputs.dropFirst().contains(output)
        })
      else { continue }
      flattened[output] = flattened[input] ?? input
    }
  }

  private func signature() -> SignatureRecord {
    var names = UniqueNames()
    let inputs = zip(graph.inputs, subgraph.inputs).map {
      (name: names.unique(graph[$0].name), tensor: Int($1))
    }
    names = UniqueNames()
    let outputs = zip(graph.outputs, subgraph.outputs).map {
      (name: names.unique(graph.outputName($0)), tensor: Int($1))
    }
    return SignatureRecord(key: "serving_default", inputs: inputs, outputs: outputs, subgraph: 0)
  }

  private mutating func addMetadata() {
    if let version = RuntimeVersion.minimum(of: model.codes) {
      // Readers expect a field of sixteen bytes, filled up with zeros.
      var bytes = Array(version.utf8.prefix(16))
      bytes.append(contentsOf: repeatElement(0, count: 16 - bytes.count))
      add(metadata: "min_runtime_version", bytes)
    }
    let half = DType.float16.tfliteNumber
    if subgraph.tensors.contains(where: { $0.type == half && $0.buffer != 0 }) {
      // Tells delegates that sums of halves in float32 are exact enough for this network.
      add(metadata: "reduced_precision_support", Array("fp16accfp32".utf8))
    }
    for entry in graph.attachments where !entry.isFile {
      model.metadata.append(MetadataRecord(name: entry.name, buffer: model.buffers.count))
      model.buffers.append(entry.bytes)
    }
  }

  private mutating func add(metadata name: String, _ bytes: [UInt8]) {
    model.metadata.append(MetadataRecord(name: name, buffer: model.buffers.count))
    model.buffers.append(ByteView(bytes))
  }

  // MARK: Operators that are only described

  /// Writes an operator back as the file that was read had it.
  private mutating func write(_ op: Opaque, _ node: ExportedNode) throws {
    guard let payload = op.payload as? TFLitePayload else {
      throw Diagnostic("TFL101", "TensorFlow Lite has no operator \(op.name)")
    }
    guard payload.isWhole else {
      throw Diagnostic(
        "TFL109",
        "\(op.name) refers to parts of its file that are not kept",
        remedy: "keep the file as it is"
      )
    }
    let isCustom = payload.builtin == "CUSTOM"
    guard allowsCustom || !isCustom else {
      throw Diagnostic(
        "TFL110",
        "\(op.name) is no operator that every TensorFlow Lite runtime has",
        remedy: op.name.hasPrefix("Flex")
          ? "--allow-custom keeps it: LiteRT with the Select TensorFlow operators linked can run it"
          : "--allow-custom keeps it: LiteRT with that operator registered can run it"
      )
    }
    var inputs = node.inputs.map { tensor($0) }
    for (place, type) in payload.variables where inputs.indices.contains(place) {
      inputs[place] = variable("\(node.name)/state\(place)", type)
    }
    let outputs = node.outputs.map { tensor($0) }
    add(
      payload.builtin,
      custom: isCustom ? op.name : nil,
      version: Int(payload.version),
      inputs: inputs,
      outputs: outputs,
      options: payload.options.map { (payload.optionsType, $0) }
    )
    subgraph.operators[subgraph.operators.count - 1].secondOptionsType = payload.secondOptionsType
    subgraph.operators[subgraph.operators.count - 1].customOptions = payload.customOptions
    guard isCustom else { return }
    let needs =
      op.name == EdgeTPUPackage.customName
      ? "the Edge TPU delegate"
      : op.name.hasPrefix("Flex") ? "the Select TensorFlow operators linked" : "it registered"
    notes.append(
      Diagnostic(
        "TFL112",
        "\(op.name) is kept as a custom operator",
        at: ["node '\(node.name)'"],
        remedy: "LiteRT runs it with \(needs), other runtimes do not",
        severity: .warning
      )
    )
  }

  /// Adds a custom operator.
  mutating func addCustom(
    _ name: String,
    inputs: [Int32],
    outputs: [Int32],
    options: ByteView
  ) {
    add("CUSTOM", custom: name, inputs: inputs, outputs: outputs)
    subgraph.operators[subgraph.operators.count - 1].customOptions = options
  }

  /// A new tensor that keeps its elements from one run to the next.
  mutating func variable(_ name: String, _ type: TensorType) -> Int32 {
    let index = temporary(name, type)
    subgraph.tensors[Int(index)].isVariable = true
    return index
  }

  // MARK: Tensors

  /// The tensor that stands for a value; -1 for an absent one.
  mutating func tensor(_ id: ValueID?) -> Int32 {
    guard let id else { return -1 }
    if let known = tensorOfValue[id] { return known }
    let value = graph[id]
    let index = add(name: value.name, value.type, bytes: value.constant?.bytes)
    tensorOfValue[id] = index
    return index
  }

  /// The tensor that a dense layer reads for its input: what lies before a reshape that only
  /// flattens.
  mutating func flattenedTensor(_ id: ValueID?) -> Int32 {
    tensor(id.map { flattened[$0] ?? $0 })
  }

  /// A new tensor for a result within one node.
  mutating func temporary(_ name: String, _ type: TensorType) -> Int32 {
    add(name: name, type, bytes: nil)
  }

  /// A new tensor of int32 constants: an attribute of ours that the format holds as an input.
  mutating func constant(_ name: String, _ values: [Int], shape: Shape? = nil) throws -> Int32 {
    let elements = try values.map { value in
      guard let element = Int32(exactly: value) else {
        throw Diagnostic("TFL102", "\(value) does not fit an attribute of 32 bits")
      }
      return element
    }
    return constant(name, Tensor(elements, shape ?? [values.count]))
  }

  /// A new tensor of constants.
  mutating func constant(_ name: String, _ tensor: Tensor) -> Int32 {
    add(name: name, tensor.type, bytes: tensor.bytes)
  }

  private mutating func add(name: String, _ type: TensorType, bytes: ByteView?) -> Int32 {
    let dims = type.shape.dims.map { Int32(clamping: $0) }
    let isOpen = dims.contains { $0 < 0 }
    let scales = blockScales(type, name)
    subgraph.tensors.append(
      TensorRecord(
        name: name,
        shape: isOpen ? dims.map { $0 < 0 ? 1 : $0 } : dims,
        signature: isOpen ? dims : nil,
        type: type.dtype.tfliteNumber,
        buffer: bytes.map { buffer($0) } ?? 0,
        quantization: scales
          ?? type.quantization.map {
            QuantizationRecord(
              scales: $0.scales,
              zeroPoints: $0.zeroPoints.map(Int64.init),
              axis: Int32(clamping: $0.axis.flatMap { type.shape.normalized(axis: $0) } ?? 0)
            )
          }
      )
    )
    return Int32(subgraph.tensors.count - 1)
  }

  /// The scales of blocks, which lie in a tensor of halves; `nil` for other types.
  private mutating func blockScales(_ type: TensorType, _ name: String) -> QuantizationRecord? {
    guard let quantization = type.quantization, let size = quantization.blockSize, size > 0,
      let axis = quantization.axis.flatMap(type.shape.normalized(axis:))
    else { return nil }
    var shape = type.shape
    shape.dims[axis] = (shape[axis] + size - 1) / size
    guard shape.elementCount == quantization.scales.count,
      let halves = Tensor(quantization.scales, shape).converted(to: .float16)
    else { return nil }
    let scales = add(name: name + "/scales", halves.type, bytes: halves.bytes)
    return QuantizationRecord(
      scales: [],
      zeroPoints: [],
      axis: 0,
      kind: 2,
      blockwise: BlockwiseRecord(scales: Int(scales), zeroPoints: -1, blockSize: size)
    )
  }

  private mutating func buffer(_ bytes: ByteView) -> Int {
    guard bytes.count > 0 else { return 0 }
    let sample = BufferSample(bytes)
    for index in buffersBySample[sample, default: []] {
      if let known = model.buffers[index], known.hasSameBytes(as: bytes) { return index }
    }
    model.buffers.append(bytes)
    buffersBySample[sample, default: []].append(model.buffers.count - 1)
    return model.buffers.count - 1
  }

  // MARK: Operators

  /// Adds an operator.
  ///
  /// All operators of one kind share one entry of the operator codes, with the greatest version
  /// among them, as TensorFlow's converter has it.
  mutating func add(
    _ builtin: BuiltinOperator,
    custom: String? = nil,
    version: Int = 1,
    inputs: [Int32],
    outputs: [Int32],
    options: (type: UInt8, table: FlatObject)? = nil
  ) {
    let code: Int
    let name = CodeName(builtin: builtin, custom: custom)
    if let known = codeIndices[name] {
      code = known
      model.codes[code].version = max(model.codes[code].version, Int32(version))
    } else {
      code = model.codes.count
      codeIndices[name] = code
      model.codes.append(CodeRecord(builtin: builtin, custom: custom, version: Int32(version)))
    }
    subgraph.operators.append(
      OperatorRecord(
        code: code,
        inputs: inputs,
        outputs: outputs,
        optionsType: options?.type ?? 0,
        newOptions: options?.table
      )
    )
  }

  /// Adds an operator with the node's own inputs and outputs.
  mutating func add(
    _ builtin: BuiltinOperator,
    version: Int = 1,
    _ node: ExportedNode,
    options: (type: UInt8, table: FlatObject)? = nil
  ) {
    let inputs = node.inputs.map { tensor($0) }
    add(
      builtin,
      version: version,
      inputs: inputs,
      outputs: node.outputs.map { tensor($0) },
      options: options
    )
  }
}

/// What one entry of the operator codes is of.
private struct CodeName: Hashable {
  var builtin: BuiltinOperator
  var custom: String?
}

/// A few bytes of a buffer that tell most unequal buffers apart.
private struct BufferSample: Hashable {
  let count: Int
  let bytes: [UInt8]

  init(_ view: ByteView) {
    count = view.count
    let step = max(1, view.count / 64)
    bytes = stride(from: 0, to: view.count, by: step).compactMap {
      try? view.load(UInt8.self, at: $0)
    }
  }
}

/// The version that an operator has for integer elements of its first input, where it is 1 for
/// floats.
func integerVersion(of type: TensorType, int8: Int = 2, int16: Int = 1) -> Int {
  switch type.dtype {
  case .int8: int8
  case .int16: int16
  default: 1
  }
}
