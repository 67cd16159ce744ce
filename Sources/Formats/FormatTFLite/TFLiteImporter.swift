import AssayBase
import AssayCodec
import AssayFormat
import AssayGraph
import AssayReference
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

  /// A table of the second union of options, which newer operators use.
  var secondOptions: ImportedOptions { ImportedOptions(table: record.secondOptions) }
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

  func string(_ field: Int) throws -> String { try table?.string(field) ?? "" }

  /// A vector of the wide integers that newer options have.
  func longs(_ field: Int) throws -> [Int] {
    try table?.vector(field, of: Int64.self)?.map(Int.init) ?? []
  }

  func long(_ field: Int) throws -> Int {
    Int(try table?.scalar(field, default: Int64(0)) ?? 0)
  }

  func floats(_ field: Int) throws -> [Float] { try table?.vector(field, of: Float.self) ?? [] }

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
  /// The subgraph that is being read, with what its tensors stand for.
  struct Frame {
    var index: Int
    var subgraph: SubgraphRecord
    var valueOfTensor: [Int: ValueID] = [:]
    /// Real and imaginary part of tensors of complex numbers.
    var complex: [Int: (real: ValueID, imaginary: ValueID)] = [:]
    /// The names of variables by the tensors that hold their handles.
    var handles: [Int: String] = [:]
  }

  let model: ModelRecord
  let options: ImportOptions
  var graph: Graph
  var frame: Frame
  /// Subgraphs that are being read, one inside the other.
  var depth = 0
  /// Operators that were read, those of repeated subgraphs each time.
  var readCount = 0
  /// What a variable was set to when the model was loaded, by name.
  var variables: [String: ValueID] = [:]
  var valueNames = UniqueNames()
  private var nodeNames = UniqueNames()
  var diagnostics: [Diagnostic] = []
  /// Inputs with extents other than the batch that the file leaves open.
  private var openInputs: [(name: String, shape: Shape)] = []
  var opaque: [OpaqueKind] = []

  init(_ model: ModelRecord, options: ImportOptions) throws {
    self.model = model
    self.options = options
    guard let subgraph = model.subgraphs.first else {
      throw Diagnostic("TFL002", "the file holds no network")
    }
    frame = Frame(index: 0, subgraph: subgraph)
    graph = Graph(name: subgraph.name ?? "main")
  }

  /// Reads a signature's subgraph, or the first one.
  ///
  /// - Throws: `Diagnostics` with everything that is not understood.
  mutating func run() throws -> ImportReport {
    let signature = try chooseSignature()
    try narrow(signature)
    addInputs(signature)
    readOperators()
    if !openInputs.isEmpty {
      let fault = diagnostics.first { $0.severity == .error }
      let names = openInputs.map { "'\($0.name)' (\($0.shape))" }.joined(separator: ", ")
      let wanted = openInputs.map { input in
        let dims = input.shape.dims.enumerated().map { $1 >= 0 ? "\($1)" : $0 == 0 ? "1" : "N" }
        return "--shape \(input.name)=\(dims.joined(separator: "x"))"
      }
      let note = Diagnostic(
        "TFL004",
        fault == nil
          ? "the extents of \(names) are open and were taken as 1"
          : "the extents of \(names) are open, and the network cannot do with 1",
        remedy: "give them: \(wanted.joined(separator: " "))",
        cause: fault.map { "\($0.summary) (\($0.location.joined(separator: ", ")))" },
        severity: fault == nil ? .warning : .error
      )
      // What else is wrong with extents of 1 says nothing of the file.
      if fault != nil { throw Diagnostics([note]) }
      diagnostics.insert(note, at: 0)
    }
    try Diagnostics(diagnostics).throwIfErrors()
    try addOutputs(signature)
    describeOpaque()
    try Diagnostics(diagnostics).throwIfErrors()
    return ImportReport(
      graph: graph.compacted().uniquelyNamed(),
      diagnostics: diagnostics,
      producer: model.description.flatMap { $0.isEmpty ? nil : $0 }
    )
  }

  /// Reads the operators of the current subgraph.
  mutating func readOperators() {
    for (index, record) in frame.subgraph.operators.enumerated() {
      guard readCount < Self.mostOperators else {
        diagnostics.append(
          Diagnostic("TFL024", "loops come to more than \(Self.mostOperators) operators")
        )
        return
      }
      readCount += 1
      read(record, index: index)
    }
  }

  /// Operators that may be read: a bound on what loops unroll to.
  private static let mostOperators = 200_000

  // MARK: Inputs and outputs

  private mutating func chooseSignature() throws -> SignatureRecord? {
    var signature = model.signatures.first { $0.subgraph == 0 }
    if let wanted = options.signature {
      guard let found = model.signatures.first(where: { $0.key == wanted }) else {
        let known = model.signatures.map { "'\($0.key)'" }.joined(separator: ", ")
        throw Diagnostic(
          "TFL023",
          "there is no signature '\(wanted)'",
          remedy: known.isEmpty ? "the file has none" : "the file has \(known)"
        )
      }
      signature = found
    }
    if let signature, signature.subgraph != 0 {
      guard model.subgraphs.indices.contains(signature.subgraph) else {
        throw Diagnostic("TFL003", "subgraph \(signature.subgraph) is not there")
      }
      frame = Frame(index: signature.subgraph, subgraph: model.subgraphs[signature.subgraph])
      graph.name = frame.subgraph.name ?? signature.key
    }
    let others = model.signatures.map(\.key).filter { $0 != signature?.key }
    if !others.isEmpty, options.signature == nil {
      diagnostics.append(
        Diagnostic(
          "TFL022",
          "signature '\(signature?.key ?? "")' is read, of \(model.signatures.count)",
          remedy: "the others are \(others.joined(separator: ", ")): --signature NAME",
          severity: .note
        )
      )
    }
    return signature
  }

  /// Takes the tensors that the options name as inputs and outputs, and the operators between them.
  private mutating func narrow(_ signature: SignatureRecord?) throws {
    func index(_ name: String, _ named: [(name: String, tensor: Int)]?) throws -> Int32 {
      if let known = named?.first(where: { $0.name == name }) {
        return Int32(clamping: known.tensor)
      }
      guard let index = frame.subgraph.tensors.firstIndex(where: { $0.name == name }) else {
        throw Diagnostic("TFL025", "there is no tensor '\(name)'")
      }
      return Int32(clamping: index)
    }
    guard !options.inputs.isEmpty || !options.outputs.isEmpty else { return }
    if !options.inputs.isEmpty {
      frame.subgraph.inputs = try options.inputs.map { try index($0, signature?.inputs) }
    }
    if !options.outputs.isEmpty {
      frame.subgraph.outputs = try options.outputs.map { try index($0, signature?.outputs) }
    }
    var needed = Set(frame.subgraph.outputs)
    let given = Set(frame.subgraph.inputs)
    var kept: [OperatorRecord] = []
    for record in frame.subgraph.operators.reversed()
    where record.outputs.contains(where: { needed.contains($0) && !given.contains($0) }) {
      kept.append(record)
      needed.formUnion(record.inputs)
    }
    frame.subgraph.operators = kept.reversed()
  }

  private mutating func addInputs(_ signature: SignatureRecord?) {
    for index in frame.subgraph.inputs.map(Int.init) {
      collecting("input tensor \(index)") { importer in
        let tensor = try importer.record(index)
        guard importer.frame.valueOfTensor[index] == nil else {
          throw Diagnostic("TFL003", "tensor \(index) is an input twice")
        }
        let name = signature?.inputs.first { $0.tensor == index }?.name ?? tensor.name
        var type = try importer.type(of: tensor)
        let open = tensor.signature ?? []
        if let given = importer.options.shapes[tensor.name] ?? importer.options.shape(of: name) {
          try importer.check(given, against: type.shape, open)
          type.shape = given
        } else if !open.isEmpty, !type.shape.dims.isEmpty {
          if open[0] == -1 { type.shape.dims[0] = importer.options.batch }
          if open.dropFirst().contains(-1) {
            importer.openInputs.append((name, Shape(open.map(Int.init))))
          }
        }
        let id = importer.graph.addInput(importer.uniqueName(name, or: "input"), type)
        importer.frame.valueOfTensor[index] = id
      }
    }
  }

  /// Throws for extents that an input cannot get: a batch or an image may be larger or smaller than the
  /// file has it, but the weights are made for the last axis. (A convolution would take other channels
  /// for groups.)
  private func check(_ given: Shape, against shape: Shape, _ signature: [Int32]) throws {
    let declared = signature.isEmpty ? shape : Shape(signature.map(Int.init))
    guard let last = declared.dims.last else { return }
    guard given.rank == declared.rank, given.isStatic, last < 0 || given.dims.last == last else {
      throw Diagnostic(
        "TFL004",
        "the shape \(given) does not fit this input, which is \(declared) in the file",
        remedy: "keep the number of axes, and the extent of the last one"
      )
    }
  }

  private mutating func addOutputs(_ signature: SignatureRecord?) throws {
    for index in frame.subgraph.outputs.map(Int.init) {
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
      if let reader = TFLiteOperators.readers[source.builtin] {
        try reader.read(source, into: &importer)
      } else if let reader = ComposedOperators.readers[source.builtin] {
        try reader(source, &importer)
      } else if let custom = source.custom, custom.hasPrefix("Flex") {
        try importer.readFlex(source)
      } else {
        try importer.addOpaque(source)
      }
    }
    if !isRead { declareOutputs(record) }
  }

  /// Makes the outputs of an operator that is not understood, so that its readers add no findings.
  private mutating func declareOutputs(_ record: OperatorRecord) {
    for index in record.outputs.map(Int.init) where frame.valueOfTensor[index] == nil {
      guard let tensor = try? self.record(index), let type = try? type(of: tensor) else { continue }
      frame.valueOfTensor[index] = graph.add(Value(name: tensor.name, type: type))
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

  // MARK: For the operators' readers

  /// Adds a node that makes the operator's outputs.
  ///
  /// Shapes are those that the operator infers; element types and quantization are the file's.
  ///
  /// - Parameters:
  ///   - activation: a function that follows in a node of its own.
  ///   - given: the tensors that it makes, when they are not all of the operator's; -1 for a result
  ///     that the file has not.
  mutating func add(
    _ op: any Operator,
    _ inputs: [ValueID?],
    _ source: ImportedOperator,
    then activation: FusedActivation = .none,
    outputs given: [Int32]? = nil
  ) throws {
    guard let after = activation.unary else {
      var types = try inferredTypes(op, inputs)
      let tensors = given ?? source.record.outputs
      guard types.count == tensors.count else {
        throw Diagnostic("TFL012", "it has \(tensors.count) outputs instead of \(types.count)")
      }
      var names: [String] = []
      for (position, index) in tensors.map(Int.init).enumerated() {
        guard frame.valueOfTensor[index] == nil else {
          throw Diagnostic("TFL003", "tensor \(index) is made twice")
        }
        if index < 0 {
          names.append(uniqueName("\(source.name):\(position)", or: op.name))
          continue
        }
        let tensor = try record(index)
        var type = try type(of: tensor)
        type.shape = types[position].shape
        types[position] = type
        names.append(uniqueName(tensor.name, or: "tensor \(index)"))
      }
      let outputs = append(op, inputs, types, names)
      for (index, id) in zip(tensors, outputs) where index >= 0 {
        frame.valueOfTensor[Int(index)] = id
      }
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
    guard let result = try intermediates(op, inputs, source, like: model).first else {
      throw Diagnostic("TFL012", "it has no output")
    }
    return result
  }

  /// Adds a node of several results within one operator of the file.
  mutating func intermediates(
    _ op: any Operator,
    _ inputs: [ValueID?],
    _ source: ImportedOperator,
    like model: TensorType? = nil
  ) throws -> [ValueID] {
    var types = try inferredTypes(op, inputs)
    if let model {
      for index in types.indices {
        types[index].dtype = model.dtype
        types[index].quantization = model.quantization
      }
    }
    let first = source.record.outputs.first.map(Int.init)
    let base = try first.map { try record($0).name } ?? source.name
    let names = types.map { _ in uniqueName("\(base)/\(op.name)", or: op.name) }
    return append(op, inputs, types, names)
  }

  /// Lets the operator's output be a value that is there already.
  mutating func bind(_ id: ValueID, output: Int = 0, of source: ImportedOperator) throws {
    guard source.record.outputs.indices.contains(output) else { return }
    let index = Int(source.record.outputs[output])
    guard frame.valueOfTensor[index] == nil else {
      throw Diagnostic("TFL003", "tensor \(index) is made twice")
    }
    frame.valueOfTensor[index] = id
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

  /// Adds a node with new outputs, or Constants where it can be computed at once.
  private mutating func append(
    _ op: any Operator,
    _ inputs: [ValueID?],
    _ types: [TensorType],
    _ names: [String]
  ) -> [ValueID] {
    if let tensors = computed(op, inputs, types) {
      return zip(names, tensors).map { graph.addConstant($0, $1) }
    }
    let outputs = zip(names, types).map { graph.add(Value(name: $0, type: $1)) }
    let name = nodeNames.unique(outputs.first.map { graph[$0].name } ?? op.name)
    graph.nodes.append(Node(name: name, op: op, inputs: inputs, outputs: outputs))
    return outputs
  }

  /// The most elements of a result that is computed while a file is read.
  private static let mostFolded = 1 << 16

  /// The results of an operator on Constants: what converters leave of computations on shapes.
  ///
  /// Weights that a network dequantizes stay as they are: only integers, truth values and a few
  /// floats are computed.
  private func computed(
    _ op: any Operator,
    _ inputs: [ValueID?],
    _ types: [TensorType]
  ) -> [Tensor]? {
    // A tensor without elements may still have an axis of any extent.
    func isSmall(_ shape: Shape) -> Bool { shape.dims.allSatisfy { $0 <= Self.mostFolded } }
    guard !(op is Dequantize), !(op is Quantize), !(op is Opaque),
      types.allSatisfy({ type in
        guard type.quantization == nil, isSmall(type.shape), let count = type.shape.elementCount
        else { return false }
        return type.dtype.isFloat ? count <= 64 : count <= Self.mostFolded
      })
    else { return nil }
    var tensors: [Tensor?] = []
    for id in inputs {
      guard let id else {
        tensors.append(nil)
        continue
      }
      guard let tensor = graph[id].constant, tensor.quantization == nil,
        isSmall(tensor.shape), tensor.count <= Self.mostFolded
      else { return nil }
      tensors.append(tensor)
    }
    return try? ReferenceEvaluator.evaluate(op, tensors, as: types)
  }
}
