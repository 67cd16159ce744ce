import AssayBase
import AssayGraph
import AssayTensor

/// Writes the graph of integers that a `StaticPlan` describes.
///
/// A value exists as integers, as floats, or as both with a Quantize or Dequantize node between,
/// which is made when the first reader asks for it.
struct StaticQuantizer {
  private let graph: Graph
  private let plan: StaticPlan
  private let boundary: Recipe.Boundary
  /// The integers at a native boundary; `nil` when it is floats.
  private let native: DType?
  private var result: Graph
  /// Values in the integers that they are made as, or that their first reader wants.
  private var integers: [ValueID: ValueID] = [:]
  private var floats: [ValueID: ValueID] = [:]
  private var others: [ValueID: ValueID] = [:]
  private var rescaledValues: [RescaledKey: ValueID] = [:]
  private var filters: [FilterKey: ValueID] = [:]
  private var names: UniqueNames
  private var nodeNames: Set<String>
  private(set) var diagnostics: [Diagnostic]
  /// What values of the result are integers of.
  private(set) var origins: [ValueID: IntegerPlan.Origin] = [:]

  private struct RescaledKey: Hashable {
    var value: ValueID
    var quantization: Quantization
    var dtype: DType
  }

  private struct FilterKey: Hashable {
    var value: ValueID
    var quantization: Quantization?
    var dtype: DType
  }

  init(_ graph: Graph, _ plan: StaticPlan, _ recipe: Recipe) {
    self.graph = graph
    self.plan = plan
    boundary = recipe.scheme.isStatic ? recipe.boundary : .float
    native = recipe.scheme.isStatic ? (recipe.scheme == .int16x8 ? .int16 : .int8) : nil
    result = Graph(name: graph.name)
    result.attachments = graph.attachments
    diagnostics = plan.diagnostics
    // Names that users know are taken, whatever is made before they are.
    names = UniqueNames(Set(graph.inputs.map { graph[$0].name }), separator: "/", first: 2)
    nodeNames = Set(graph.nodes.map(\.name))
  }

  /// The graph of integers.
  mutating func run() throws -> Graph {
    for id in graph.inputs { try addInput(id) }
    for index in graph.nodes.indices { try add(index) }
    for id in graph.outputs { try addOutput(id) }
    return result
  }

  // MARK: Names

  /// `name`, or `name` with a number when something has it already.
  private mutating func unique(_ name: String) -> String { names.unique(name) }

  /// The name of a value inside: an output that is converted at the boundary leaves its name to the
  /// converted one.
  private mutating func innerName(_ id: ValueID, isInteger: Bool) -> String {
    let name = graph[id].name
    guard graph.outputs.contains(id), graph[id].type.dtype == .float32 else { return unique(name) }
    let leavesAsInteger = boundary == .native
    if isInteger == leavesAsInteger { return unique(name) }
    return unique(isInteger ? "\(name)/\(plan.made[id.index] ?? .int8)" : name + "/float32")
  }

  // MARK: Conversions

  private mutating func convert(
    _ source: ValueID,
    _ op: any Operator,
    _ type: TensorType,
    _ name: String
  ) -> ValueID {
    let name = unique(name)
    let id = result.add(Value(name: name, type: type))
    var nodeName = name
    if !nodeNames.insert(nodeName).inserted {
      nodeName = "\(name)/\(op is Dequantize ? "dequantize" : "quantize")"
      while !nodeNames.insert(nodeName).inserted { nodeName += "_" }
    }
    result.nodes.append(Node(name: nodeName, op: op, inputs: [source], outputs: [id]))
    return id
  }

  private mutating func quantize(
    _ source: ValueID,
    _ dtype: DType,
    _ quantization: Quantization,
    _ name: String,
    like value: ValueID
  ) -> ValueID {
    let made = convert(
      source,
      Quantize(dtype, quantization),
      TensorType(dtype, result[source].type.shape, quantization: quantization),
      name
    )
    origins[made] = .range(value)
    return made
  }

  /// The value as integers of this type.
  private mutating func integer(_ id: ValueID, _ dtype: DType) throws -> ValueID {
    if let known = integers[id], result[known].type.dtype == dtype { return known }
    let quantization = try plan.quantization(id, dtype)
    // Floats that are there anyway are more exact than integers of another type.
    if floats[id] == nil, integers[id] != nil {
      return try rescaled(id, dtype, quantization, like: id)
    }
    let key = RescaledKey(value: id, quantization: quantization, dtype: dtype)
    if let known = rescaledValues[key] { return known }
    let made = quantize(
      try float(id),
      dtype,
      quantization,
      graph[id].name + "/quantize",
      like: id
    )
    if integers[id] == nil { integers[id] = made } else { rescaledValues[key] = made }
    return made
  }

  /// The value as floats, or as what it is when it is no float.
  private mutating func float(_ id: ValueID) throws -> ValueID {
    if let known = floats[id] ?? others[id] { return known }
    if graph[id].constant != nil {
      var value = graph[id]
      value.name = unique(value.name)
      let made = result.add(value)
      others[id] = made
      return made
    }
    guard let source = integers[id] else {
      throw Diagnostic("GRF011", "'\(graph[id].name)' is read before it is made")
    }
    let type = TensorType(.float32, graph[id].type.shape)
    let made = convert(source, Dequantize(), type, graph[id].name + "/dequantize")
    floats[id] = made
    return made
  }

  /// The value as integers of another scale or type than its own.
  private mutating func rescaled(
    _ id: ValueID,
    _ dtype: DType,
    _ quantization: Quantization,
    like value: ValueID
  ) throws -> ValueID {
    let source = try integers[id] ?? integer(id, dtype)
    let type = result[source].type
    if type.dtype == dtype, type.quantization == quantization { return source }
    let key = RescaledKey(value: id, quantization: quantization, dtype: dtype)
    if let known = rescaledValues[key] { return known }
    let made = quantize(
      source,
      dtype,
      quantization,
      graph[id].name + "/rescale",
      like: value
    )
    rescaledValues[key] = made
    return made
  }

  // MARK: Boundary

  private mutating func addInput(_ id: ValueID) throws {
    let value = graph[id]
    guard value.type.dtype == .float32 else {
      others[id] = result.addInput(value.name, value.type)
      return
    }
    switch boundary {
    case .float:
      floats[id] = result.addInput(value.name, value.type)
    case .native:
      let dtype = native ?? .int8
      let quantization = try plan.quantization(id, dtype)
      integers[id] = result.addInput(
        value.name,
        TensorType(dtype, value.type.shape, quantization: quantization)
      )
    case .uint8:
      let quantization = try plan.quantization(id, .int8)
      let given = result.addInput(
        value.name,
        TensorType(.uint8, value.type.shape, quantization: quantization.unsigned)
      )
      integers[id] = quantize(given, .int8, quantization, value.name + "/quantize", like: id)
    }
  }

  private mutating func addOutput(_ id: ValueID) throws {
    let value = graph[id]
    let made: ValueID
    if value.type.dtype != .float32 || value.constant != nil {
      made = try float(id)
    } else {
      switch boundary {
      case .float where graph.inputs.contains(id) || floats[id] != nil && integers[id] == nil:
        made = try float(id)
      case .float:
        let source = try integers[id] ?? integer(id, plan.made[id.index] ?? .int8)
        made = try outgoing(id, source, Dequantize(), TensorType(.float32, value.type.shape))
      case .native:
        let dtype = native ?? .int8
        if let known = integers[id], result[known].type.dtype == dtype {
          made = known
        } else {
          let quantization = try plan.quantization(id, dtype)
          let type = TensorType(dtype, value.type.shape, quantization: quantization)
          let source = try floats[id] == nil ? integers[id] ?? float(id) : float(id)
          made = try outgoing(id, source, Quantize(dtype, quantization), type)
        }
      case .uint8:
        let quantization = try plan.quantization(id, .int8).unsigned
        let type = TensorType(.uint8, value.type.shape, quantization: quantization)
        made = try outgoing(id, try integer(id, .int8), Quantize(.uint8, quantization), type)
      }
    }
    result.outputs.append(made)
    let name = graph.outputName(id)
    if result[made].name != name { result.outputNames[made] = name }
  }

  /// The converted value under which an output leaves; made once.
  private mutating func outgoing(
    _ id: ValueID,
    _ source: ValueID,
    _ op: any Operator,
    _ type: TensorType
  ) throws -> ValueID {
    let key = RescaledKey(
      value: id,
      quantization: type.quantization ?? Quantization(scale: 0, zeroPoint: 0),
      dtype: type.dtype
    )
    if let known = rescaledValues[key] { return known }
    let made = convert(source, op, type, graph[id].name)
    rescaledValues[key] = made
    return made
  }

  // MARK: Nodes

  private mutating func add(_ index: Int) throws {
    let node = graph.nodes[index]
    try locating("node '\(node.name)' (\(node.op.name))") {
      guard let rule = plan.rules[index] else { return try addFloat(node) }
      let dtype = plan.types[index]
      let inputs: [ValueID?]
      switch rule {
      case .float: return try addFloat(node)
      case .weighted(let axis): inputs = try weighted(node, axis, dtype)
      case .independent(let positions, let isSymmetric):
        inputs = try operands(node, positions, dtype) { quantizer, id in
          try quantizer.constant(id, dtype, isSymmetric: isSymmetric)
        }
      case .fixed(let positions, _):
        inputs = try operands(node, positions, dtype) { quantizer, id in
          try quantizer.constant(id, dtype)
        }
      case .shared(let positions): inputs = try shared(node, index, positions)
      }
      try append(node, inputs, dtype)
    }
  }

  private mutating func append(_ node: Node, _ inputs: [ValueID?], _ dtype: DType) throws {
    var outputs: [ValueID] = []
    for id in node.outputs {
      let value = graph[id]
      guard value.type.dtype == .float32 else {
        let made = result.add(Value(name: unique(value.name), type: value.type))
        others[id] = made
        outputs.append(made)
        continue
      }
      let quantization = try plan.quantization(id, dtype)
      let type = TensorType(dtype, value.type.shape, quantization: quantization)
      let made = result.add(Value(name: innerName(id, isInteger: true), type: type))
      integers[id] = made
      origins[made] = .range(id)
      outputs.append(made)
    }
    result.nodes.append(Node(name: node.name, op: node.op, inputs: inputs, outputs: outputs))
  }

  private mutating func addFloat(_ node: Node) throws {
    var inputs: [ValueID?] = []
    for id in node.inputs { inputs.append(try id.map { try float($0) }) }
    var outputs: [ValueID] = []
    for id in node.outputs {
      let isFloat = graph[id].type.dtype == .float32
      let name = isFloat ? innerName(id, isInteger: false) : unique(graph[id].name)
      let made = result.add(Value(name: name, type: graph[id].type))
      if isFloat { floats[id] = made } else { others[id] = made }
      outputs.append(made)
    }
    result.nodes.append(Node(name: node.name, op: node.op, inputs: inputs, outputs: outputs))
  }

  private mutating func operands(
    _ node: Node,
    _ positions: [Int],
    _ dtype: DType,
    _ constant: (inout StaticQuantizer, ValueID) throws -> ValueID
  ) throws -> [ValueID?] {
    var inputs: [ValueID?] = []
    for (position, id) in node.inputs.enumerated() {
      guard let id else {
        inputs.append(nil)
        continue
      }
      if !positions.contains(position) || graph[id].type.dtype != .float32 {
        inputs.append(try float(id))
      } else if graph[id].constant != nil {
        inputs.append(try constant(&self, id))
      } else {
        inputs.append(try integer(id, dtype))
      }
    }
    return inputs
  }

  private mutating func shared(
    _ node: Node,
    _ index: Int,
    _ positions: [Int]
  ) throws -> [ValueID?] {
    guard let output = node.outputs.first else { return [] }
    let dtype = plan.types[index]
    let quantization = try plan.quantization(output, dtype)
    // Operands are converted once, to the output's scale, so they come as they are here.
    var inputs = try node.inputs.enumerated().map { position, id -> ValueID? in
      guard let id else { return nil }
      guard positions.contains(position), graph[id].type.dtype == .float32 else {
        return try float(id)
      }
      return graph[id].constant == nil
        ? nil : try constant(id, dtype, with: quantization, like: output)
    }
    for position in positions {
      guard node.inputs.indices.contains(position), let id = node.inputs[position],
        graph[id].constant == nil, isFloat(id)
      else { continue }
      inputs[position] = try sharing(id, dtype, quantization, like: output)
    }
    return inputs
  }

  private func isFloat(_ id: ValueID) -> Bool { graph[id].type.dtype == .float32 }

  /// A value in the scale of the operator that reads it, from floats where they are there.
  private mutating func sharing(
    _ id: ValueID,
    _ dtype: DType,
    _ quantization: Quantization,
    like output: ValueID
  ) throws -> ValueID {
    if integers[id] == nil {
      if try plan.quantization(id, dtype) == quantization { return try integer(id, dtype) }
      let key = RescaledKey(value: id, quantization: quantization, dtype: dtype)
      if let known = rescaledValues[key] { return known }
      let made = quantize(
        try float(id),
        dtype,
        quantization,
        graph[id].name + "/quantize",
        like: output
      )
      rescaledValues[key] = made
      return made
    }
    return try rescaled(id, dtype, quantization, like: output)
  }

  /// A constant operand in integers: by its own range unless a quantization is given.
  private mutating func constant(
    _ id: ValueID,
    _ dtype: DType,
    isSymmetric: Bool = false,
    with given: Quantization? = nil,
    like output: ValueID? = nil
  ) throws -> ValueID {
    let value = graph[id]
    guard let tensor = value.constant else { return try integer(id, dtype) }
    let numbers = tensor.floats()
    guard numbers.allSatisfy(\.isFinite) else {
      throw Diagnostic("QNT005", "a constant is NaN or infinite", at: ["value '\(value.name)'"])
    }
    let (low, high) = (numbers.min() ?? 0, numbers.max() ?? 0)
    let peak = max(high, -low)
    let quantization =
      given
      ?? (isSymmetric && dtype == .int8
        ? Quantization(scale: (peak / 127).isNormal ? peak / 127 : 1, zeroPoint: 0)
        : .integers(dtype, low: low, high: high))
    let key = FilterKey(value: id, quantization: quantization, dtype: dtype)
    if let known = filters[key] { return known }
    guard let integers = tensor.converted(to: dtype, quantization: quantization) else {
      throw Diagnostic("QNT006", "a constant of \(tensor.type) cannot be quantized")
    }
    let made = result.addConstant(unique(value.name), integers)
    filters[key] = made
    origins[made] = output.map { .sharing(id, $0) } ?? .constant(id, isSymmetric: isSymmetric)
    return made
  }

  private mutating func weighted(
    _ node: Node,
    _ axis: Int,
    _ dtype: DType
  ) throws -> [ValueID?] {
    guard let data = node.inputs[0], let filter = node.inputs[1],
      let weights = graph[filter].constant
    else { throw Diagnostic("QNT006", "an input is absent") }
    let source = try integer(data, dtype)
    let bias = node.inputs.count > 2 ? node.inputs[2] : nil
    for id in [filter, bias].compactMap({ $0 }) {
      guard graph[id].constant?.floats().allSatisfy(\.isFinite) ?? false else {
        throw Diagnostic(
          "QNT005",
          "a constant is NaN or infinite",
          at: ["value '\(graph[id].name)'"]
        )
      }
    }
    let quantized = QuantizedFilter(
      weights,
      axis: axis,
      bias: bias.flatMap { graph[$0].constant },
      inputScale: result[source].type.quantization?.scale,
      biasType: dtype == .int16 ? .int64 : .int32
    )
    if quantized.raisedChannels > 0 {
      diagnostics.append(
        Diagnostic(
          "QNT011",
          "\(quantized.raisedChannels) channels have weights so small beside their bias that their "
            + "scale was raised",
          at: ["node '\(node.name)'"],
          severity: .note
        )
      )
    }
    let integerFilter = add(filter, quantized.filter)
    origins[integerFilter] = .filter(filter, axis: axis)
    var inputs: [ValueID?] = [source, integerFilter]
    if let bias, let tensor = quantized.bias {
      let integerBias = add(bias, tensor)
      origins[integerBias] = .bias(bias)
      inputs.append(integerBias)
    }
    return inputs
  }

  /// A quantized constant; nodes that share the original share it when it comes out the same.
  private mutating func add(_ original: ValueID, _ tensor: Tensor) -> ValueID {
    let key = FilterKey(value: original, quantization: tensor.quantization, dtype: tensor.dtype)
    if let known = filters[key], result[known].type == tensor.type { return known }
    let made = result.addConstant(unique(graph[original].name), tensor)
    filters[key] = made
    return made
  }
}
