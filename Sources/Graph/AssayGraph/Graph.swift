import AssayBase
import AssayTensor

/// Names a Value of one Graph.
public struct ValueID: Hashable, Sendable, Comparable {
  /// The index in `Graph.values`.
  public let index: Int
  /// Names the value at `index`.
  public init(_ index: Int) { self.index = index }
  /// Order of creation.
  public static func < (a: ValueID, b: ValueID) -> Bool { a.index < b.index }
}

/// What flows between nodes: a typed tensor with a name, which may be a Constant.
public struct Value: Sendable {
  /// The name, unique in a valid graph.
  public var name: String
  /// Element type, shape and quantization.
  public var type: TensorType
  /// The elements, when they are known before the graph runs (weights).
  public var constant: Tensor?

  /// Makes a value.
  public init(name: String, type: TensorType, constant: Tensor? = nil) {
    self.name = name
    self.type = type
    self.constant = constant
  }
}

/// One application of an Operator to Values.
public struct Node: Sendable {
  /// The name, for messages and reports; unique in a valid graph.
  public var name: String
  /// What it computes, with its attributes.
  public var op: any Operator
  /// What it reads; `nil` for an optional input that is absent.
  public var inputs: [ValueID?]
  /// What it makes.
  public var outputs: [ValueID]

  /// Makes a node.
  public init(name: String, op: any Operator, inputs: [ValueID?], outputs: [ValueID]) {
    self.name = name
    self.op = op
    self.inputs = inputs
    self.outputs = outputs
  }
}

/// A network as data: Nodes joined by Values.
///
/// Images are NHWC; nodes stand in an order in which every value is made before it is read. A graph
/// is a value: a rewrite makes a new one, constants share their storage.
public struct Graph: Sendable {
  /// The network's name.
  public var name: String
  /// Every value, indexed by `ValueID`.
  public private(set) var values: [Value] = []
  /// The nodes in topological order.
  public var nodes: [Node] = []
  /// What the user feeds, in the source's order.
  public var inputs: [ValueID] = []
  /// What the user gets, in the source's order.
  public var outputs: [ValueID] = []
  /// The source's names of outputs where they differ from the value's name (TFLite signatures).
  public var outputNames: [ValueID: String] = [:]
  /// What a file carries beside the network, such as a description or labels; formats that can hold
  /// it write it back.
  public var attachments: [Attachment] = []

  /// Bytes that belong to a network without being part of it.
  public struct Attachment: Sendable {
    /// The name by which readers look for it.
    public var name: String
    /// The content.
    public var bytes: ByteView
    /// Whether it is a file of its own, rather than an entry of the format.
    public var isFile: Bool

    /// Makes an attachment.
    public init(_ name: String, _ bytes: ByteView, isFile: Bool) {
      self.name = name
      self.bytes = bytes
      self.isFile = isFile
    }
  }

  /// A graph without nodes.
  public init(name: String) { self.name = name }

  /// The value with this ID.
  public subscript(id: ValueID) -> Value {
    get { values[id.index] }
    set { values[id.index] = newValue }
  }

  /// Adds a value.
  @discardableResult
  public mutating func add(_ value: Value) -> ValueID {
    values.append(value)
    return ValueID(values.count - 1)
  }

  /// Adds a value that the user feeds.
  @discardableResult
  public mutating func addInput(_ name: String, _ type: TensorType) -> ValueID {
    let id = add(Value(name: name, type: type))
    inputs.append(id)
    return id
  }

  /// Adds a Constant.
  @discardableResult
  public mutating func addConstant(_ name: String, _ tensor: Tensor) -> ValueID {
    add(Value(name: name, type: tensor.type, constant: tensor))
  }

  /// Adds a node, with output values of the types that its operator infers.
  ///
  /// - Parameter outputNames: names of the outputs; by default the node's name.
  /// - Returns: the outputs.
  /// - Throws: `Diagnostic` GRF… when the operator does not accept the inputs.
  @discardableResult
  public mutating func addNode(
    _ name: String,
    _ op: any Operator,
    _ inputs: [ValueID?],
    outputNames: [String]? = nil
  ) throws -> [ValueID] {
    let types = try locating("node '\(name)'") {
      try op.inferTypes(inputs.map { $0.map { self[$0].type } })
    }
    let ids = types.enumerated().map { index, type in
      let given = outputNames.flatMap { $0.indices.contains(index) ? $0[index] : nil }
      return add(Value(name: given ?? (index == 0 ? name : "\(name):\(index)"), type: type))
    }
    nodes.append(Node(name: name, op: op, inputs: inputs, outputs: ids))
    return ids
  }

  /// The nodes that read each value, by index in `nodes`.
  public func consumers() -> [ValueID: [Int]] {
    var result: [ValueID: [Int]] = [:]
    for (index, node) in nodes.enumerated() {
      for input in node.inputs { if let input { result[input, default: []].append(index) } }
    }
    return result
  }

  /// The node that makes each value, by index in `nodes`.
  public func producers() -> [ValueID: Int] {
    var result: [ValueID: Int] = [:]
    for (index, node) in nodes.enumerated() {
      for output in node.outputs { result[output] = index }
    }
    return result
  }

  /// The name under which an output leaves the graph.
  public func outputName(_ id: ValueID) -> String { outputNames[id] ?? self[id].name }

  /// The number of elements of all Constants that nodes read (parameters as frameworks count them).
  public var parameterCount: Int {
    var seen: Set<ValueID> = []
    for node in nodes { for case let input? in node.inputs { seen.insert(input) } }
    return seen.reduce(0) { $0 + (self[$1].constant?.count ?? 0) }
  }
}
