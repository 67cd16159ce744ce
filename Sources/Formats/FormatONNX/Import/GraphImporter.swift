import AssayBase
import AssayFormat
import AssayGraph
import AssayTensor

/// Turns an ONNX model into a Graph: the frame in which the operators' readers work.
///
/// ONNX's images are NCHW, a Graph's are NHWC. A value of the file may therefore stand in the graph
/// twice: `plain`, with the file's axes, and as `image`, with the channels last. Each is made from the
/// other by a Transpose the first time that a reader asks for it; window operators ask for and make
/// images, elementwise ones follow their inputs, all others ask for plain values.
struct GraphImporter {
  var graph: Graph
  var notes: [Diagnostic] = []
  private var slots: [String: Slot] = [:]
  /// Values that a faulty node did not make; nodes that read them are passed over.
  private var missing: Set<String> = []
  private var usedValueNames: Set<String> = []
  private var usedNodeNames: Set<String> = []
  private let fileOutputs: Set<String>
  /// The Constant behind each dequantized parameter.
  private var dequantizedConstants: [ValueID: ValueID] = [:]
  /// What a reshape was made of: reshaping its result again starts there.
  private var reshapeSources: [ValueID: ValueID] = [:]
  /// What a reshape or a transpose was made of.
  private var turnedSources: [ValueID: ValueID] = [:]
  /// Values that stand for something else than the file has, and the operators that know it.
  private var dynamicReaders: [String: Set<String>] = [:]
  private var widened: [String: Tensor] = [:]
  private let openFile: (String) throws -> ByteView

  /// Where a value of the file stands in the graph.
  private struct Slot {
    var plain: ValueID?
    var image: ValueID?
  }

  static func importGraph(_ bytes: ByteView, options: ImportOptions) throws -> ImportReport {
    let model = try locating(options.path) { try ONNXModel(reading: bytes) }
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
    graph = Graph(name: model.graph.name)
    fileOutputs = Set(model.graph.outputs.map(\.name))
    openFile = { [companions = options.companions] in try companions.open($0) }
  }

  private mutating func readModel(_ model: ONNXModel, _ options: ImportOptions) throws {
    let opset = model.opsets.first { $0.domain.isEmpty || $0.domain == "ai.onnx" }?.version ?? 1
    guard ONNXFormat.readOpsets.contains(opset) else {
      throw Diagnostic(
        "ONX003",
        "operator set \(opset) is not supported",
        remedy: "save the model with an operator set from \(ONNXFormat.readOpsets.lowerBound) to "
          + "\(ONNXFormat.readOpsets.upperBound)"
      )
    }
    var faults: [Diagnostic] = []
    if model.graph.sparseInitializerCount > 0 {
      faults.append(Diagnostic("ONX010", "sparse constants are not supported"))
    }
    for tensor in model.graph.initializers {
      collect(&faults, "constant '\(tensor.name)'", [tensor.name]) { importer in
        let constant = try tensor.tensor(externalFile: importer.openFile)
        try importer.declare(tensor.name)
        let name = importer.valueName(tensor.name)
        importer.slots[tensor.name] = Slot(plain: importer.addConstant(name, constant))
      }
    }
    // Files before IR 4 list their constants among the inputs.
    for input in model.graph.inputs where slots[input.name] == nil {
      collect(&faults, "input '\(input.name)'", [input.name]) { importer in
        let type = try input.type(options)
        try importer.declare(input.name)
        let name = importer.valueName(input.name)
        importer.slots[input.name] = Slot(plain: importer.graph.addInput(name, type))
      }
    }
    for (index, node) in model.graph.nodes.enumerated() {
      let name = node.name.isEmpty ? node.outputs.first ?? "\(index)" : node.name
      if node.inputs.contains(where: { missing.contains($0) }) {
        missing.formUnion(node.outputs)
        continue
      }
      let place = "node '\(name)' (\(node.opType))"
      collect(&faults, place, node.outputs) { importer in
        try importer.read(OperatorCall(node: node, opset: opset))
      }
    }
    try Diagnostics(faults).throwIfErrors()
    try readOutputs(model.graph.outputs)
    graph = graph.withoutUnusedNodes().withFusedQuantization().withPlainNames()
  }

  private mutating func collect(
    _ faults: inout [Diagnostic],
    _ place: String,
    _ outputs: [String],
    _ body: (inout GraphImporter) throws -> Void
  ) {
    do {
      try body(&self)
      return
    } catch let fault as Diagnostic {
      faults.append(fault.inside(place))
    } catch let several as Diagnostics {
      faults += several.all.map { $0.inside(place) }
    } catch {
      faults.append(Diagnostic("ONX020", "\(error)", at: [place]))
    }
    missing.formUnion(outputs)
  }

  private mutating func read(_ call: OperatorCall) throws {
    let isStandard = call.node.domain.isEmpty || call.node.domain == "ai.onnx"
    guard isStandard, let reader = onnxReaders[call.node.opType] else {
      let name = (isStandard ? "" : call.node.domain + ".") + call.node.opType
      throw Diagnostic(
        "ONX021",
        "operator \(name) is not supported",
        remedy: "simplify the model, or run the file as it is on onnxruntime"
      )
    }
    for input in call.node.inputs {
      guard dynamicReaders[input]?.contains(call.node.opType) ?? true else {
        throw call.unsupported("'\(input)', which is quantized while the network runs,")
      }
    }
    for output in call.node.outputs where !output.isEmpty { try declare(output) }
    try reader(call, &self)
    for output in call.node.outputs where !output.isEmpty {
      guard slots[output]?.plain != nil || slots[output]?.image != nil else {
        throw call.unsupported("output '\(output)'")
      }
    }
  }

  private mutating func declare(_ name: String) throws {
    guard !name.isEmpty, slots.updateValue(Slot(), forKey: name) == nil else {
      throw Diagnostic("ONX004", "'\(name)' is made more than once")
    }
  }

  private mutating func readOutputs(_ outputs: [ONNXValueInfo]) throws {
    var seen: Set<ValueID> = []
    for output in outputs {
      guard !isDynamic(output.name) else {
        throw Diagnostic(
          "ONX022",
          "a value that is quantized while the network runs cannot leave it",
          at: ["output '\(output.name)'"]
        )
      }
      var id = try locating("output '\(output.name)'") { try plain(output.name) }
      if !seen.insert(id).inserted {
        // Under two names: a node of its own gives it the second one.
        let op = Reshape(graph[id].type.shape.dims)
        id = try addNode("\(output.name)/copy", op, [id], [valueName(output.name)])[0]
      }
      graph.outputs.append(id)
      if graph[id].name != output.name { graph.outputNames[id] = output.name }
    }
  }
}

// MARK: - Values

extension GraphImporter {
  /// The value of the file in its own axes.
  mutating func plain(_ name: String) throws -> ValueID {
    guard let slot = slots[name] else {
      throw Diagnostic("ONX005", "'\(name)' is read before it is made")
    }
    if let plain = slot.plain { return plain }
    guard let image = slot.image else {
      throw Diagnostic("ONX005", "'\(name)' is read before it is made")
    }
    let id = try turned(image, [0, 3, 1, 2], valueName(name, "nchw"))
    slots[name]?.plain = id
    return id
  }

  /// The value of the file with its channels last.
  mutating func image(_ name: String) throws -> ValueID {
    if let image = slots[name]?.image { return image }
    let plain = try plain(name)
    guard graph[plain].type.shape.rank == 4 else {
      throw Diagnostic("ONX006", "'\(name)' is \(graph[plain].type), not an image of four axes")
    }
    let id = try turned(plain, [0, 2, 3, 1], valueName(name, "nhwc"))
    slots[name]?.image = id
    return id
  }

  /// Whether the value stands as an image already.
  func isImage(_ name: String) -> Bool { slots[name]?.image != nil }

  /// The type of a value in the file's axes.
  func type(_ name: String) throws -> TensorType {
    if let plain = slots[name]?.plain { return graph[plain].type }
    guard let image = slots[name]?.image else {
      throw Diagnostic("ONX005", "'\(name)' is read before it is made")
    }
    var type = graph[image].type
    type.shape = Shape([0, 3, 1, 2].map { type.shape[$0] })
    return type
  }

  /// The Constant that a value is, or `nil`.
  func constant(_ name: String) -> Tensor? { slots[name]?.plain.flatMap { graph[$0].constant } }

  /// A constant list of integers, such as a shape.
  func integers(_ name: String, _ call: OperatorCall) throws -> [Int] {
    guard let tensor = constant(name) else {
      throw call.unsupported(
        "'\(name)', which is computed while the network runs,",
        remedy: "save the model with fixed shapes, or simplify it"
      )
    }
    guard tensor.dtype.isInteger, tensor.count < 1 << 16 else {
      throw call.unsupported("'\(name)' of type \(tensor.type)")
    }
    return tensor.integers()
  }

  /// A constant number.
  func number(_ name: String, _ call: OperatorCall) throws -> Float {
    guard let tensor = constant(name), tensor.count == 1 else {
      throw call.unsupported("'\(name)', which is no constant number,")
    }
    return tensor.floats()[0]
  }

  private mutating func turned(
    _ id: ValueID,
    _ permutation: [Int],
    _ name: String
  ) throws -> ValueID {
    if let constant = graph[id].constant {
      return addConstant(name, constant.rearranged(permutation))
    }
    let dims = permutation.map { graph[id].type.shape[$0] }
    let isFree = permutation.filter { graph[id].type.shape[$0] != 1 }
    guard isFree == isFree.sorted() else {
      return try addNode(name, Transpose(permutation), [id], [name])[0]
    }
    return try addNode(name, Reshape(dims), [reshapeSources[id] ?? id], [name])[0]
  }

  /// A name that the graph's values do not have yet; the file's own where that is possible.
  mutating func valueName(_ name: String, _ form: String? = nil) -> String {
    // The file's outputs keep their names for the values that leave the graph.
    var candidate = name
    if let form, fileOutputs.contains(name), form == "nhwc" { candidate = "\(name)/\(form)" }
    if usedValueNames.insert(candidate).inserted { return candidate }
    if let form { candidate = "\(name)/\(form)" }
    var number = 1
    var unique = candidate
    while !usedValueNames.insert(unique).inserted {
      unique = "\(candidate)_\(number)"
      number += 1
    }
    return unique
  }

  /// Adds a Constant.
  mutating func addConstant(_ name: String, _ tensor: Tensor) -> ValueID {
    usedValueNames.insert(name)
    return graph.addConstant(name, tensor)
  }

  /// Adds a float scalar.
  mutating func addConstant(_ value: Float, _ dtype: DType = .float32) -> ValueID {
    let scalar = Tensor([value], [])
    return graph.addConstant(valueName("const/\(value)"), scalar.converted(to: dtype) ?? scalar)
  }
}

// MARK: - Nodes

extension GraphImporter {
  /// Adds a node under a name that no other node has; a quantized input's data movement keeps its
  /// quantization.
  mutating func addNode(
    _ name: String,
    _ op: any Operator,
    _ inputs: [ValueID?],
    _ outputNames: [String]
  ) throws -> [ValueID] {
    var unique = name
    var number = 1
    while !usedNodeNames.insert(unique).inserted {
      unique = "\(name)_\(number)"
      number += 1
    }
    let outputs = try graph.addNode(unique, op, inputs, outputNames: outputNames)
    for output in outputs {
      let type = graph[output].type
      guard let bytes = type.byteCount, bytes < 1 << 40,
        type.shape.dims.allSatisfy({ $0 < 1 << 31 })
      else { throw Diagnostic("ONX009", "a result of type \(type) is too large") }
    }
    if op is Reshape { reshapeSources[outputs[0]] = inputs[0] }
    if op is Reshape || op is Transpose { turnedSources[outputs[0]] = inputs[0] }
    if let first = inputs.first.flatMap({ $0 }), op.keepsQuantization {
      for output in outputs { graph[output].type.quantization = graph[first].type.quantization }
    }
    return outputs
  }

  /// Adds the node that makes the call's outputs in the file's axes.
  mutating func define(_ call: OperatorCall, _ op: any Operator, _ inputs: [ValueID?]) throws {
    let names = call.node.outputs.map { valueName($0) }
    let outputs = try addNode(nodeName(call), op, inputs, names)
    for (name, id) in zip(call.node.outputs, outputs) { slots[name]?.plain = id }
  }

  /// Adds the node that makes the call's first output as an image.
  mutating func defineImage(_ call: OperatorCall, _ op: any Operator, _ inputs: [ValueID?]) throws {
    let name = valueName(call.output, "nhwc")
    let id = try addNode(nodeName(call), op, inputs, [name])[0]
    slots[call.output]?.image = id
  }

  /// Adds a node inside a call that takes several, and gives its result.
  mutating func step(
    _ call: OperatorCall,
    _ suffix: String,
    _ op: any Operator,
    _ inputs: [ValueID?]
  ) throws -> ValueID {
    let name = valueName("\(call.output)/\(suffix)")
    return try addNode(name, op, inputs, [name])[0]
  }

  /// Lets an output be another name of a value of the file.
  mutating func alias(_ call: OperatorCall, to name: String) throws {
    guard let slot = slots[name] else {
      throw Diagnostic("ONX005", "'\(name)' is read before it is made")
    }
    slots[call.output] = slot
  }

  /// Lets an output be a value of the graph that exists already, plain or as an image.
  mutating func alias(_ call: OperatorCall, plain: ValueID? = nil, image: ValueID? = nil) {
    if let plain { slots[call.output]?.plain = plain }
    if let image { slots[call.output]?.image = image }
  }

  /// Declares a value that the file does not have, for a call inside a call.
  mutating func open(_ name: String) { slots[name] = Slot() }

  /// Declares a value that the file does not have and that stands in the graph already.
  mutating func bind(_ id: ValueID) -> String {
    slots[graph[id].name] = Slot(plain: id)
    return graph[id].name
  }

  /// A constant of the file.
  func tensor(_ tensor: ONNXTensor) throws -> Tensor { try tensor.tensor(externalFile: openFile) }

  /// The values of the graph in which a value of the file stands.
  func knownIDs(_ name: String) -> [ValueID] {
    [slots[name]?.plain, slots[name]?.image].compactMap { $0 }
  }

  /// Tells what a value's integers stand for, and those that it was reshaped or turned from.
  mutating func declare(_ quantization: Quantization, of id: ValueID) {
    var next: ValueID? = id
    while let current = next, graph[current].type.quantization == nil {
      graph[current].type.quantization = quantization
      next = turnedSources[current]
    }
  }

  /// Lets a further output be a value of the graph that exists already.
  mutating func alias(_ name: String, plain: ValueID) { slots[name] = Slot(plain: plain) }

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

  /// The image that a value stands as, or `nil`.
  func knownImage(_ name: String) -> ValueID? { slots[name]?.image }

  /// Makes the call's output a Constant.
  mutating func defineConstant(_ call: OperatorCall, _ tensor: Tensor) {
    let name = valueName(call.output)
    let id = graph.addConstant(name, tensor)
    slots[call.output]?.plain = id
  }

  func nodeName(_ call: OperatorCall) -> String {
    call.node.name.isEmpty ? call.output : call.node.name
  }

  /// Adds the node that makes floats of a Constant of halves or quantized integers.
  mutating func defineDequantized(_ call: OperatorCall, _ constant: ValueID) throws {
    try define(call, Dequantize(), [constant])
    if let id = slots[call.output]?.plain { dequantizedConstants[id] = constant }
  }

  /// A parameter with its axes in another order: a Constant is rearranged now, also behind a
  /// dequantization; anything else by a node.
  mutating func parameter(
    _ name: String,
    _ permutation: [Int],
    _ call: OperatorCall
  ) throws -> ValueID {
    let id = try plain(name)
    guard graph[id].type.shape.rank == permutation.count else {
      throw Diagnostic("ONX006", "'\(name)' is \(graph[id].type), not of \(permutation.count) axes")
    }
    if permutation == Array(permutation.indices) { return id }
    if let constant = graph[id].constant {
      return addConstant(valueName("\(name)/turned"), constant.rearranged(permutation))
    }
    if let source = dequantizedConstants[id], let constant = graph[source].constant {
      let turned = addConstant(
        valueName("\(graph[source].name)/turned"),
        constant.rearranged(permutation)
      )
      return try step(call, "float", Dequantize(), [turned])
    }
    return try step(call, "turned", Transpose(permutation), [id])
  }
}

extension Operator {
  /// Whether results keep the integers, and so the quantization, of input 0.
  fileprivate var keepsQuantization: Bool {
    self is Reshape || self is Transpose || self is Slice || self is Split || self is Gather
  }
}

extension ONNXValueInfo {
  /// The type of an input, with open extents filled from the options.
  fileprivate func type(_ options: ImportOptions) throws -> TensorType {
    guard let dtype = DType(onnx: elementType), dtype != .string else {
      throw Diagnostic("ONX007", "inputs of ONNX type \(elementType) are not supported")
    }
    if let given = options.shapes[name] {
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

extension Graph {
  /// The graph with the file's own names for rearranged values, where the file's value is not in the
  /// graph any more.
  fileprivate func withPlainNames() -> Graph {
    var result = self
    var names = Set(values.map(\.name))
    for index in values.indices {
      let name = values[index].name
      for suffix in ["/turned", "/nhwc", "/nchw", "/quantized", "/uint8"]
      where name.hasSuffix(suffix) {
        let plain = String(name.dropLast(suffix.count))
        guard !plain.isEmpty, names.insert(plain).inserted else { continue }
        names.remove(name)
        result[ValueID(index)].name = plain
        if outputNames[ValueID(index)] == plain { result.outputNames[ValueID(index)] = nil }
      }
    }
    return result
  }

  /// The graph without nodes whose results nobody reads.
  func withoutUnusedNodes() -> Graph {
    var wanted = Set(outputs)
    var kept: [Node] = []
    for node in nodes.reversed() where node.outputs.contains(where: { wanted.contains($0) }) {
      kept.append(node)
      for case let input? in node.inputs { wanted.insert(input) }
    }
    var result = self
    result.nodes = kept.reversed()
    return result.compacted()
  }
}
