import AssayBase
import AssayCodec
import AssayFormat
import AssayGraph
import AssayTensor

/// An operator of a file as a `read` sees it.
struct ImportedOperator {
  let index: Int
  let builtin: BuiltinOperator
  let custom: String?
  let record: OperatorRecord
  /// The options, whose fields are all absent when the file has none.
  let options: ImportedOptions

  /// The name for messages.
  var name: String { custom ?? builtin.name }
}

/// The fields of an operator's options; absent options have every default.
struct ImportedOptions {
  let table: FlatTable?

  func int8(_ field: Int) throws -> Int8 { try table?.scalar(field, default: 0) ?? 0 }

  func int(_ field: Int, default value: Int32 = 0) throws -> Int {
    Int(try table?.scalar(field, default: value) ?? value)
  }

  func float(_ field: Int) throws -> Float { try table?.scalar(field, default: 0) ?? 0 }

  func bool(_ field: Int) throws -> Bool { try table?.bool(field) ?? false }

  func ints(_ field: Int) throws -> [Int] {
    try table?.vector(field, of: Int32.self)?.map(Int.init) ?? []
  }

  /// A fused activation.
  func activation(_ field: Int) throws -> FusedActivation {
    let number = try int8(field)
    guard let activation = FusedActivation(rawValue: number) else {
      throw Diagnostic("TFL011", "activation function \(number) is not known")
    }
    return activation
  }

  /// The enum Padding: SAME or VALID.
  func padding(_ field: Int) throws -> Padding {
    switch try int8(field) {
    case 0: return .same
    case 1: return .valid
    case let number: throw Diagnostic("TFL011", "padding \(number) is not known")
    }
  }
}

/// Tables of a .tflite file -> Graph.
struct TFLiteImporter {
  private let model: ModelRecord
  private let subgraph: SubgraphRecord
  private let options: ImportOptions
  private var graph: Graph
  private var valueOfTensor: [Int: ValueID] = [:]
  private var valueNames = UniqueNames()
  private var nodeNames = UniqueNames()
  private var diagnostics: [Diagnostic] = []
  /// Integers that operators on shapes compute, by tensor.
  private var foldedIntegers: [Int: Tensor] = [:]
  /// Inputs with extents other than the batch that the file leaves open.
  private var openInputs: [String] = []
  private var opaque: [(name: String, count: Int, bytes: Int)] = []

  init(_ model: ModelRecord, options: ImportOptions) throws {
    self.model = model
    self.options = options
    guard let subgraph = model.subgraphs.first else {
      throw Diagnostic("TFL002", "the file holds no network")
    }
    self.subgraph = subgraph
    graph = Graph(name: subgraph.name ?? "main")
  }

  /// Reads the first subgraph.
  ///
  /// - Throws: `Diagnostics` with everything that is not understood.
  mutating func run() throws -> ImportReport {
    if model.subgraphs.count > 1 {
      diagnostics.append(
        Diagnostic(
          "TFL022",
          "the file has \(model.subgraphs.count) subgraphs, the first one is read",
          severity: .note
        )
      )
    }
    let signature = model.signatures.first { $0.subgraph == 0 }
    addInputs(signature)
    for (index, record) in subgraph.operators.enumerated() { read(record, index: index) }
    if !openInputs.isEmpty {
      let hasErrors = Diagnostics(diagnostics).hasErrors
      diagnostics.insert(
        Diagnostic(
          "TFL004",
          "the extents of \(openInputs.joined(separator: ", ")) are open and were taken as 1",
          remedy: "give the shapes of the inputs",
          severity: hasErrors ? .error : .warning
        ),
        at: 0
      )
    }
    try Diagnostics(diagnostics).throwIfErrors()
    try addOutputs(signature)
    describeOpaque()
    try Diagnostics(diagnostics).throwIfErrors()
    return ImportReport(
      graph: graph,
      diagnostics: diagnostics,
      producer: model.description.flatMap { $0.isEmpty ? nil : $0 }
    )
  }

  // MARK: Inputs and outputs

  private mutating func addInputs(_ signature: SignatureRecord?) {
    for index in subgraph.inputs.map(Int.init) {
      collecting("input tensor \(index)") { importer in
        let tensor = try importer.record(index)
        guard importer.valueOfTensor[index] == nil else {
          throw Diagnostic("TFL003", "tensor \(index) is an input twice")
        }
        let name = signature?.inputs.first { $0.tensor == index }?.name ?? tensor.name
        var type = try importer.type(of: tensor)
        let open = tensor.signature ?? []
        if let given = importer.options.shapes[name] ?? importer.options.shapes[tensor.name] {
          type.shape = given
        } else if !open.isEmpty, !type.shape.dims.isEmpty {
          if open[0] == -1 { type.shape.dims[0] = importer.options.batch }
          if open.dropFirst().contains(-1) {
            importer.openInputs.append("'\(name)' (\(Shape(open.map(Int.init))))")
          }
        }
        let id = importer.graph.addInput(importer.uniqueName(name, or: "input"), type)
        importer.valueOfTensor[index] = id
      }
    }
  }

  private mutating func addOutputs(_ signature: SignatureRecord?) throws {
    for index in subgraph.outputs.map(Int.init) {
      collecting("output tensor \(index)") { importer in
        guard let id = try importer.value(index) else {
          throw Diagnostic("TFL003", "an output is absent")
        }
        importer.graph.outputs.append(id)
        let name = signature?.outputs.first { $0.tensor == index }?.name
        if let name, !name.isEmpty, name != importer.graph[id].name {
          importer.graph.outputNames[id] = name
        }
      }
    }
  }

  // MARK: Operators

  private mutating func read(_ record: OperatorRecord, index: Int) {
    guard model.codes.indices.contains(record.code) else {
      diagnostics.append(
        Diagnostic("TFL003", "operator code \(record.code) is not there", at: ["operator \(index)"])
      )
      return
    }
    let code = model.codes[record.code]
    let source = ImportedOperator(
      index: index,
      builtin: code.builtin,
      custom: code.builtin == "CUSTOM" ? code.custom ?? "custom operator" : nil,
      record: record,
      options: ImportedOptions(table: record.options)
    )
    let isRead = collecting("operator \(index) (\(source.name))") { importer in
      guard try !importer.fold(source) else { return }
      if let reader = TFLiteOperators.readers[source.builtin] {
        try reader.read(source, into: &importer)
      } else if let reader = ComposedOperators.readers[source.builtin] {
        try reader(source, &importer)
      } else {
        try importer.addOpaque(source)
      }
    }
    if !isRead { declareOutputs(record) }
  }

  /// Makes the outputs of an operator that is not understood, so that its readers add no findings.
  private mutating func declareOutputs(_ record: OperatorRecord) {
    for index in record.outputs.map(Int.init) where valueOfTensor[index] == nil {
      guard let tensor = try? self.record(index), let type = try? type(of: tensor) else { continue }
      valueOfTensor[index] = graph.add(Value(name: tensor.name, type: type))
    }
  }

  /// Runs `body`, keeps what it throws as findings.
  ///
  /// - Returns: whether nothing was thrown.
  @discardableResult
  private mutating func collecting(
    _ place: String,
    _ body: (inout TFLiteImporter) throws -> Void
  ) -> Bool {
    do {
      try locating(place) { try body(&self) }
      return true
    } catch let fault as Diagnostic {
      diagnostics.append(fault)
    } catch let several as Diagnostics {
      diagnostics += several.all
    } catch {
      diagnostics.append(Diagnostic("TFL003", "\(error)", at: [place]))
    }
    return false
  }

  /// Adds a node that cannot be computed, with the outputs that the file declares.
  mutating func addOpaque(_ source: ImportedOperator) throws {
    let inputs = try source.record.inputs.map { index -> ValueID? in
      guard index >= 0, !(try record(Int(index)).isVariable) else { return nil }
      return try value(Int(index))
    }
    let types = try source.record.outputs.map { try type(of: record(Int($0))) }
    try add(Opaque(source.name, outputTypes: types), inputs, source)
    let bytes = source.record.customLength
    if let known = opaque.firstIndex(where: { $0.name == source.name }) {
      opaque[known].count += 1
      opaque[known].bytes += bytes
    } else {
      opaque.append((source.name, 1, bytes))
    }
  }

  private mutating func describeOpaque() {
    for (name, count, bytes) in opaque {
      let isEdgeTPU = name == "edgetpu-custom-op"
      diagnostics.append(
        Diagnostic(
          isEdgeTPU ? "TFL021" : "TFL020",
          isEdgeTPU
            ? "part of the network is compiled for an Edge TPU (\(count) \(name), \(bytes) bytes)"
            : "operator \(name) cannot be computed here (\(count) of \(graph.nodes.count) nodes)",
          remedy: isEdgeTPU
            ? "run it with the Edge TPU delegate; convert the model from which it was compiled"
            : "it is kept for description; a runtime that has it can still run the file",
          severity: .warning
        )
      )
    }
  }

  // MARK: For the operators' readers

  /// The record of a tensor.
  func record(_ index: Int) throws -> TensorRecord {
    guard subgraph.tensors.indices.contains(index) else {
      throw Diagnostic("TFL003", "tensor \(index) is not there")
    }
    return subgraph.tensors[index]
  }

  /// The number of an operator's inputs that are present.
  func inputCount(_ source: ImportedOperator) -> Int {
    source.record.inputs.count { $0 >= 0 }
  }

  /// The tensor index of an input; `nil` for an absent one.
  func tensorIndex(_ input: Int, of source: ImportedOperator) -> Int? {
    let inputs = source.record.inputs
    return inputs.indices.contains(input) && inputs[input] >= 0 ? Int(inputs[input]) : nil
  }

  /// The value of an optional input.
  mutating func optionalInput(_ input: Int, of source: ImportedOperator) throws -> ValueID? {
    guard let index = tensorIndex(input, of: source) else { return nil }
    return try value(index)
  }

  /// The value of an input that must be there.
  mutating func input(_ input: Int, of source: ImportedOperator) throws -> ValueID {
    guard let id = try optionalInput(input, of: source) else {
      throw Diagnostic("TFL012", "input \(input) is missing")
    }
    return id
  }

  /// The type of a value.
  func type(_ id: ValueID) -> TensorType { graph[id].type }

  /// The elements of a value, when they are known.
  func constant(_ id: ValueID) -> Tensor? { graph[id].constant }

  /// The integers of an input that must be known before the network runs.
  ///
  /// - Throws: `Diagnostic` TFL013 when they are computed.
  func integers(_ input: Int, of source: ImportedOperator) throws -> [Int] {
    guard let index = tensorIndex(input, of: source) else {
      throw Diagnostic("TFL012", "input \(input) is missing")
    }
    guard let tensor = try knownIntegers(index) else {
      throw Diagnostic("TFL013", "input \(input) is computed while the network runs")
    }
    return tensor.integers()
  }

  /// A small constant integer tensor, from the file or folded; `nil` when it is computed.
  func knownIntegers(_ index: Int) throws -> Tensor? {
    if let folded = foldedIntegers[index] { return folded }
    let tensor = try record(index)
    guard subgraph.inputs.allSatisfy({ Int($0) != index }), let constant = try elements(of: tensor),
      constant.dtype.isInteger, constant.count <= 1 << 16
    else { return nil }
    return constant
  }

  /// The elements of a constant tensor of any type, from the file or folded.
  func knownElements(_ index: Int) throws -> Tensor? {
    try foldedIntegers[index] ?? elements(of: record(index))
  }

  /// Keeps the result of an operator on shapes.
  mutating func setFolded(_ tensor: Tensor, output: Int, of source: ImportedOperator) {
    guard source.record.outputs.indices.contains(output) else { return }
    foldedIntegers[Int(source.record.outputs[output])] = tensor
  }

  /// The type that the file declares for an output.
  func declaredType(_ output: Int, of source: ImportedOperator) throws -> TensorType {
    guard source.record.outputs.indices.contains(output) else {
      throw Diagnostic("TFL012", "output \(output) is missing")
    }
    return try type(of: record(Int(source.record.outputs[output])))
  }

  /// Adds a node that makes the operator's outputs.
  ///
  /// Shapes are those that the operator infers; element types and quantization are the file's.
  ///
  /// - Parameters:
  ///   - activation: a function that follows in a node of its own.
  ///   - given: the tensors that it makes, when they are not all of the operator's.
  mutating func add(
    _ op: any Operator,
    _ inputs: [ValueID?],
    _ source: ImportedOperator,
    then activation: FusedActivation = .none,
    outputs given: [Int32]? = nil
  ) throws {
    guard let after = activation.unary else {
      let types = try inferredTypes(op, inputs)
      let tensors = given ?? source.record.outputs
      guard types.count == tensors.count else {
        throw Diagnostic("TFL012", "it has \(tensors.count) outputs instead of \(types.count)")
      }
      var outputs: [ValueID] = []
      for (inferred, index) in zip(types, tensors.map(Int.init)) {
        guard valueOfTensor[index] == nil else {
          throw Diagnostic("TFL003", "tensor \(index) is made twice")
        }
        let tensor = try record(index)
        var type = try type(of: tensor)
        type.shape = inferred.shape
        let name = uniqueName(tensor.name, or: "tensor \(index)")
        let id = graph.add(Value(name: name, type: type))
        valueOfTensor[index] = id
        outputs.append(id)
      }
      appendNode(op, inputs, outputs)
      return
    }
    let declared = try declaredType(0, of: source)
    let before = try intermediate(op, inputs, source, like: declared)
    try add(after, [before], source)
  }

  /// Adds a node for a result within one operator of the file.
  ///
  /// - Parameter like: gives its element type and quantization; `nil` for those that the operator
  ///   infers.
  mutating func intermediate(
    _ op: any Operator,
    _ inputs: [ValueID?],
    _ source: ImportedOperator,
    like model: TensorType? = nil
  ) throws -> ValueID {
    var types = try inferredTypes(op, inputs)
    if let model {
      for index in types.indices {
        types[index].dtype = model.dtype
        types[index].quantization = model.quantization
      }
    }
    let first = source.record.outputs.first.map(Int.init)
    let base = try first.map { try record($0).name } ?? source.name
    let outputs = types.map { type in
      graph.add(Value(name: uniqueName("\(base)/\(op.name)", or: op.name), type: type))
    }
    guard let result = outputs.first else { throw Diagnostic("TFL012", "it has no output") }
    appendNode(op, inputs, outputs)
    return result
  }

  /// What an operator infers for its outputs, within the extents that the schema can express.
  private func inferredTypes(_ op: any Operator, _ inputs: [ValueID?]) throws -> [TensorType] {
    let types = try op.inferTypes(inputs.map { $0.map { graph[$0].type } })
    for type in types {
      guard type.byteCount != nil, type.shape.dims.allSatisfy({ $0 <= Int(Int32.max) }) else {
        throw Diagnostic("TFL015", "a result has the shape \(type.shape)")
      }
    }
    return types
  }

  /// The outputs of the node that was added last.
  var lastOutputs: [ValueID] { graph.nodes.last?.outputs ?? [] }

  /// Adds a Constant that the file does not hold as such.
  mutating func addConstant(_ name: String, _ tensor: Tensor) -> ValueID {
    graph.addConstant(uniqueName(name, or: "constant"), tensor)
  }

  private mutating func appendNode(_ op: any Operator, _ inputs: [ValueID?], _ outputs: [ValueID]) {
    let name = nodeNames.unique(outputs.first.map { graph[$0].name } ?? op.name)
    graph.nodes.append(Node(name: name, op: op, inputs: inputs, outputs: outputs))
  }

  // MARK: Values

  /// The value of a tensor: made before, or a constant; `nil` for an absent one.
  private mutating func value(_ index: Int) throws -> ValueID? {
    if index < 0 { return nil }
    if let known = valueOfTensor[index] { return known }
    let tensor = try record(index)
    let constant: Tensor
    if let folded = foldedIntegers[index] {
      constant = folded
    } else if let elements = try elements(of: tensor) {
      constant = elements
    } else {
      throw Diagnostic("TFL003", "tensor \(index) ('\(tensor.name)') is read before it is made")
    }
    let id = graph.addConstant(uniqueName(tensor.name, or: "constant \(index)"), constant)
    valueOfTensor[index] = id
    return id
  }

  /// The elements that the file holds for a tensor; `nil` when it holds none.
  private func elements(of tensor: TensorRecord) throws -> Tensor? {
    guard !tensor.isExternal else {
      throw Diagnostic(
        "TFL014",
        "the constant '\(tensor.name)' lies in another file",
        remedy: "convert the model with its weights inside"
      )
    }
    let type = try type(of: tensor)
    let isThere = model.buffers.indices.contains(tensor.buffer)
    guard isThere, let bytes = model.buffers[tensor.buffer] else {
      return type.shape.elementCount == 0 ? try Tensor(type, bytes: ByteView([])) : nil
    }
    guard !tensor.isSparse else {
      throw Diagnostic(
        "TFL014",
        "the constant '\(tensor.name)' is sparse",
        remedy: "convert the model without sparsity"
      )
    }
    return try locating("tensor '\(tensor.name)'") { try Tensor(type, bytes: bytes) }
  }

  /// The type of a tensor as the file declares it.
  func type(of tensor: TensorRecord) throws -> TensorType {
    guard let dtype = DType(tflite: tensor.type) else {
      throw Diagnostic("TFL015", "'\(tensor.name)' has elements of type \(tensor.type)")
    }
    let shape = Shape(tensor.shape.map(Int.init))
    guard shape.isStatic, let count = shape.elementCount, dtype.byteCount(count) != nil else {
      throw Diagnostic("TFL015", "'\(tensor.name)' has the shape \(shape)")
    }
    return TensorType(dtype, shape, quantization: try quantization(of: tensor, shape))
  }

  private func quantization(of tensor: TensorRecord, _ shape: Shape) throws -> Quantization? {
    guard let record = tensor.quantization else { return nil }
    func fault(_ what: String) -> Diagnostic {
      Diagnostic("TFL016", "the quantization of '\(tensor.name)' is not understood: \(what)")
    }
    guard !record.isExotic else { throw fault("it is blockwise or custom") }
    let zeroPoints = record.zeroPoints.map { Int32(clamping: $0) }
    guard let scale = record.scales.first else { return nil }
    if record.scales.count == 1 {
      guard zeroPoints.count <= 1 else { throw fault("\(zeroPoints.count) zero points") }
      return Quantization(scale: scale, zeroPoint: zeroPoints.first ?? 0)
    }
    // Some converters keep the axis of a filter for its bias, which has one axis only.
    let axis = shape.rank == 1 ? 0 : Int(record.axis)
    guard shape.dims.indices.contains(axis), shape.dims[axis] == record.scales.count else {
      throw fault("\(record.scales.count) scales along axis \(axis) of \(shape)")
    }
    guard zeroPoints.isEmpty || zeroPoints.count == record.scales.count else {
      throw fault("\(zeroPoints.count) zero points for \(record.scales.count) scales")
    }
    return Quantization(
      scales: record.scales,
      zeroPoints: zeroPoints.isEmpty ? nil : zeroPoints,
      axis: axis
    )
  }

  private mutating func uniqueName(_ name: String, or fallback: String) -> String {
    valueNames.unique(name.isEmpty ? fallback : name)
  }
}

/// Names that are given out once.
private struct UniqueNames {
  private var used: Set<String> = []
  private var next: [String: Int] = [:]

  /// `name`, or `name` with a number when it is taken.
  mutating func unique(_ name: String) -> String {
    if used.insert(name).inserted { return name }
    while true {
      let number = next[name, default: 1]
      next[name] = number + 1
      if used.insert("\(name)_\(number)").inserted { return "\(name)_\(number)" }
    }
  }
}
