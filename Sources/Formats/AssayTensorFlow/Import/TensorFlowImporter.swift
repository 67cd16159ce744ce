import AssayBase
import AssayGraph
import AssayReference
import AssayTensor

/// Turns TensorFlow nodes into nodes of a Graph: the frame in which the operators' readers work.
///
/// Every shape is known while a graph is read, because its inputs' shapes are; so shape arithmetic,
/// and all else that only reads Constants, is computed at once by the reference evaluator and never
/// becomes a node. Functions are inlined, loops whose condition is known are unrolled.
public struct TensorFlowImporter {
  /// The graph so far.
  public var graph: Graph
  /// Warnings and notes so far.
  public internal(set) var notes: [Diagnostic] = []
  /// What could not be read so far.
  public internal(set) var faults: [Diagnostic] = []
  /// The value of a checkpointed variable by its name there; `nil` when there is none.
  public var checkpoint: ((String) throws -> Tensor?)?

  var functions: [String: TFFunction] = [:]
  var functionNodes: [String: [String: TFNode]] = [:]
  /// The values of variables by the name of their handle.
  var variables: [String: Tensor] = [:]
  var variableIDs: [String: ValueID] = [:]
  /// The names in the checkpoint of variables' values, by the name of their handle.
  var savedNames: [String: String] = [:]
  /// Functions that are being inlined, one inside the other.
  var callDepth = 0
  /// Nodes that were read so far, inlined and unrolled ones included.
  private var readCount = 0
  /// Bytes of constants that were made and not read, and work in their measure.
  private var madeBytes = 0
  /// NHWC twins of values that stand in the graph as NCHW.
  var channelsLastTwins: [ValueID: ValueID] = [:]
  /// Results of Constants, by operator and operands, so that a loop's steps share them.
  private var foldedResults: [String: [ValueID]] = [:]
  private var usedNames: UniqueNames

  /// Nodes that a graph may get: a bound on what loops unroll to.
  static let mostNodes = 200_000
  /// Nodes that may be read: functions that call one another twice grow without bound.
  private static let mostReads = 1_000_000
  /// Bytes that may be made of a file that holds less: a bound on memory and time.
  private static let mostMadeBytes = 1 << 31
  /// Elements up to which results of Constants are computed while the graph is read.
  private static let mostFoldedElements = 1 << 22

  /// An importer that adds to `graph`.
  public init(_ graph: Graph, functions: [TFFunction] = []) {
    self.graph = graph
    usedNames = UniqueNames(Set(graph.values.map(\.name)))
    for function in functions { self.functions[function.name] = function }
  }

  /// The operators that can be read, in alphabetical order.
  public static var readOperators: [String] { tensorFlowReaders.keys.sorted() }

  /// Adds a single node that reads values of the graph.
  ///
  /// - Parameter inputs: the node's inputs, in order; its own names of them do not matter.
  /// - Returns: its outputs, without those that no inference needs. An output may be one of the
  ///   inputs (Identity) or a Constant.
  /// - Throws: `Diagnostics` TFG02x when it cannot be read, GRF… when the values do not fit.
  public mutating func add(_ node: TFNode, inputs: [ValueID]) throws -> [ValueID] {
    let call = TFCall(node: node, inputs: inputs.map { .tensor($0) }, name: node.name)
    let results = try read(call)
    return results.compactMap { result in
      if case .tensor(let id) = result { return id }
      return nil
    }
  }

  /// Reads one node with the reader of its operator.
  mutating func read(_ call: TFCall) throws -> [TFValue] {
    readCount += 1
    guard readCount <= Self.mostReads else {
      throw Diagnostic("TFG008", "functions and loops come to more than \(Self.mostReads) nodes")
    }
    guard let reader = tensorFlowReaders[call.node.op] else {
      throw Diagnostic(
        "TFG021",
        "operator \(call.node.op) is not supported",
        remedy: "name outputs before it, or save the network without it"
      )
    }
    return try reader(call, &self)
  }
}

// MARK: - Values

extension TensorFlowImporter {
  /// The value that a node's input is.
  func tensor(_ call: TFCall, _ index: Int) throws -> ValueID {
    guard call.inputs.indices.contains(index) else { throw call.missingInput(index) }
    switch call.inputs[index] {
    case .tensor(let id): return id
    case .texts: throw call.unsupported("an input of text")
    case .variable(let name): throw call.unsupported("the handle of variable '\(name)'")
    case .saved(let name): throw call.unsupported("'\(name)' of the checkpoint")
    case .list: throw call.unsupported("a list of tensors")
    case .unused: throw call.unsupported("an output that only training has, as input \(index),")
    case .dead, .missing: throw call.missingInput(index)
    }
  }

  /// All inputs.
  func tensors(_ call: TFCall) throws -> [ValueID] {
    try call.inputs.indices.map { try tensor(call, $0) }
  }

  /// The shape of an input.
  func shape(_ call: TFCall, _ index: Int) throws -> Shape {
    graph[try tensor(call, index)].type.shape
  }

  /// The Constant that an input is, or `nil`.
  func constant(_ call: TFCall, _ index: Int) throws -> Tensor? {
    graph[try tensor(call, index)].constant
  }

  /// Constant integers, such as a shape.
  func integers(_ call: TFCall, _ index: Int) throws -> [Int] {
    guard let tensor = try constant(call, index) else {
      throw call.unsupported(
        "input \(index), which is computed while the network runs,",
        remedy: "save the network with fixed shapes"
      )
    }
    guard tensor.dtype.isInteger, tensor.count < 1 << 20 else {
      throw call.unsupported("input \(index) of type \(tensor.type)")
    }
    return tensor.integers()
  }

  /// One constant integer.
  func integer(_ call: TFCall, _ index: Int) throws -> Int {
    let list = try integers(call, index)
    guard list.count == 1 else { throw call.unsupported("input \(index) of \(list.count) numbers") }
    return list[0]
  }

  /// One constant number.
  func number(_ call: TFCall, _ index: Int) throws -> Float {
    guard let tensor = try constant(call, index), tensor.count == 1 else {
      throw call.unsupported("input \(index), which is no constant number,")
    }
    return tensor.floats()[0]
  }

  /// A name that no value has yet.
  mutating func uniqueName(_ name: String) -> String { usedNames.unique(name) }

  /// Adds a Constant.
  mutating func addConstant(_ name: String, _ tensor: Tensor) -> ValueID {
    graph.addConstant(uniqueName(name), tensor)
  }

  /// Adds a number as a scalar of type `dtype`.
  mutating func addNumber(_ value: Float, like id: ValueID) -> ValueID {
    let key = "number \(value) \(graph[id].type.dtype)"
    if let known = foldedResults[key] { return known[0] }
    let scalar = Tensor([value], [])
    let typed = scalar.converted(to: graph[id].type.dtype) ?? scalar
    let added = addConstant("const/\(value)", typed)
    foldedResults[key] = [added]
    return added
  }

  /// Adds a list of integers.
  mutating func addIntegers(
    _ name: String,
    _ values: [Int],
    _ shape: Shape,
    _ dtype: DType
  )
    -> ValueID
  {
    let wide = Tensor(values.map { Int64($0) }, shape, dtype: .int64)
    return addConstant(name, wide.converted(to: dtype) ?? wide)
  }
}

// MARK: - Nodes

extension TensorFlowImporter {
  /// Adds the node that makes a call's outputs.
  mutating func emit(
    _ call: TFCall,
    _ op: any Operator,
    _ inputs: [ValueID?]
  ) throws -> [TFValue] {
    try add(call.name, op, inputs).map { .tensor($0) }
  }

  /// Adds a node inside a call that takes several, and gives its first result.
  mutating func step(
    _ call: TFCall,
    _ suffix: String,
    _ op: any Operator,
    _ inputs: [ValueID?]
  ) throws -> ValueID {
    guard let result = try add("\(call.name)/\(suffix)", op, inputs).first else {
      throw call.unsupported("a result of nothing")
    }
    return result
  }

  /// Adds a node, or computes its results when all that it reads is constant.
  mutating func add(_ name: String, _ op: any Operator, _ inputs: [ValueID?]) throws -> [ValueID] {
    if let folded = try fold(name, op, inputs) { return folded }
    guard graph.nodes.count < Self.mostNodes else {
      throw Diagnostic("TFG008", "the graph has more than \(Self.mostNodes) nodes")
    }
    let unique = uniqueName(name)
    let outputs = try graph.addNode(unique, op, inputs)
    for output in outputs {
      let type = graph[output].type
      guard let bytes = type.byteCount, bytes < 1 << 40,
        type.shape.dims.allSatisfy({ $0 < 1 << 31 })
      else { throw Diagnostic("TFG007", "a result of type \(type) is too large") }
      if output != outputs[0] { usedNames.take(graph[output].name) }
    }
    return outputs
  }

  private mutating func fold(
    _ name: String,
    _ op: any Operator,
    _ inputs: [ValueID?]
  ) throws -> [ValueID]? {
    var operands: [Tensor?] = []
    for input in inputs {
      guard let input else {
        operands.append(nil)
        continue
      }
      guard let constant = graph[input].constant else { return nil }
      operands.append(constant)
    }
    guard ReferenceEvaluator.canEvaluate(op), !operands.isEmpty else { return nil }
    let key =
      op is Quantize
      ? nil
      : op.name + inputs.map { $0.map { " \($0.index)" } ?? " -" }.joined()
        + op.attributes.map { " \($0.value)" }.joined()
    if let key, let known = foldedResults[key] { return known }
    let types = try op.inferTypes(operands.map { $0?.type })
    let isMovement = op is Reshape || op is Transpose
    let size = types.reduce(0) { $0 &+ max($1.shape.count, 0) }
    guard types.allSatisfy({ $0.shape.elementCount != nil }), size >= 0 else { return nil }
    let cost = op.cost(inputs: operands.map { $0?.type }, outputs: types)
    guard isMovement || size <= Self.mostFoldedElements && cost.macs <= 1 << 24 else { return nil }
    if !(op is Reshape) {
      let bytes = types.reduce(0) { $0 &+ ($1.byteCount ?? 0) }
      try charge(bytes &+ 4 &* cost.macs)
    }
    let results: [Tensor]
    if let reshape = op as? Reshape, let x = operands[0], reshape.shape.count >= 0 {
      results = [x.reshaped(types[0].shape)]
    } else if let transpose = op as? Transpose, let x = operands[0],
      let turned = x.permuted(transpose.permutation)
    {
      results = [turned]
    } else {
      results = try ReferenceEvaluator.evaluate(op, operands, as: types)
    }
    let ids = results.enumerated().map { index, tensor in
      addConstant(index == 0 ? name : "\(name):\(index)", tensor)
    }
    if let key { foldedResults[key] = ids }
    return ids
  }

  /// Counts bytes that are made of constants.
  ///
  /// - Throws: `Diagnostic` TFG008 when they are too many.
  mutating func charge(_ bytes: Int) throws {
    madeBytes = bytes < 0 ? Int.max : madeBytes.addingReportingOverflow(bytes).partialValue
    guard (0...Self.mostMadeBytes).contains(madeBytes) else {
      throw Diagnostic("TFG008", "what follows from the graph's constants alone is too large")
    }
  }

  /// The value in another shape; itself when it has that shape.
  mutating func reshaped(
    _ call: TFCall,
    _ id: ValueID,
    to dims: [Int],
    as suffix: String? = nil
  ) throws -> ValueID {
    if graph[id].type.shape.dims == dims { return id }
    let name = suffix.map { "\(call.name)/\($0)" } ?? call.name
    return try add(name, Reshape(dims), [id])[0]
  }

  /// The value with its axes in another order; itself when that is the order.
  mutating func transposed(
    _ call: TFCall,
    _ id: ValueID,
    _ permutation: [Int],
    as suffix: String? = nil
  ) throws -> ValueID {
    if permutation == Array(permutation.indices) { return id }
    let name = suffix.map { "\(call.name)/\($0)" } ?? call.name
    return try add(name, Transpose(permutation), [id])[0]
  }
}

// MARK: - Images

extension TensorFlowImporter {
  /// An image with its channels last, whatever the call's `data_format`.
  mutating func image(_ call: TFCall, _ index: Int) throws -> ValueID {
    let id = try tensor(call, index)
    guard call.isChannelsFirst else { return id }
    if let twin = channelsLastTwins[id] { return twin }
    let rank = graph[id].type.shape.rank
    guard rank >= 3 else { return id }
    let twin = try transposed(call, id, [0] + Array(2..<rank) + [1], as: "nhwc")
    channelsLastTwins[id] = twin
    return twin
  }

  /// Adds the node that makes an image, and gives it in the call's `data_format`.
  mutating func emitImage(
    _ call: TFCall,
    _ op: any Operator,
    _ inputs: [ValueID?]
  ) throws -> TFValue {
    guard call.isChannelsFirst else { return .tensor(try add(call.name, op, inputs)[0]) }
    return try image(call, made: try step(call, "nhwc", op, inputs))
  }

  /// A channels-last image in the call's `data_format`.
  mutating func image(_ call: TFCall, made id: ValueID) throws -> TFValue {
    let rank = graph[id].type.shape.rank
    guard call.isChannelsFirst, rank >= 3 else { return .tensor(id) }
    let turned = try transposed(call, id, [0, rank - 1] + Array(1..<rank - 1))
    channelsLastTwins[turned] = id
    return .tensor(turned)
  }
}
