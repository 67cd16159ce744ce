import AssayBase
import AssayFormat
import AssayGraph
import AssayTensor

/// Turns a Graph into an ONNX model: the frame in which the operators' writers work.
///
/// Writers ask for their inputs by `real` (as floats, in the layout that the plan gave the node) or
/// `parameter` (rearranged when it is written), add nodes by `add`, and end with `finish`, which
/// applies the fused activation and the output's quantization and gives the result its name.
struct GraphExporter {
  let graph: Graph
  let plan: LayoutPlan
  let parameters: Set<ValueID>
  var file: ONNXGraph
  /// The file's names of values in each layout.
  private var names: [Place: String] = [:]
  private var usedNames: UniqueNames
  private var initializerNames: [InitializerKey: String] = [:]
  private var smallConstants: [ConstantKey: String] = [:]
  /// Values that have been quantized while the network runs, by the name of the floats.
  var dynamicValues: [String: DynamicallyQuantized] = [:]
  /// Floats of integer weights, by the name of the integers.
  var widenedNames: [String: String] = [:]
  /// The node that dequantizes each parameter's Constant.
  private let dequantizers: [ValueID: ValueID]
  private let outputNames: [ValueID: String]

  private struct Place: Hashable {
    var value: ValueID
    var layout: Layout
  }

  /// The operator set that is written.
  let version: OperatorSet

  /// What makes a small constant.
  private struct ConstantKey: Hashable {
    var dtype: DType
    var shape: Shape
    var bytes: [UInt8]
  }

  /// What makes an initializer: a Constant, rearranged.
  private struct InitializerKey: Hashable {
    var value: ValueID
    var permutation: [Int]
    var shape: [Int]
    var isDequantized: Bool
  }

  /// The model of a graph.
  ///
  /// - Throws: `Diagnostics` with every node that ONNX cannot hold.
  static func model(of graph: Graph, options: ExportOptions) throws -> ONNXModel {
    let version = try OperatorSet(graph, options)
    let graph = try graph.decomposed { !$0.hasONNXForm(in: version) }
      .withPaddedWindows().withUnsignedActivations()
    var exporter = GraphExporter(graph, version)
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
    exporter.writeBoundary()
    var model = ONNXModel()
    let nodes = exporter.file.nodes
    exporter.file.nodes = []
    for node in nodes {
      do {
        exporter.file.nodes += try exporter.fitted(node, to: version)
      } catch let fault as Diagnostic {
        faults.append(fault.inside("node '\(node.name)' (\(node.opType))"))
      }
    }
    try Diagnostics(faults).throwIfErrors()
    model.irVersion = version.irVersion
    model.opsets = [("", version.number)]
    model.producerName = "assay"
    model.docString = options.description
    model.graph = exporter.file
    return model
  }

  private init(_ graph: Graph, _ version: OperatorSet) {
    self.graph = graph
    self.version = version
    let parameters = ParameterSet(of: graph)
    self.parameters = parameters.values
    dequantizers = parameters.sources
    plan = LayoutPlan(graph, parameters) {
      ($0.node.op as? any ONNXExportable)?.layoutRule($0)
    }
    file = ONNXGraph()
    file.name = graph.name.isEmpty ? "network" : graph.name
    var outputNames: [ValueID: String] = [:]
    for id in graph.outputs { outputNames[id] = graph.outputName(id) }
    self.outputNames = outputNames
    usedNames = UniqueNames(Set(graph.inputs.map { graph[$0].name }).union(outputNames.values))
    for id in graph.inputs { names[Place(value: id, layout: .channelsLast)] = graph[id].name }
  }

  private mutating func write(_ view: NodeView) throws {
    guard let op = view.node.op as? any ONNXExportable else {
      throw Diagnostic(
        "ONX101",
        "ONNX has no operator \(view.node.op.name)",
        remedy: "write the network as .tflite, or remove the layer"
      )
    }
    // Integers of four bits are weights; nothing computes in them.
    let small: Set<DType> = [.int4, .uint4]
    let read = zip(view.inputs, view.isParameter).compactMap { type, isParameter in
      type.flatMap { isParameter && small.contains($0.dtype) ? nil : $0 }
    }
    for type in view.outputs + read where type.dtype == .string || type.dtype.bitWidth < 8 {
      throw Diagnostic("ONX102", "values of type \(type) cannot be written")
    }
    try op.write(view, to: &self)
  }

  /// Names that one file cannot have: an input and another value that leaves the graph share them.
  private func boundaryFaults() -> [Diagnostic] {
    var owners: [String: ValueID] = [:]
    var faults: [Diagnostic] = []
    let boundary = graph.inputs.map { (graph[$0].name, $0) } + outputNames.map { ($1, $0) }
    for (name, id) in boundary {
      if let owner = owners.updateValue(id, forKey: name), owner != id {
        faults.append(
          Diagnostic(
            "ONX103",
            "two inputs or outputs have the name '\(name)'",
            remedy: "rename one"
          )
        )
      }
    }
    return faults
  }

  /// Declares inputs and outputs, and brings outputs to the Graph's layout and names.
  private mutating func writeBoundary() {
    func info(_ name: String, _ type: TensorType) -> ONNXValueInfo {
      ONNXValueInfo(
        name: name,
        elementType: type.dtype.onnx,
        shape: type.shape.dims.map { $0 < 0 ? .open : .fixed(Int64($0)) }
      )
    }
    file.inputs = graph.inputs.map { info(graph[$0].name, graph[$0].type) }
    for id in graph.outputs {
      let name = outputNames[id] ?? graph[id].name
      if file.outputs.contains(where: { $0.name == name }) { continue }
      let source = self.name(of: id, in: .channelsLast, wanted: name)
      if source != name { add("Identity", [source], to: [name]) }
      file.outputs.append(info(name, graph[id].type))
    }
  }
}

extension Operator {
  /// Whether ONNX has an operator for it; others are written by simpler ones where they can be.
  fileprivate func hasONNXForm(in version: OperatorSet) -> Bool {
    if self is LayerNorm { return version.number >= LayerNorm.firstONNXSet }
    guard let layer = self as? Recurrent else { return self is any ONNXExportable }
    return layer.cellClip == nil && layer.projectionClip == nil
      && layer.coupling != .inputFollowsForget
  }
}

// MARK: - Names

extension GraphExporter {
  /// A name that the file does not have yet.
  mutating func unique(_ wanted: String) -> String { usedNames.unique(wanted) }

  /// The name under which a node makes its output, in the node's layout.
  mutating func define(_ view: NodeView, output: Int = 0) -> String {
    let id = view.node.outputs[output]
    let layout = layout(of: id, made: view)
    let name =
      if layout == .channelsLast, let given = outputNames[id] {
        given
      } else {
        unique(outputNames[id] == nil ? graph[id].name : graph[id].name + "/nchw")
      }
    names[Place(value: id, layout: layout)] = name
    return name
  }

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

  /// The name of a value in a layout, transposed the first time that it is asked for.
  mutating func name(of id: ValueID, in layout: Layout, wanted: String? = nil) -> String {
    if parameters.contains(id) {
      let isImage = layout == .channelsFirst && graph[id].type.shape.rank == 4
      return parameter(id, permutation: isImage ? layout.permutation : nil)
    }
    let other: Layout = layout == .channelsLast ? .channelsFirst : .channelsLast
    let rank4 = graph[id].type.shape.rank == 4
    let layout = rank4 ? layout : .channelsLast
    if let name = names[Place(value: id, layout: layout)] { return name }
    guard let source = names[Place(value: id, layout: other)],
      let permutation = other.permutation(to: layout)
    else { return graph[id].name }
    let suffix = layout == .channelsLast ? "nhwc" : "nchw"
    let name = wanted ?? unique("\(graph[id].name)/\(suffix)")
    let shape = graph[id].type.shape
    if shape.isLayoutFree, shape.isStatic {
      let dims = layout.arrange(shape.dims)
      add("Reshape", [source, constant(ints: dims)], to: [name], reshapeAttributes(dims))
    } else {
      add("Transpose", [source], to: [name], [.ints("perm", permutation)])
    }
    names[Place(value: id, layout: layout)] = name
    return name
  }
}

// MARK: - Nodes

extension GraphExporter {
  /// Adds a node.
  mutating func add(
    _ opType: String,
    _ inputs: [String],
    to outputs: [String],
    _ attributes: [ONNXAttribute] = []
  ) {
    file.nodes.append(
      ONNXNode(
        name: outputs[0],
        opType: opType,
        inputs: inputs,
        outputs: outputs,
        attributes: attributes
      )
    )
  }

  /// Adds a node with one result that only its writer knows, and gives the result's name.
  mutating func add(
    _ opType: String,
    _ inputs: [String],
    _ attributes: [ONNXAttribute] = [],
    for view: NodeView
  ) -> String {
    let name = unique("\(graph[view.node.outputs[0]].name)/\(opType)")
    add(opType, inputs, to: [name], attributes)
    return name
  }

  /// Adds the node that gives an output its value: the operator, its activation, its quantization.
  mutating func finish(
    _ view: NodeView,
    output: Int = 0,
    _ opType: String,
    _ inputs: [String],
    _ attributes: [ONNXAttribute] = [],
    activation: Activation = .none
  ) {
    let type = view.outputs[output]
    let activation = type.absorbs(activation) ? .none : activation
    if activation == .none, !type.isQuantizedInteger {
      add(opType, inputs, to: [define(view, output: output)], attributes)
      return
    }
    var result = add(opType, inputs, attributes, for: view)
    if let (opType, bounds) = activationNode(activation) {
      guard type.isQuantizedInteger else {
        add(opType, [result] + bounds, to: [define(view, output: output)])
        return
      }
      result = add(opType, [result] + bounds, for: view)
    }
    quantize(result, to: type, name: define(view, output: output))
  }

  /// The operator type and further inputs of a fused activation.
  mutating func activationNode(_ activation: Activation) -> (String, [String])? {
    switch activation {
    case .none: nil
    case .relu: ("Relu", [])
    case .relu6: ("Clip", [constant(0), constant(6)])
    case .reluN1To1: ("Clip", [constant(-1), constant(1)])
    }
  }
}

extension ONNXAttribute {
  static func ints(_ name: String, _ values: [Int]) -> ONNXAttribute {
    ONNXAttribute(name: name, payload: .ints(values.map(Int64.init)))
  }
  static func int(_ name: String, _ value: Int) -> ONNXAttribute {
    ONNXAttribute(name: name, payload: .int(Int64(value)))
  }
  static func float(_ name: String, _ value: Float) -> ONNXAttribute {
    ONNXAttribute(name: name, payload: .float(value))
  }
  static func string(_ name: String, _ value: String) -> ONNXAttribute {
    ONNXAttribute(name: name, payload: .string(value))
  }
}

// MARK: - Constants

extension GraphExporter {
  /// A small constant, written once for all who use it.
  mutating func constant(_ tensor: Tensor, hint: String) -> String {
    let key = ConstantKey(dtype: tensor.dtype, shape: tensor.shape, bytes: tensor.bytes.array)
    if let name = smallConstants[key] { return name }
    let name = unique(hint)
    smallConstants[key] = name
    file.initializers.append(ONNXTensor(name: name, tensor))
    return name
  }

  /// A scalar.
  mutating func constant(_ value: Float, _ dtype: DType = .float32) -> String {
    let scalar = Tensor([value], [])
    return constant(scalar.converted(to: dtype) ?? scalar, hint: "const/\(value)")
  }

  /// A list of int64.
  mutating func constant(ints values: [Int]) -> String {
    constant(
      Tensor(values.map(Int64.init), [values.count], dtype: .int64),
      hint: "const/" + values.map(String.init).joined(separator: ",")
    )
  }

  /// A constant that belongs to one node.
  mutating func constant(_ tensor: Tensor, of view: NodeView, _ suffix: String) -> String {
    let name = unique("\(graph[view.node.outputs[0]].name)/\(suffix)")
    file.initializers.append(ONNXTensor(name: name, tensor))
    return name
  }

  /// A parameter as an initializer, its axes in another order and then in another shape.
  ///
  /// Integers stay integers; a parameter that the Graph dequantizes is dequantized in the file.
  mutating func parameter(
    _ id: ValueID,
    permutation: [Int]? = nil,
    shape: [Int]? = nil,
    isDequantized: Bool = false
  ) -> String {
    if let source = dequantizers[id] {
      return parameter(source, permutation: permutation, shape: shape, isDequantized: true)
    }
    guard let tensor = graph[id].constant else { return graph[id].name }
    let isIdentity = permutation.map { $0 == Array($0.indices) } ?? true
    let key = InitializerKey(
      value: id,
      permutation: isIdentity ? [] : permutation ?? [],
      shape: shape ?? [],
      isDequantized: isDequantized
    )
    if let name = initializerNames[key] { return name }
    var arranged = tensor
    if let permutation, !isIdentity { arranged = tensor.rearranged(permutation) }
    if let shape { arranged = arranged.reshapedKeepingAxis(shape) }
    var name: String
    let plain = InitializerKey(
      value: id,
      permutation: key.permutation,
      shape: key.shape,
      isDequantized: false
    )
    if let known = initializerNames[plain] {
      name = known
    } else {
      name = unique(graph[id].name)
      file.initializers.append(ONNXTensor(name: name, arranged))
      initializerNames[plain] = name
    }
    if isDequantized {
      name = dequantize(name, arranged.type, hint: "\(graph[id].name)/float")
      initializerNames[key] = name
    }
    return name
  }
}
