import AssayBase
import AssayFormat
import AssayGraph
import AssayTensor

/// Turns an OpenVINO network into a Graph: the frame in which the operators' readers work.
///
/// OpenVINO's images are NCHW, a Graph's are NHWC; `TwinValues` keeps account of both.
struct IRImporter: TwinImporter {
  var twins: TwinValues
  /// The file's names of the layers' outputs.
  private var names: [IRValue: String] = [:]
  private let network: IRNetwork
  private let options: ImportOptions
  /// Whether float16 is only how version 10 stores a network that is fed and computed in float32.
  private let isHalf: Bool

  static func importGraph(
    _ bytes: ByteView,
    options: ImportOptions,
    weights: ByteView? = nil
  ) throws -> ImportReport {
    try locating(options.path) {
      let network = try IRNetwork(reading: bytes) {
        try weights ?? options.companions.open(Self.weightsName(options.path))
      }
      var importer = IRImporter(network, options)
      try importer.read()
      let description = network.description
      return ImportReport(
        graph: importer.graph.withoutUnusedNodes().withQuantizedPorts().withPlainNames(),
        producer: description.isEmpty ? nil : description
      )
    }
  }

  /// The name of the file with the weights, which the file with the layers does not tell.
  private static func weightsName(_ path: String) -> String {
    let name = path.split(separator: "/").last.map(String.init) ?? path
    guard let dot = name.lastIndex(of: ".") else { return name + ".bin" }
    return name[..<dot] + ".bin"
  }

  private init(_ network: IRNetwork, _ options: ImportOptions) {
    self.network = network
    self.options = options
    isHalf =
      network.version == 10
      && network.layers.contains { $0.type == "Const" && $0.constant?.dtype == .float16 }
    // Outputs are known by the names of their tensors; before there were any, by their layers'.
    var outputs: Set<String> = []
    func tensorName(_ value: IRValue) -> String? {
      let names = network.layers[value.layer].tensorNames
      return names.indices.contains(value.output) ? names[value.output].min() : nil
    }
    func layerName(_ value: IRValue) -> String {
      let layer = network.layers[value.layer]
      return layer.outputs.count == 1 ? layer.name : "\(layer.name).\(value.output)"
    }
    for (index, layer) in network.layers.enumerated() where layer.type == "Parameter" {
      let value = IRValue(layer: index)
      names[value] = tensorName(value) ?? layer.name
    }
    for layer in network.layers where layer.type == "Result" {
      guard let source = layer.inputs.first else { continue }
      let name = names[source] ?? tensorName(source) ?? layerName(source)
      names[source] = name
      outputs.insert(name)
    }
    var unique = UniqueNames(Set(names.values))
    for (index, layer) in network.layers.enumerated() {
      for output in layer.outputs.indices {
        let value = IRValue(layer: index, output: output)
        guard names[value] == nil else { continue }
        names[value] = unique.unique(layerName(value))
      }
    }
    twins = TwinValues(name: network.name, outputs: outputs, codes: "OVI")
  }

  private mutating func read() throws {
    var faults: [Diagnostic] = []
    for (index, layer) in network.layers.enumerated() where layer.type != "Result" {
      let outputs = layer.outputs.indices.map { name(IRValue(layer: index, output: $0)) }
      let call = IRCall(layer: layer, inputs: layer.inputs.map { name($0) }, outputs: outputs)
      if call.inputs.contains(where: { missing.contains($0) }) {
        missing.formUnion(outputs)
        continue
      }
      collect(&faults, "layer '\(layer.name)' (\(layer.type))", outputs) { importer in
        for output in outputs { try importer.twins.declare(output) }
        try importer.read(call)
      }
    }
    try Diagnostics(faults).throwIfErrors()
    for layer in network.layers where layer.type == "Result" {
      guard let source = layer.inputs.first else { continue }
      try twins.addOutput(name(source))
    }
    guard !graph.outputs.isEmpty else { throw IRNetwork.broken("it has no outputs") }
  }

  private func name(_ value: IRValue) -> String { names[value] ?? "" }

  private mutating func read(_ call: IRCall) throws {
    switch call.layer.type {
    case "Parameter":
      let id = graph.addInput(valueName(call.output), try inputType(call))
      twins.place(call.output, plain: id)
    case "Const":
      guard let tensor = call.layer.constant else { throw IRNetwork.broken("a constant is empty") }
      let isWidened = isHalf && tensor.dtype == .float16
      defineConstant(call, isWidened ? tensor.converted(to: .float32) ?? tensor : tensor)
    default:
      guard call.layer.opset.hasPrefix("opset"), let reader = irReaders[call.layer.type] else {
        throw Diagnostic(
          "OVI010",
          "operation \(call.layer.type) of \(call.layer.opset) is not read",
          remedy: "run the file as it is on openvino"
        )
      }
      try reader(call, &self)
    }
    for output in call.outputs where !twins.stands(output) {
      throw call.unsupported("output '\(output)'")
    }
  }

  private func inputType(_ call: IRCall) throws -> TensorType {
    guard var dtype = call.layer["element_type"].flatMap(DType.init(irElementType:)) else {
      throw call.unsupported("element_type '\(call.layer["element_type"] ?? "?")'")
    }
    if isHalf, dtype == .float16 { dtype = .float32 }
    if let given = options.shape(of: call.output), given.isStatic {
      return TensorType(dtype, given)
    }
    let parts = (call.layer["shape"] ?? "").split(separator: ",").map { $0.filter { $0 != " " } }
    let dims = try parts.enumerated().map { axis, part -> Int in
      if let extent = Int(part), extent >= 0, extent < 1 << 31 { return extent }
      guard axis == 0 else {
        throw Diagnostic("OVI008", "extent \(axis) is open", remedy: "give the input's shape")
      }
      return options.batch
    }
    return TensorType(dtype, Shape(dims))
  }
}

/// One layer as the operators' readers see it.
struct IRCall {
  let layer: IRLayer
  /// The file's names of what it reads.
  let inputs: [String]
  /// The file's names of what it makes.
  let outputs: [String]

  /// The name of an input; "" when it is absent.
  func input(_ index: Int) -> String { inputs.indices.contains(index) ? inputs[index] : "" }

  /// Whether an optional input is there.
  func has(_ index: Int) -> Bool { inputs.indices.contains(index) }

  /// The name of the first output.
  var output: String { outputs.first ?? "" }

  /// A whole number.
  func int(_ name: String, default value: Int) throws -> Int {
    try layer.ints(name)?.first ?? value
  }

  /// A list of whole numbers.
  func ints(_ name: String) throws -> [Int]? { try layer.ints(name) }

  /// A number.
  func float(_ name: String, default value: Float) throws -> Float {
    guard let text = layer[name] else { return value }
    guard let number = Float(text) else {
      throw IRNetwork.broken("attribute '\(name)' is '\(text)'")
    }
    return number
  }

  /// A truth value.
  func bool(_ name: String, default value: Bool) -> Bool {
    layer[name].map { $0 == "true" || $0 == "1" || $0 == "True" } ?? value
  }

  /// Text.
  func string(_ name: String, default value: String) -> String { layer[name] ?? value }

  /// The fault of a layer that no graph can hold.
  func unsupported(_ what: String) -> Diagnostic {
    Diagnostic("OVI011", "\(layer.type): \(what) is not supported")
  }
}

/// Turns one layer into nodes of a Graph.
typealias IRReader = @Sendable (IRCall, inout IRImporter) throws -> Void

/// The operations that are read.
let irReaders: [String: IRReader] = [
  irWindowReaders, irElementwiseReaders, irMovementReaders, irMathReaders,
].reduce(into: [:]) { $0.merge($1) { first, _ in first } }

// MARK: - For the readers

extension IRImporter {
  /// Makes the call's output a Constant.
  mutating func defineConstant(_ call: IRCall, _ tensor: Tensor) {
    twins.place(call.output, plain: addConstant(valueName(call.output), tensor))
  }

  /// Adds the node that makes the call's outputs in the file's axes.
  mutating func define(_ call: IRCall, _ op: any Operator, _ inputs: [ValueID?]) throws {
    let names = call.outputs.map { valueName($0) }
    let outputs = try addNode(call.layer.name, op, inputs, names)
    for (name, id) in zip(call.outputs, outputs) { twins.place(name, plain: id) }
  }

  /// Adds the node that makes the call's first output as an image.
  mutating func defineImage(_ call: IRCall, _ op: any Operator, _ inputs: [ValueID?]) throws {
    let name = valueName(call.output, "nhwc")
    let id = try addNode(call.layer.name, op, inputs, [name])[0]
    twins.place(call.output, image: id)
  }

  /// Adds the last node of a call, as an image or in the file's axes.
  mutating func define(
    _ call: IRCall,
    _ op: any Operator,
    _ inputs: [ValueID?],
    isImage: Bool
  ) throws {
    if isImage { try defineImage(call, op, inputs) } else { try define(call, op, inputs) }
  }

  /// Adds a node inside a call that takes several, and gives its result.
  mutating func step(
    _ call: IRCall,
    _ suffix: String,
    _ op: any Operator,
    _ inputs: [ValueID?]
  ) throws -> ValueID {
    try twins.step(call.output, suffix, op, inputs)
  }

  /// A constant list of integers, such as a shape.
  func integers(_ call: IRCall, _ index: Int) throws -> [Int] {
    guard let tensor = constant(call.input(index)), tensor.dtype.isInteger, tensor.count < 1 << 16
    else {
      throw call.unsupported("'\(call.input(index))', which is no constant list of integers,")
    }
    return tensor.integers()
  }

  /// An axis of input 0 that a constant names, counted from the front.
  func axis(_ call: IRCall, _ index: Int) throws -> Int {
    let axes = try integers(call, index)
    let shape = try type(call.input(0)).shape
    guard axes.count == 1, let axis = shape.normalized(axis: axes[0]) else {
      throw call.unsupported("axis \(axes) of \(shape)")
    }
    return axis
  }

  /// The operand of a function of each element, and whether it stands as an image.
  mutating func operand(_ call: IRCall) throws -> (id: ValueID, isImage: Bool) {
    let name = call.input(0)
    if let image = knownImage(name) { return (image, true) }
    return (try plain(name), false)
  }

  /// Operands that are broadcast: as images when one of them stands as an image and all can be turned,
  /// otherwise in the file's axes.
  mutating func operands(_ call: IRCall) throws -> (ids: [ValueID], areImages: Bool) {
    let names = call.inputs
    let shapes = try names.map { try type($0).shape }
    let canTurn = zip(names, shapes).allSatisfy { name, shape in
      shape.rank == 4 || shape.rank == 0 || constant(name) != nil
    }
    guard shapes.map(\.rank).max() == 4, canTurn, names.contains(where: { isImage($0) }) else {
      return (try names.map { try plain($0) }, false)
    }
    let ids = try zip(names, shapes).map { name, shape -> ValueID in
      if shape.rank == 4 { return try image(name) }
      let id = try plain(name)
      guard shape.count != 1, let tensor = graph[id].constant else { return id }
      let missing = [Int](repeating: 1, count: 4 - shape.rank)
      let turned = tensor.reshapedKeepingAxis(missing + shape.dims).rearranged([0, 2, 3, 1])
      return addConstant(valueName(name, "nhwc"), turned)
    }
    return (ids, true)
  }
}
