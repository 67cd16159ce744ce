import AssayBase
import AssayGraph
import AssayTensor

/// Turns a Graph into TensorFlow nodes: the frame in which the operators' writers work.
///
/// Weights become variables with the axes that TensorFlow gives them, under the Constants' names; small
/// numbers and integers stay Constants.
public struct TensorFlowExporter {
  /// A weight.
  public struct Variable: Sendable {
    /// The name of its handle and in the checkpoint.
    public var name: String
    /// Its value.
    public var value: Tensor
  }

  /// The graph that is written.
  let graph: Graph
  /// Whether weights become variables; Constants otherwise.
  let keepsVariables: Bool
  /// The nodes so far.
  public private(set) var nodes: [TFNode] = []
  /// The weights so far.
  public private(set) var variables: [Variable] = []
  /// What each input of the graph is.
  public private(set) var inputs: [(name: String, reference: String, type: TensorType)] = []
  /// What each output of the graph is.
  public private(set) var outputs: [(name: String, reference: String, type: TensorType)] = []

  private var references: [ValueID: String] = [:]
  private var usedNames: Set<String> = []
  /// Weights by Constant and form.
  private var parameters: [String: String] = [:]
  private var integerConstants: [String: String] = [:]

  /// Writes a graph.
  ///
  /// - Throws: `Diagnostics` TFG1xx with every node that TensorFlow cannot hold.
  public init(_ graph: Graph, keepsVariables: Bool, inputPrefix: String = "") throws {
    let graph = try graph.decomposed { !($0 is any TensorFlowExportable) }
    self.graph = graph
    self.keepsVariables = keepsVariables
    // Outputs have the first claim on their names.
    let outputNames = graph.outputs.map { uniqueName(graph.outputName($0)) }
    for id in graph.inputs {
      let type = graph[id].type
      let reference = add(
        "Placeholder",
        uniqueName(inputPrefix + graph[id].name),
        [],
        ["dtype": .type(TFDataType(type.dtype)), "shape": .shape(TFShape(type.shape))]
      )
      references[id] = reference
      inputs.append((graph[id].name, reference, type))
    }
    var faults: [Diagnostic] = []
    for node in graph.nodes {
      do {
        try write(node)
      } catch let fault as Diagnostic {
        faults.append(fault.inside("node '\(node.name)' (\(node.op.name))"))
        // What reads it is written nevertheless, so that all faults are found.
        for output in node.outputs { references[output] = "" }
      }
    }
    try Diagnostics(faults).throwIfErrors()
    for (id, name) in zip(graph.outputs, outputNames) {
      let type = graph[id].type
      let reference = add(
        "Identity",
        name,
        [self.reference(id)],
        ["T": .type(TFDataType(type.dtype))]
      )
      outputs.append((graph.outputName(id), reference, type))
    }
  }

  private mutating func write(_ node: Node) throws {
    guard let op = node.op as? any TensorFlowExportable else {
      throw Diagnostic(
        "TFG100",
        "TensorFlow has no operator for it",
        remedy: "export another format"
      )
    }
    let view = TFNodeView(
      node: node,
      inputs: node.inputs.map { $0.map { graph[$0].type } },
      outputs: node.outputs.map { graph[$0].type },
      name: uniqueName(node.name)
    )
    let parameters = node.inputs.compactMap { $0 }.filter { graph[$0].constant == nil }
    let ports = parameters.map { graph[$0].type } + view.outputs
    guard
      !(ports.contains { $0.quantization != nil && $0.dtype.isInteger }) || op is Quantize
        || op is Dequantize
    else {
      throw Diagnostic(
        "TFG102",
        "TensorFlow has no kernels for quantized integers",
        remedy: "export the float network, or write .tflite or .onnx"
      )
    }
    let results = try op.write(view, to: &self)
    for (id, reference) in zip(node.outputs, results) { references[id] = reference }
  }
}

// MARK: - Nodes

extension TensorFlowExporter {
  /// A name that no node has yet, of the characters that TensorFlow allows.
  mutating func uniqueName(_ name: String) -> String {
    var plain = ""
    for character in name.unicodeScalars {
      let isPlain =
        character.isASCII
        && (character.properties.isAlphabetic || character.properties.numericType != nil
          || "._/-".unicodeScalars.contains(character))
      plain += isPlain ? String(character) : "_"
    }
    if plain.isEmpty || "_/-".contains(plain.prefix(1)) { plain = "n" + plain }
    var unique = plain
    var number = 1
    // TensorFlow takes names that differ only in case as different, files of its tools do not.
    while !usedNames.insert(unique.lowercased()).inserted {
      unique = "\(plain)_\(number)"
      number += 1
    }
    return unique
  }

  /// Adds a node under a name that `uniqueName` gave, and gives its first output.
  @discardableResult
  mutating func add(
    _ op: String,
    _ name: String,
    _ inputs: [String],
    _ attributes: [String: TFAttribute]
  ) -> String {
    nodes.append(TFNode(name, op, inputs, attributes))
    return name
  }

  /// Adds a node of several that make one of ours.
  mutating func step(
    _ view: TFNodeView,
    _ suffix: String,
    _ op: String,
    _ inputs: [String],
    _ attributes: [String: TFAttribute]
  ) -> String {
    add(op, uniqueName("\(view.name)/\(suffix)"), inputs, attributes)
  }

  /// Adds the node that makes the first output of one of ours, and its activation.
  mutating func finish(
    _ view: TFNodeView,
    _ op: String,
    _ inputs: [String],
    _ attributes: [String: TFAttribute],
    activation: Activation = .none
  ) -> [String] {
    guard activation != .none else { return [add(op, view.name, inputs, attributes)] }
    let result = step(view, op, op, inputs, attributes)
    let type = ["T": view.type]
    switch activation {
    case .none: return [result]
    case .relu: return [add("Relu", view.name, [result], type)]
    case .relu6: return [add("Relu6", view.name, [result], type)]
    case .reluN1To1:
      let low = scalar(-1, view.outputs[0].dtype)
      let high = scalar(1, view.outputs[0].dtype)
      return [add("ClipByValue", view.name, [result, low, high], type)]
    }
  }

  /// The references to a node's outputs.
  func outputs(of name: String, _ count: Int) -> [String] {
    (0..<count).map { $0 == 0 ? name : "\(name):\($0)" }
  }

  // MARK: - Values

  /// What a value of the graph is in the file.
  mutating func reference(_ id: ValueID) -> String {
    if let known = references[id] { return known }
    guard let constant = graph[id].constant else { return "" }
    let made = parameter(constant, named: graph[id].name)
    references[id] = made
    return made
  }

  /// What an input of a node is; an absent one is empty.
  mutating func input(_ view: TFNodeView, _ index: Int) -> String {
    guard view.node.inputs.indices.contains(index), let id = view.node.inputs[index] else {
      return ""
    }
    return reference(id)
  }

  /// A weight with its axes rearranged and then in another shape; anything else by nodes.
  mutating func weight(
    _ view: TFNodeView,
    _ index: Int,
    permutation: [Int]? = nil,
    shape: [Int]? = nil
  ) -> String {
    guard let id = view.node.inputs[index] else { return "" }
    let key = "\(id.index) \(permutation ?? []) \(shape ?? [])"
    if let known = parameters[key] { return known }
    if let constant = graph[id].constant, constant.quantization == nil {
      var value = constant
      if let permutation { value = value.permuted(permutation) ?? value }
      if let shape { value = value.reshaped(Shape(shape)) }
      let made = parameter(value, named: graph[id].name)
      parameters[key] = made
      return made
    }
    var result = reference(id)
    let type = TFAttribute.type(TFDataType(graph[id].type.dtype))
    if let permutation {
      result = step(
        view,
        "turned",
        "Transpose",
        [result, integers(permutation)],
        ["T": type, "Tperm": .type(.int32)]
      )
    }
    if let shape {
      result = step(
        view,
        "shaped",
        "Reshape",
        [result, integers(shape)],
        ["T": type, "Tshape": .type(.int32)]
      )
    }
    return result
  }

  /// A Constant: a variable if it is a weight.
  private mutating func parameter(_ tensor: Tensor, named name: String) -> String {
    let isWeight = tensor.dtype.isFloat && tensor.shape.rank > 0
    let type = TFAttribute.type(TFDataType(tensor.dtype))
    guard isWeight, keepsVariables else {
      return add(
        "Const",
        uniqueName(name),
        [],
        ["dtype": type, "value": .tensor(TFTensor(tensor))]
      )
    }
    let handle = uniqueName(name)
    add(
      "VarHandleOp",
      handle,
      [],
      [
        "dtype": type, "shape": .shape(TFShape(tensor.shape)), "shared_name": .string(handle),
        "container": .string(""),
      ]
    )
    variables.append(Variable(name: handle, value: tensor))
    return add(
      "ReadVariableOp",
      uniqueName("\(handle)/Read/ReadVariableOp"),
      [handle],
      ["dtype": type]
    )
  }

  /// Constant integers in a list, or in another shape.
  mutating func integers(
    _ values: [Int],
    _ shape: Shape? = nil,
    _ dtype: DType = .int32
  ) -> String {
    let extents = shape ?? [values.count]
    let key = "\(values) \(extents) \(dtype)"
    if let known = integerConstants[key] { return known }
    let wide = Tensor(values.map { Int64($0) }, extents, dtype: .int64)
    let tensor = wide.converted(to: dtype) ?? wide
    let made = add(
      "Const",
      uniqueName("const/integers"),
      [],
      ["dtype": .type(TFDataType(tensor.dtype)), "value": .tensor(TFTensor(tensor))]
    )
    integerConstants[key] = made
    return made
  }

  /// A constant number.
  mutating func scalar(_ value: Float, _ dtype: DType) -> String {
    let key = "\(value) \(dtype)"
    if let known = integerConstants[key] { return known }
    let single = Tensor([value], [])
    let tensor = single.converted(to: dtype) ?? single
    let made = add(
      "Const",
      uniqueName("const/number"),
      [],
      ["dtype": .type(TFDataType(tensor.dtype)), "value": .tensor(TFTensor(tensor))]
    )
    integerConstants[key] = made
    return made
  }

  /// A constant tensor that no Constant of the graph is.
  mutating func constant(_ view: TFNodeView, _ suffix: String, _ tensor: Tensor) -> String {
    step(
      view,
      suffix,
      "Const",
      [],
      ["dtype": .type(TFDataType(tensor.dtype)), "value": .tensor(TFTensor(tensor))]
    )
  }

  /// A value in another shape.
  mutating func reshape(
    _ view: TFNodeView,
    _ value: String,
    _ shape: [Int],
    as suffix: String? = nil
  ) -> String {
    let name = suffix.map { uniqueName("\(view.name)/\($0)") } ?? view.name
    return add(
      "Reshape",
      name,
      [value, integers(shape)],
      ["T": view.type(0), "Tshape": .type(.int32)]
    )
  }
}

extension TFShape {
  /// A shape of our graph.
  init(_ shape: Shape) { self.init(shape.dims.map(Int64.init)) }
}
