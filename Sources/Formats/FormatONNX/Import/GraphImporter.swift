import AssayBase
import AssayFormat
import AssayGraph
import AssayTensor

/// Turns an ONNX model into a Graph: the frame in which the operators' readers work.
///
/// ONNX's images are NCHW, a Graph's are NHWC; `TwinValues` keeps account of both.
struct GraphImporter: TwinImporter {
  var twins: TwinValues
  var notes: [Diagnostic] = []
  /// Values that a faulty node did not make; nodes that read them are passed over.
  private var missing: Set<String> = []
  /// Values that stand for something else than the file has, and the operators that know it.
  private var dynamicReaders: [String: Set<String>] = [:]
  private var widened: [String: Tensor] = [:]
  private let openFile: (String) throws -> ByteView

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
    twins = TwinValues(
      name: model.graph.name,
      outputs: Set(model.graph.outputs.map(\.name)),
      codes: "ONX"
    )
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
        try importer.twins.declare(tensor.name)
        let name = importer.valueName(tensor.name)
        let id = importer.addConstant(name, constant)
        importer.twins.place(tensor.name, plain: id)
      }
    }
    // Files before IR 4 list their constants among the inputs.
    for input in model.graph.inputs where !twins.isDeclared(input.name) {
      collect(&faults, "input '\(input.name)'", [input.name]) { importer in
        let type = try input.type(options)
        try importer.twins.declare(input.name)
        let name = importer.valueName(input.name)
        let id = importer.graph.addInput(name, type)
        importer.twins.place(input.name, plain: id)
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
    for output in call.node.outputs where !output.isEmpty { try twins.declare(output) }
    try reader(call, &self)
    for output in call.node.outputs where !output.isEmpty {
      guard twins.stands(output) else {
        throw call.unsupported("output '\(output)'")
      }
    }
  }

  private mutating func readOutputs(_ outputs: [ONNXValueInfo]) throws {
    for output in outputs {
      guard !isDynamic(output.name) else {
        throw Diagnostic(
          "ONX022",
          "a value that is quantized while the network runs cannot leave it",
          at: ["output '\(output.name)'"]
        )
      }
      try locating("output '\(output.name)'") { try twins.addOutput(output.name) }
    }
  }
}

// MARK: - Values

extension GraphImporter {
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
}

// MARK: - Nodes

extension GraphImporter {
  /// Adds the node that makes the call's outputs in the file's axes.
  mutating func define(_ call: OperatorCall, _ op: any Operator, _ inputs: [ValueID?]) throws {
    let names = call.node.outputs.map { valueName($0) }
    let outputs = try addNode(nodeName(call), op, inputs, names)
    for (name, id) in zip(call.node.outputs, outputs) { twins.place(name, plain: id) }
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
    call.node.name.isEmpty ? call.output : call.node.name
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
