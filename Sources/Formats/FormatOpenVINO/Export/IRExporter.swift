import AssayBase
import AssayFormat
import AssayGraph
import AssayTensor

/// Turns a Graph into an OpenVINO network: the frame in which the operators' writers work.
///
/// Writers ask for their inputs by `real` (as floats, in the layout that the plan gave the node),
/// `filter` or `operand`, add layers by `add`, and end with `finish`, which applies the fused
/// activation and the output's quantization and gives the last layer the value's name.
struct IRExporter {
  let graph: Graph
  let plan: LayoutPlan
  let parameters: Set<ValueID>
  var network: IRNetwork
  /// Where each value stands, in each layout.
  private var places: [Place: IRValue] = [:]
  /// Layers that have a Graph value's name.
  private var named: Set<Int> = []
  private var constants: [ConstantKey: IRValue] = [:]
  private var parameterValues: [ParameterKey: IRValue] = [:]
  /// The node that dequantizes each parameter's Constant.
  private let dequantizers: [ValueID: ValueID]

  private struct Place: Hashable {
    var value: ValueID
    var layout: Layout
  }

  /// What makes a small constant.
  private struct ConstantKey: Hashable {
    var type: TensorType
    var bytes: [UInt8]
  }

  /// What makes a parameter: a Constant, rearranged.
  struct ParameterKey: Hashable {
    var value: ValueID
    var permutation: [Int]
    var shape: [Int]
  }

  /// The network of a graph.
  ///
  /// - Throws: `Diagnostics` with every node that OpenVINO cannot hold.
  static func network(of graph: Graph, options: ExportOptions) throws -> IRNetwork {
    let version = options.irVersion ?? IRNetwork.versions.upperBound
    guard IRNetwork.versions.contains(version) else {
      throw Diagnostic(
        "OVI100",
        "there is no IR version \(version) to write",
        remedy: "give 10 (OpenVINO 2020 to 2021.4) or 11 (since 2022.1)"
      )
    }
    var exporter = IRExporter(graph, version: version)
    exporter.network.description = options.description
    exporter.addInputs()
    var faults: [Diagnostic] = []
    for index in graph.nodes.indices {
      let view = NodeView(index, of: graph, parameters: exporter.parameters)
      if exporter.dequantizers[view.node.outputs[0]] != nil { continue }
      do {
        try exporter.write(view)
      } catch let fault as Diagnostic {
        faults.append(fault.inside("node '\(view.node.name)' (\(view.node.op.name))"))
      }
    }
    faults += exporter.boundaryFaults()
    try Diagnostics(faults).throwIfErrors()
    exporter.addOutputs()
    exporter.network.removeUnread()
    exporter.makeNamesUnique()
    if version == 10, exporter.storesHalves { exporter.network.makeHalf() }
    return exporter.network
  }

  private init(_ graph: Graph, version: Int) {
    self.graph = graph
    let parameters = ParameterSet(of: graph)
    self.parameters = parameters.values
    dequantizers = parameters.sources
    plan = LayoutPlan(graph, parameters) {
      ($0.node.op as? any OpenVINOExportable)?.layoutRule($0)
    }
    network = IRNetwork(name: graph.name.isEmpty ? "network" : graph.name, version: version)
  }

  private mutating func write(_ view: NodeView) throws {
    guard let op = view.node.op as? any OpenVINOExportable else {
      throw Diagnostic(
        "OVI101",
        "OpenVINO has no operation for \(view.node.op.name)",
        remedy: "write the network as .tflite or .onnx, or remove the layer"
      )
    }
    for type in view.outputs + view.inputs.compactMap({ $0 })
    where type.dtype.irElementType == nil {
      throw Diagnostic("OVI102", "values of type \(type) cannot be written")
    }
    let start = network.layers.count
    try op.write(view, to: &self)
    guard network.version == 10 else { return }
    if let layer = network.layers[start...].first(where: { $0.set > IRNetwork.lastSetOfVersion10 })
    {
      throw Diagnostic(
        "OVI105",
        "IR version 10 has no operation \(layer.type) of \(layer.opset)",
        remedy: "write version 11"
      )
    }
  }

  /// Whether weights are stored as float16.
  private var storesHalves: Bool {
    dequantizers.values.contains { graph[$0].type.dtype == .float16 }
      && !graph.values.contains { $0.type.isQuantizedInteger }
  }
}

// MARK: - Inputs and outputs

extension IRExporter {
  private mutating func addInputs() {
    for id in graph.inputs {
      let value = graph[id]
      let dims = value.type.shape.dims
      network.layers.append(
        IRLayer(
          name: value.name,
          type: "Parameter",
          opset: "opset1",
          attributes: [
            ("shape", dims.map { $0 < 0 ? "?" : "\($0)" }.joined(separator: ",")),
            ("element_type", value.type.dtype.irElementType ?? ""),
          ],
          outputs: [TensorType(value.type.dtype, value.type.shape)],
          tensorNames: [[value.name]]
        )
      )
      let layer = network.layers.count - 1
      named.insert(layer)
      var source = IRValue(layer: layer)
      if value.type.isQuantizedInteger { source = dequantized(source, value.type) }
      places[Place(value: id, layout: .channelsLast)] = source
    }
  }

  /// Faults of the boundary: names that one file cannot have, types that it cannot feed.
  private func boundaryFaults() -> [Diagnostic] {
    var owners: [String: ValueID] = [:]
    var faults: [Diagnostic] = []
    let outputs = graph.outputs.map { (graph.outputName($0), $0) }
    for (name, id) in graph.inputs.map({ (graph[$0].name, $0) }) + outputs {
      if let owner = owners.updateValue(id, forKey: name), owner != id {
        faults.append(
          Diagnostic(
            "OVI103",
            "two inputs or outputs have the name '\(name)'",
            remedy: "rename one"
          )
        )
      }
    }
    for id in graph.inputs + graph.outputs where graph[id].type.dtype.irElementType == nil {
      faults.append(Diagnostic("OVI102", "values of type \(graph[id].type) cannot be written"))
    }
    if network.version == 10 {
      for id in graph.inputs
      where graph.outputs.contains(id) && graph.outputName(id) == graph[id].name {
        faults.append(
          Diagnostic(
            "OVI104",
            "IR version 10 cannot pass the input '\(graph[id].name)' through as an output",
            remedy: "write version 11"
          )
        )
      }
      for id in graph.inputs where !graph[id].type.shape.isStatic {
        faults.append(
          Diagnostic(
            "OVI104",
            "IR version 10 has no open extents: input '\(graph[id].name)' is \(graph[id].type)",
            remedy: "give --shape, or write version 11"
          )
        )
      }
    }
    return faults
  }

  /// Adds a Result for every output, in the Graph's layout, from a layer with the output's name.
  private mutating func addOutputs() {
    var done: Set<ValueID> = []
    var claimed: Set<Int> = []
    for id in graph.outputs where done.insert(id).inserted {
      let name = graph.outputName(id)
      var source = value(of: id, in: .channelsLast)
      if graph[id].type.isQuantizedInteger { source = codes(source, graph[id].type) }
      let layer = network.layers[source.layer]
      // An input that leaves as it came in, under its own name.
      let isInput = layer.type == "Parameter" && layer.name == name
      let isOwn =
        isInput
        || layer.outputs.count == 1 && !["Parameter", "Const"].contains(layer.type)
          && claimed.insert(source.layer).inserted
      // Version 10 knows an output by the name of the layer that makes it.
      if !isOwn { source = identity(of: source) }
      claimed.insert(source.layer)
      named.insert(source.layer)
      network.layers[source.layer].name = name
      network.layers[source.layer].tensorNames = [[name]]
      network.layers.append(
        IRLayer(name: "\(name)/sink", type: "Result", opset: "opset1", inputs: [source])
      )
    }
  }

  /// The same elements from a layer of its own.
  private mutating func identity(of value: IRValue) -> IRValue {
    reshaped(value, type(of: value).shape.dims)
  }

  /// Gives every layer a name of its own; inputs and outputs keep theirs.
  private mutating func makeNamesUnique() {
    let isFixed = Set(network.layers.indices.filter { !network.layers[$0].tensorNames.isEmpty })
    var names = UniqueNames(Set(isFixed.map { network.layers[$0].name }))
    for index in network.layers.indices where !isFixed.contains(index) {
      network.layers[index].name = names.unique(network.layers[index].name)
    }
  }
}

// MARK: - Places

extension IRExporter {
  private func layout(of id: ValueID, made view: NodeView) -> Layout {
    graph[id].type.shape.rank == 4 ? plan.outputs[view.index] : .channelsLast
  }

  /// The layout in which a node reads one of its images.
  func inputLayout(_ view: NodeView, _ index: Int = 0) -> Layout {
    view.input(index).shape.rank == 4 ? plan.inputs[view.index] : .channelsLast
  }

  /// The layout in which a node makes one of its images.
  func outputLayout(_ view: NodeView, _ index: Int = 0) -> Layout {
    layout(of: view.node.outputs[index], made: view)
  }

  /// The extents of a node's output as the file has them.
  func outputDims(_ view: NodeView, _ index: Int = 0) -> [Int] {
    outputLayout(view, index).arrange(view.outputs[index].shape.dims)
  }

  /// Where an axis of input 0 lies in the node's layout.
  func axis(_ axis: Int, _ view: NodeView) -> Int {
    let normalized = view.input(0).shape.normalized(axis: axis) ?? 0
    return inputLayout(view).position(ofAxis: normalized)
  }

  /// A value in a layout, transposed the first time that it is asked for.
  mutating func value(of id: ValueID, in layout: Layout) -> IRValue {
    let isImage = graph[id].type.shape.rank == 4
    if parameters.contains(id) {
      return parameter(id, permutation: isImage ? layout.permutation : nil)
    }
    let layout = isImage ? layout : .channelsLast
    if let place = places[Place(value: id, layout: layout)] { return place }
    let other: Layout = layout == .channelsLast ? .channelsFirst : .channelsLast
    guard let source = places[Place(value: id, layout: other)],
      let permutation = other.permutation(to: layout)
    else {
      // Reached only after a node failed to write; the file is thrown away with the faults.
      return constant(Tensor([Float(0)], []), hint: graph[id].name)
    }
    let shape = graph[id].type.shape
    let turned =
      shape.isLayoutFree && shape.isStatic
      ? reshaped(source, layout.arrange(shape.dims)) : transposed(source, permutation)
    network.layers[turned.layer].name =
      "\(graph[id].name)/\(layout == .channelsLast ? "nhwc" : "nchw")"
    places[Place(value: id, layout: layout)] = turned
    return turned
  }

  /// Says that a value of the file is a node's output; its layer takes the output's name.
  mutating func define(_ view: NodeView, output: Int = 0, _ value: IRValue) {
    let id = view.node.outputs[output]
    places[Place(value: id, layout: layout(of: id, made: view))] = value
    guard named.insert(value.layer).inserted else { return }
    network.layers[value.layer].name = view.outputs.count == 1 ? graph[id].name : view.node.name
  }

  /// Ends a node: its result, the fused activation, the output's quantization.
  mutating func finish(
    _ view: NodeView,
    output: Int = 0,
    _ result: IRValue,
    activation: Activation = .none
  ) {
    let type = view.outputs[output]
    var result = result
    if !type.absorbs(activation) { result = activated(result, activation, of: view) }
    if type.isQuantizedInteger, !isExact(view, output) { result = fakeQuantized(result, type) }
    define(view, output: output, result)
  }

  /// Whether a node only moves quantized elements, so that they need no rounding.
  private func isExact(_ view: NodeView, _ output: Int) -> Bool {
    guard let op = view.node.op as? any OpenVINOExportable, op.keepsQuantizedElements else {
      return false
    }
    let wanted = view.outputs[output]
    return view.inputs.allSatisfy { type in
      guard let type else { return true }
      guard let quantization = type.quantization else { return !type.dtype.isFloat }
      return quantization == wanted.quantization && type.dtype == wanted.dtype
    } && view.inputs.contains { $0?.quantization != nil }
  }

  /// A value after an activation.
  private mutating func activated(
    _ value: IRValue,
    _ activation: Activation,
    of view: NodeView
  ) -> IRValue {
    switch activation {
    case .none: value
    case .relu: add("ReLU", [value], for: view)
    case .relu6: clamped(value, 0, 6, for: view)
    case .reluN1To1: clamped(value, -1, 1, for: view)
    }
  }

  /// A value clamped to a range.
  mutating func clamped(
    _ value: IRValue,
    _ low: Float,
    _ high: Float,
    for view: NodeView
  ) -> IRValue {
    add("Clamp", [value], [("min", "\(low)"), ("max", "\(high)")], for: view)
  }
}

// MARK: - Layers

extension IRExporter {
  /// The type of a value of the file.
  func type(of value: IRValue) -> TensorType { network.layers[value.layer].outputs[value.output] }

  /// Adds a layer.
  ///
  /// - Parameters:
  ///   - set: the first operation set that has the operation in this form.
  ///   - outputs: the types of what it makes; by default that of the first input, its shape
  ///     broadcast with those of the others.
  @discardableResult
  mutating func add(
    _ type: String,
    set: Int = 1,
    _ inputs: [IRValue],
    _ attributes: [(name: String, value: String)] = [],
    outputs: [TensorType]? = nil,
    hint: String
  ) -> IRValue {
    let types = inputs.map { self.type(of: $0) }
    let shape = types.dropFirst().reduce(types.first?.shape ?? []) {
      $0.broadcast(with: $1.shape) ?? $0
    }
    network.layers.append(
      IRLayer(
        name: hint,
        type: type,
        opset: "opset\(set)",
        attributes: attributes,
        inputs: inputs,
        outputs: outputs ?? [TensorType(types.first?.dtype ?? .float32, shape)]
      )
    )
    return IRValue(layer: network.layers.count - 1)
  }

  /// Adds a layer that belongs to a node.
  mutating func add(
    _ type: String,
    set: Int = 1,
    _ inputs: [IRValue],
    _ attributes: [(name: String, value: String)] = [],
    outputs: [TensorType]? = nil,
    for view: NodeView
  ) -> IRValue {
    add(
      type,
      set: set,
      inputs,
      attributes,
      outputs: outputs,
      hint: "\(graph[view.node.outputs[0]].name)/\(type)"
    )
  }

  /// Adds a layer that makes a node's first output (as floats, if that is quantized).
  mutating func result(
    _ type: String,
    set: Int = 1,
    _ inputs: [IRValue],
    _ attributes: [(name: String, value: String)] = [],
    for view: NodeView
  ) -> IRValue {
    add(type, set: set, inputs, attributes, outputs: [realOutput(view)], for: view)
  }

  /// The type in which a node's output is computed, in the node's layout.
  func realOutput(_ view: NodeView, _ index: Int = 0) -> TensorType {
    let type = view.outputs[index]
    return TensorType(
      type.isQuantizedInteger ? .float32 : type.dtype,
      Shape(outputDims(view, index))
    )
  }

  /// A value in another shape.
  mutating func reshaped(_ value: IRValue, _ dims: [Int]) -> IRValue {
    let type = type(of: value)
    return add(
      "Reshape",
      [value, constant(ints: dims)],
      [("special_zero", "false")],
      outputs: [TensorType(type.dtype, Shape(dims))],
      hint: "\(network.layers[value.layer].name)/Reshape"
    )
  }

  /// A value with its axes in another order; what was just turned the other way is taken back.
  mutating func transposed(_ value: IRValue, _ permutation: [Int]) -> IRValue {
    let type = type(of: value)
    let maker = network.layers[value.layer]
    if maker.type == "Transpose",
      permutation.map({ type.shape[$0] }) == self.type(of: maker.inputs[0]).shape.dims,
      let order = network.layers[maker.inputs[1].layer].constant?.integers(),
      permutation.map({ order[$0] }) == Array(order.indices)
    {
      return maker.inputs[0]
    }
    return add(
      "Transpose",
      [value, constant(ints: permutation)],
      outputs: [TensorType(type.dtype, Shape(permutation.map { type.shape[$0] }))],
      hint: "\(network.layers[value.layer].name)/Transpose"
    )
  }

  /// A value in another element type.
  mutating func converted(_ value: IRValue, to dtype: DType) -> IRValue {
    let type = type(of: value)
    guard type.dtype != dtype else { return value }
    return add(
      "Convert",
      [value],
      [("destination_type", dtype.irElementType ?? "")],
      outputs: [TensorType(dtype, type.shape)],
      hint: "\(network.layers[value.layer].name)/Convert"
    )
  }
}

// MARK: - Constants

extension IRExporter {
  /// A constant.
  mutating func addConstant(_ tensor: Tensor, hint: String) -> IRValue {
    network.layers.append(
      IRLayer(
        name: hint,
        type: "Const",
        opset: "opset1",
        outputs: [TensorType(tensor.dtype, tensor.shape)],
        constant: tensor
      )
    )
    return IRValue(layer: network.layers.count - 1)
  }

  /// A small constant, written once for all who use it.
  mutating func constant(_ tensor: Tensor, hint: String) -> IRValue {
    let key = ConstantKey(
      type: TensorType(tensor.dtype, tensor.shape),
      bytes: tensor.bytes.array
    )
    if let known = constants[key] { return known }
    let value = addConstant(tensor, hint: hint)
    constants[key] = value
    return value
  }

  /// A scalar.
  mutating func constant(_ value: Float, _ dtype: DType = .float32) -> IRValue {
    let scalar = Tensor([value], [])
    return constant(scalar.converted(to: dtype) ?? scalar, hint: "const/\(value)")
  }

  /// A list of int64, of its own for each layer: OpenVINO 2021.4 loses shapes that layers share.
  mutating func constant(ints values: [Int]) -> IRValue {
    addConstant(
      Tensor(values.map(Int64.init), [values.count], dtype: .int64),
      hint: "const/" + values.map(String.init).joined(separator: ",")
    )
  }

  /// A scalar of int64.
  mutating func constant(int value: Int) -> IRValue {
    addConstant(Tensor([Int64(value)], [], dtype: .int64), hint: "const/\(value)")
  }

  /// A parameter as floats (plain integers stay what they are), its axes in another order and then in
  /// another shape.
  ///
  /// Quantized weights are stored as they are, followed by the layers that make floats of them.
  mutating func parameter(
    _ id: ValueID,
    permutation: [Int]? = nil,
    shape: [Int]? = nil
  ) -> IRValue {
    if let source = dequantizers[id] {
      return parameter(source, permutation: permutation, shape: shape, asFloats: true)
    }
    return parameter(id, permutation: permutation, shape: shape, asFloats: false)
  }

  private mutating func parameter(
    _ id: ValueID,
    permutation: [Int]?,
    shape: [Int]?,
    asFloats: Bool
  ) -> IRValue {
    guard let tensor = graph[id].constant else { return constant(0) }
    let isIdentity = permutation.map { $0 == Array($0.indices) } ?? true
    let key = ParameterKey(
      value: id,
      permutation: isIdentity ? [] : permutation ?? [],
      shape: shape ?? []
    )
    if let known = parameterValues[key] { return known }
    let name = graph[id].name
    let value: IRValue
    if tensor.type.isQuantizedInteger {
      value = quantizedParameter(tensor, name, permutation: permutation, shape: shape)
    } else if asFloats, tensor.dtype != .float32, tensor.dtype.isFloat {
      value = widened(
        addConstant(tensor.arranged(permutation, shape), hint: "\(name)/stored"),
        name: name
      )
    } else {
      let isNarrow = tensor.dtype.bitWidth < 8
      let bytes = isNarrow ? tensor.converted(to: .int8) ?? tensor : tensor
      value = addConstant(bytes.arranged(permutation, shape), hint: name)
      named.insert(value.layer)
    }
    parameterValues[key] = value
    return value
  }

  /// A parameter's elements as floats; `nil` when the input is computed or absent.
  func floats(_ view: NodeView, _ index: Int) -> Tensor? {
    guard view.has(index), let id = view.node.inputs[index] else { return nil }
    let tensor = graph[id].constant ?? dequantizers[id].flatMap { graph[$0].constant }
    return tensor.map { Tensor($0.floats(), $0.shape) }
  }

  /// Adds the layer that widens stored weights to float32.
  mutating func widened(_ value: IRValue, name: String) -> IRValue {
    let result = converted(value, to: .float32)
    network.layers[result.layer].isDecompression = true
    network.layers[result.layer].name = name
    return result
  }
}
