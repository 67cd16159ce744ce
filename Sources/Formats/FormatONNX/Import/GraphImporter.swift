import AssayBase
import AssayFormat
import AssayGraph
import AssayTensor

/// Turns an ONNX model into a Graph: the frame in which the operators' readers work.
///
/// ONNX's images are NCHW, a Graph's are NHWC; `TwinValues` keeps account of both. What follows from
/// constants alone is computed at once, because a Graph has fixed shapes and ONNX's shapes are often
/// computed.
struct GraphImporter: TwinImporter {
  var twins: TwinValues
  var notes: [Diagnostic] = []
  /// Values that stand for something else than the file has, and the operators that know it.
  private var dynamicReaders: [String: Set<String>] = [:]
  private var widened: [String: Tensor] = [:]
  private let openFile: (String) throws -> ByteView
  private let functions: [String: ONNXFunction]
  /// Nodes read so far, those of inner graphs each time they are read.
  private var readCount = 0
  /// What tells the names of inner graphs apart.
  private var scopeCount = 0
  /// The operators that read each value of the outermost graph.
  private(set) var fileReaders: [String: Set<String>] = [:]

  /// Nodes that are read at most, unrolled loops included.
  private static let mostNodes = 50_000
  /// Operators that are in operator set 1 what they are in 7: a file of them alone may be older.
  private static let unchanged: Set<String> = [
    "Constant", "Conv", "ConvTranspose", "Flatten", "Gather", "GlobalAveragePool", "GlobalMaxPool",
    "Identity", "LRN", "LogSoftmax", "MaxPool", "Not", "Shape", "Slice", "Softmax", "Softplus",
    "Softsign", "Squeeze", "Transpose", "Unsqueeze",
  ]
  /// Graphs and functions inside one another at most.
  private static let mostLevels = 32

  static func importGraph(_ bytes: ByteView, options: ImportOptions) throws -> ImportReport {
    try graph(of: try locating(options.path) { try ONNXModel(reading: bytes) }, options: options)
  }

  /// The graph of a file that has been read.
  static func graph(of model: ONNXModel, options: ImportOptions) throws -> ImportReport {
    do {
      var importer = GraphImporter(model, options)
      try importer.readModel(model, options)
      let producer = [model.producerName, model.producerVersion].filter { !$0.isEmpty }
      return ImportReport(
        graph: importer.graph,
        diagnostics: importer.notes,
        producer: producer.isEmpty ? nil : producer.joined(separator: " ")
      )
    } catch {
      return try locating(options.path) { throw error }
    }
  }

  private init(_ model: ONNXModel, _ options: ImportOptions) {
    twins = TwinValues(
      name: model.graph.name,
      outputs: Set(model.graph.outputs.map(\.name)),
      codes: "ONX"
    )
    openFile = { [companions = options.companions] in try companions.open($0) }
    functions = Dictionary(
      model.functions.map { (Self.key($0.domain, $0.name, $0.overload), $0) }
    ) { first, _ in first }
  }

  private static func key(_ domain: String, _ name: String, _ overload: String) -> String {
    "\(domain == "ai.onnx" ? "" : domain):\(name):\(overload)"
  }

  private mutating func readModel(_ model: ONNXModel, _ options: ImportOptions) throws {
    var scope = OperatorCall.Scope()
    scope.opsets = operatorSets(model.opsets)
    let opset = scope.opsets[""] ?? 1
    let isOld = opset >= 1 && opset < ONNXFormat.readOpsets.lowerBound
    let isUnchanged = isOld && model.graph.nodes.allSatisfy { Self.unchanged.contains($0.opType) }
    guard ONNXFormat.readOpsets.contains(opset) || isUnchanged else {
      throw Diagnostic(
        "ONX003",
        "operator set \(opset) is not supported",
        remedy: "save the model with an operator set from \(ONNXFormat.readOpsets.lowerBound) to "
          + "\(ONNXFormat.readOpsets.upperBound)"
      )
    }
    for node in model.graph.nodes {
      for input in node.inputs { fileReaders[input, default: []].insert(node.opType) }
    }
    for output in model.graph.outputs { fileReaders[output.name, default: []].insert("") }
    var faults: [Diagnostic] = []
    readConstants(model.graph, scope, &faults)
    // Files before IR 4 list their constants among the inputs.
    for input in model.graph.inputs where !twins.isDeclared(input.name) {
      collect(&faults, "input '\(input.name)'", [input.name]) { importer in
        try importer.readInput(input, options)
      }
    }
    let names = Set(model.graph.inputs.map(\.name))
    for name in options.values.keys.sorted() where !names.contains(name) {
      faults.append(Diagnostic("ONX008", "the model has no input '\(name)' to give a value"))
    }
    readNodes(model.graph.nodes, scope, &faults)
    try Diagnostics(faults).throwIfErrors()
    for output in model.graph.outputs {
      try locating("output '\(output.name)'") { try readOutput(output) }
    }
    graph = graph.withoutUnusedNodes().withFusedQuantization().withPlainNames()
  }

  private func operatorSets(_ sets: [(domain: String, version: Int64)]) -> [String: Int64] {
    Dictionary(sets.map { ($0.domain == "ai.onnx" ? "" : $0.domain, $0.version) }) { first, _ in
      first
    }
  }

  private mutating func readInput(_ input: ONNXValueInfo, _ options: ImportOptions) throws {
    if let value = options.values[input.name] {
      guard let dtype = DType(onnx: input.elementType), dtype == value.dtype,
        input.shape.map({ $0.count == value.shape.rank }) ?? true
      else {
        throw Diagnostic("ONX008", "the value \(value.type) does not fit this input")
      }
      try twins.declare(input.name)
      let id = addConstant(valueName(input.name), value)
      twins.place(input.name, plain: id)
      return
    }
    let type = try input.type(options)
    try twins.declare(input.name)
    let name = valueName(input.name)
    let id = graph.addInput(name, type)
    twins.place(input.name, plain: id)
  }

  private mutating func readConstants(
    _ source: ONNXGraph,
    _ scope: OperatorCall.Scope,
    _ faults: inout [Diagnostic]
  ) {
    for tensor in source.initializers {
      let name = scope.resolve(tensor.name)
      collect(&faults, "constant '\(tensor.name)'", [name]) { importer in
        try importer.declareConstant(name, tensor.tensor(externalFile: importer.openFile))
      }
    }
    for tensor in source.sparseInitializers {
      let name = scope.resolve(tensor.values.name)
      collect(&faults, "constant '\(tensor.values.name)'", [name]) { importer in
        try importer.declareConstant(name, tensor.tensor(externalFile: importer.openFile))
      }
    }
  }

  private mutating func declareConstant(_ name: String, _ tensor: Tensor) throws {
    try twins.declare(name)
    let id = addConstant(valueName(name), tensor)
    twins.place(name, plain: id)
  }

  private mutating func readNodes(
    _ nodes: [ONNXNode],
    _ scope: OperatorCall.Scope,
    _ faults: inout [Diagnostic]
  ) {
    for (index, given) in nodes.enumerated() {
      let name = given.name.isEmpty ? given.outputs.first ?? "\(index)" : given.name
      var node = given
      node.inputs = given.inputs.map(scope.resolve)
      node.outputs = given.outputs.map(scope.resolve)
      if node.inputs.contains(where: { missing.contains($0) }) {
        missing.formUnion(node.outputs)
        continue
      }
      let call = OperatorCall(node: node, opset: scope.opsets[""] ?? 1, scope: scope)
      let place = "node '\(name)' (\(node.opType))"
      collect(&faults, place, node.outputs) { try $0.read(call) }
    }
  }

  /// Reads one node, a call of a function included, and computes what follows from constants.
  private mutating func read(_ call: OperatorCall) throws {
    readCount += 1
    guard readCount <= Self.mostNodes else {
      throw Diagnostic(
        "ONX024",
        "the unrolled network has more than \(Self.mostNodes) nodes",
        remedy: "save the model with fewer steps, or run the file as it is on onnxruntime"
      )
    }
    for input in call.node.inputs {
      guard dynamicReaders[input]?.contains(call.node.opType) ?? true else {
        throw call.unsupported("'\(input)', which is quantized while the network runs,")
      }
    }
    for output in call.node.outputs where !output.isEmpty { try twins.declare(output) }
    let before = graph.nodes.count
    let domain = call.node.domain == "ai.onnx" ? "" : call.node.domain
    if let function = functions[Self.key(domain, call.node.opType, call.node.overload)] {
      try readFunction(function, call)
    } else if let reader = domain.isEmpty
      ? onnxReaders[call.node.opType] : onnxContributedReaders[domain]?[call.node.opType]
    {
      try reader(call, &self)
    } else {
      throw Diagnostic(
        "ONX021",
        "operator \((domain.isEmpty ? "" : domain + ".") + call.node.opType) is not supported",
        remedy: "simplify the model, or run the file as it is on onnxruntime"
      )
    }
    try foldConstants(from: before)
    for output in call.node.outputs where !output.isEmpty {
      guard twins.stands(output) else { throw call.unsupported("output '\(output)'") }
    }
  }

  private mutating func readOutput(_ output: ONNXValueInfo) throws {
    guard !isDynamic(output.name) else {
      throw Diagnostic(
        "ONX022",
        "a value that is quantized while the network runs cannot leave it"
      )
    }
    try twins.addOutput(output.name)
  }
}

// MARK: - Graphs inside of graphs

extension GraphImporter {
  /// Reads a graph inside of a node as nodes of the outer one.
  ///
  /// - Parameters:
  ///   - name: what it is, for messages.
  ///   - inputs: the importer's names of its inputs' values, in order.
  /// - Returns: the importer's names of its outputs.
  mutating func inline(
    _ inner: ONNXGraph,
    _ name: String,
    _ inputs: [String],
    _ call: OperatorCall
  ) throws -> [String] {
    guard inner.inputs.count == inputs.count else {
      throw call.unsupported(
        "\(inputs.count) values for the \(inner.inputs.count) inputs of \(name)"
      )
    }
    var scope = call.scope
    try enter(&scope, name)
    let prefix = newScopeName(call)
    for (value, input) in zip(inner.inputs, inputs) { scope.names[value.name] = input }
    let made =
      inner.initializers.map(\.name) + inner.sparseInitializers.map(\.values.name)
      + inner.nodes.flatMap(\.outputs)
    for name in made where !name.isEmpty { scope.names[name] = prefix + name }
    var faults: [Diagnostic] = []
    readConstants(inner, scope, &faults)
    readNodes(inner.nodes, scope, &faults)
    try Diagnostics(faults).throwIfErrors()
    return inner.outputs.map { scope.resolve($0.name) }
  }

  private mutating func readFunction(_ function: ONNXFunction, _ call: OperatorCall) throws {
    let title = Self.key(function.domain, function.name, function.overload)
    guard !call.scope.path.contains(title) else {
      throw Diagnostic("ONX023", "the function \(function.name) calls itself")
    }
    var scope = OperatorCall.Scope()
    scope.path = call.scope.path
    try enter(&scope, title)
    scope.opsets = operatorSets(function.opsets)
    let prefix = newScopeName(call)
    for output in function.nodes.flatMap(\.outputs) where !output.isEmpty {
      scope.names[output] = prefix + output
    }
    for (index, input) in function.inputs.enumerated() { scope.names[input] = call.input(index) }
    let given = call.node.attributes
    let nodes = function.nodes.map { node in
      var node = node
      node.attributes = node.attributes.compactMap { attribute in
        guard case .reference(let name) = attribute.payload else { return attribute }
        // An attribute that nobody gives is absent in the node, too.
        let value = given.first { $0.name == name } ?? function.defaults.first { $0.name == name }
        return value.map { ONNXAttribute(name: attribute.name, payload: $0.payload) }
      }
      return node
    }
    var faults: [Diagnostic] = []
    readNodes(nodes, scope, &faults)
    try Diagnostics(faults).throwIfErrors()
    for (name, output) in zip(function.outputs, call.node.outputs) where !output.isEmpty {
      try twins.alias(output, to: scope.resolve(name))
    }
  }

  private func enter(_ scope: inout OperatorCall.Scope, _ title: String) throws {
    guard scope.path.count < Self.mostLevels else {
      throw Diagnostic("ONX023", "graphs lie more than \(Self.mostLevels) deep in one another")
    }
    scope.path.append(title)
  }

  private mutating func newScopeName(_ call: OperatorCall) -> String {
    scopeCount += 1
    return "\(nodeName(call))/\(scopeCount)/"
  }
}

// MARK: - Values

extension GraphImporter {
  /// A constant list of integers, such as a shape.
  func integers(_ name: String, _ call: OperatorCall) throws -> [Int] {
    let tensor = try known(name, call)
    guard tensor.dtype.isInteger || tensor.dtype == .bool, tensor.count < 1 << 16 else {
      throw call.unsupported("'\(name)' of type \(tensor.type)")
    }
    return tensor.integers()
  }

  /// A constant number.
  func number(_ name: String, _ call: OperatorCall) throws -> Float {
    let tensor = try known(name, call)
    guard tensor.count == 1 else {
      throw call.unsupported("'\(name)', which is no number,")
    }
    return tensor.floats()[0]
  }

  /// The value of something that a Graph must know before it runs.
  ///
  /// - Throws: `Diagnostic` ONX030, whose location names the inputs of the model that it depends on.
  func known(_ name: String, _ call: OperatorCall) throws -> Tensor {
    if let tensor = constant(name) { return tensor }
    let inputs = inputs(behind: name)
    guard !inputs.isEmpty else {
      throw Diagnostic("ONX005", "'\(name)' is read before it is made")
    }
    let names = inputs.map { "'\($0)'" }.joined(separator: " and ")
    throw Diagnostic(
      "ONX030",
      "\(call.node.opType): '\(name)' must be known when the network is imported and depends on \(names)",
      at: inputs.map { "input '\($0)'" },
      remedy: "give the value of \(names) (--value NAME=FILE), or save the model with fixed shapes"
    )
  }

  /// The names of the model's inputs that a value depends on.
  private func inputs(behind name: String) -> [String] {
    let makers = graph.producers()
    var open = twins.knownIDs(name)
    var seen = Set(open)
    while let id = open.popLast() {
      guard let maker = makers[id] else { continue }
      for case let input? in graph.nodes[maker].inputs where seen.insert(input).inserted {
        open.append(input)
      }
    }
    return graph.inputs.filter { seen.contains($0) }.map { graph[$0].name }
  }
}

// MARK: - Nodes

extension GraphImporter {
  /// Adds the node that makes the call's outputs in the file's axes.
  mutating func define(_ call: OperatorCall, _ op: any Operator, _ inputs: [ValueID?]) throws {
    let names = call.node.outputs.map {
      $0.isEmpty ? valueName("\(call.output)/unused") : valueName($0)
    }
    let outputs = try addNode(nodeName(call), op, inputs, names)
    for (name, id) in zip(call.node.outputs, outputs) where !name.isEmpty {
      twins.place(name, plain: id)
    }
  }

  /// Adds the node that makes the call's first output as an image.
  mutating func defineImage(_ call: OperatorCall, _ op: any Operator, _ inputs: [ValueID?]) throws {
    let name = valueName(call.output, "nhwc")
    let id = try addNode(nodeName(call), op, inputs, [name])[0]
    twins.place(call.output, image: id)
  }

  /// Adds a node inside a call that takes several, and gives its result.
  mutating func step(
    _ call: OperatorCall,
    _ suffix: String,
    _ op: any Operator,
    _ inputs: [ValueID?]
  ) throws -> ValueID {
    try twins.step(call.output, suffix, op, inputs)
  }

  /// Lets an output be another name of a value of the file.
  mutating func alias(_ call: OperatorCall, to name: String) throws {
    try twins.alias(call.output, to: name)
  }

  /// Lets an output be a value of the graph that exists already, plain or as an image.
  mutating func alias(_ call: OperatorCall, plain: ValueID? = nil, image: ValueID? = nil) {
    twins.place(call.output, plain: plain, image: image)
  }

  /// A constant of the file.
  func tensor(_ tensor: ONNXTensor) throws -> Tensor { try tensor.tensor(externalFile: openFile) }

  /// A sparse constant of the file, with its zeros.
  func tensor(_ tensor: ONNXSparseTensor) throws -> Tensor {
    try tensor.tensor(externalFile: openFile)
  }

  /// Lets a further output be a value of the graph that exists already.
  mutating func alias(_ name: String, plain: ValueID) {
    twins.open(name)
    twins.place(name, plain: plain)
  }

  /// Notes that a value stands for something else than the file has: only these operators may read
  /// it.
  mutating func markDynamic(_ name: String, readBy operators: Set<String>) {
    dynamicReaders[name] = operators
  }

  /// Whether a value stands for something else than the file has.
  func isDynamic(_ name: String) -> Bool { dynamicReaders[name] != nil }

  /// Notes the integers from which a Constant was widened.
  mutating func noteWidened(_ name: String, from integers: Tensor) { widened[name] = integers }

  /// The integers from which a Constant was widened, or `nil`.
  func widenedConstant(_ name: String) -> Tensor? { widened[name] }

  /// Makes the call's output a Constant.
  mutating func defineConstant(_ call: OperatorCall, _ tensor: Tensor) {
    let name = valueName(call.output)
    let id = graph.addConstant(name, tensor)
    twins.place(call.output, plain: id)
  }

  func nodeName(_ call: OperatorCall) -> String {
    let name = call.node.name.isEmpty ? call.output : call.node.name
    return call.scope.path.isEmpty ? name : call.output
  }

  /// Adds the node that makes floats of a Constant of halves or quantized integers.
  mutating func defineDequantized(_ call: OperatorCall, _ constant: ValueID) throws {
    try define(call, Dequantize(), [constant])
    twins.noteDequantized(try plain(call.output), from: constant)
  }

  /// A parameter with its axes in another order: a Constant is rearranged now, also behind a
  /// dequantization; anything else by a node.
  mutating func parameter(
    _ name: String,
    _ permutation: [Int],
    _ call: OperatorCall
  ) throws -> ValueID {
    try twins.parameter(name, permutation, result: call.output)
  }
}

extension ONNXValueInfo {
  /// The type of an input, with open extents filled from the options.
  fileprivate func type(_ options: ImportOptions) throws -> TensorType {
    guard let dtype = DType(onnx: elementType), dtype != .string else {
      throw Diagnostic("ONX007", "inputs of ONNX type \(elementType) are not supported")
    }
    if let given = options.shape(of: name) {
      guard given.isStatic, shape.map({ $0.count == given.rank }) ?? true else {
        throw Diagnostic("ONX008", "the shape \(given) does not fit this input")
      }
      return TensorType(dtype, given)
    }
    guard let shape else {
      throw Diagnostic("ONX008", "not even the rank is known", remedy: "give the input's shape")
    }
    var dims: [Int] = []
    for (axis, dimension) in shape.enumerated() {
      switch dimension {
      case .fixed(let extent):
        guard extent >= 0, extent < 1 << 31 else {
          throw Diagnostic("ONX008", "extent \(axis) is \(extent)")
        }
        dims.append(Int(extent))
      case .named, .open:
        guard axis == 0 else {
          throw Diagnostic(
            "ONX008",
            "extent \(axis) is open",
            remedy: "give the input's shape"
          )
        }
        dims.append(options.batch)
      }
    }
    return TensorType(dtype, Shape(dims))
  }
}
