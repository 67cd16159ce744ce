import AssayBase
import AssayGraph
import AssayTensor

/// The values of a file whose images are NCHW, and where each stands in a Graph, whose images are NHWC.
///
/// A value of the file may stand in the graph twice: `plain`, with the file's axes, and as `image`, with
/// the channels last. Each is made from the other by a Transpose the first time that somebody asks for
/// it. Window operators ask for and make images, elementwise ones follow their inputs, all others ask
/// for plain values: then hardly a Transpose comes about inside a convolutional network.
///
/// An importer holds one and conforms to `TwinImporter`, which gives it the same methods.
public struct TwinValues: Sendable {
  /// The network as far as it is made.
  public var graph: Graph
  /// Values that a faulty node did not make; nodes that read them are to be passed over.
  public var missing: Set<String> = []

  private var slots: [String: Slot] = [:]
  private var valueNames = UniqueNames()
  private var nodeNames = UniqueNames()
  private let fileOutputs: Set<String>
  private let codes: String
  /// The Constant behind each dequantized parameter.
  private var dequantizedConstants: [ValueID: ValueID] = [:]
  /// What a reshape was made of: reshaping its result again starts there.
  private var reshapeSources: [ValueID: ValueID] = [:]
  /// What a reshape or a transpose was made of.
  private var turnedSources: [ValueID: ValueID] = [:]

  /// Where a value of the file stands in the graph.
  private struct Slot {
    var plain: ValueID?
    var image: ValueID?
  }

  /// No values yet.
  ///
  /// - Parameters:
  ///   - name: the graph's name.
  ///   - outputs: the file's names of the values that leave the network.
  ///   - codes: the prefix of the format's diagnostic codes: 004 is made twice, 005 read too early,
  ///     006 of a wrong rank, 009 too large, 020 an error of another kind.
  public init(name: String, outputs: Set<String>, codes: String) {
    graph = Graph(name: name)
    fileOutputs = outputs
    self.codes = codes
  }

  func fault(_ number: String, _ summary: String) -> Diagnostic {
    Diagnostic(codes + number, summary)
  }
}

// MARK: - Values of the file

extension TwinValues {
  /// Makes a name of the file known, without a value yet.
  public mutating func declare(_ name: String) throws {
    guard !name.isEmpty, slots[name] == nil else {
      throw fault("004", "'\(name)' is made more than once")
    }
    slots[name] = Slot()
  }

  /// Makes a name known that the file does not have, for a call inside a call.
  public mutating func open(_ name: String) { slots[name] = Slot() }

  /// Whether a name is declared, with a value or without.
  public func isDeclared(_ name: String) -> Bool { slots[name] != nil }

  /// Whether a value of the file stands in the graph.
  public func stands(_ name: String) -> Bool {
    slots[name]?.plain != nil || slots[name]?.image != nil
  }

  /// Lets a value of the file stand in the graph as these, besides where it already does.
  public mutating func place(_ name: String, plain: ValueID? = nil, image: ValueID? = nil) {
    if let plain { slots[name, default: Slot()].plain = plain }
    if let image { slots[name, default: Slot()].image = image }
  }

  /// Lets a value of the file be the same as another one.
  public mutating func alias(_ name: String, to other: String) throws {
    guard let slot = slots[other] else {
      throw fault("005", "'\(other)' is read before it is made")
    }
    slots[name] = slot
  }

  /// Makes known a value that the file does not have and that stands in the graph already.
  ///
  /// - Returns: its name.
  public mutating func bind(_ id: ValueID) -> String {
    slots[graph[id].name] = Slot(plain: id)
    return graph[id].name
  }

  /// The value of the file in its own axes.
  public mutating func plain(_ name: String) throws -> ValueID {
    if let plain = slots[name]?.plain { return plain }
    guard let image = slots[name]?.image else {
      throw fault("005", "'\(name)' is read before it is made")
    }
    let id = try turned(image, [0, 3, 1, 2], valueName(name, "nchw"))
    slots[name]?.plain = id
    return id
  }

  /// The value of the file with its channels last.
  public mutating func image(_ name: String) throws -> ValueID {
    if let image = slots[name]?.image { return image }
    let plain = try plain(name)
    guard graph[plain].type.shape.rank == 4 else {
      throw fault("006", "'\(name)' is \(graph[plain].type), not an image of four axes")
    }
    let id = try turned(plain, [0, 2, 3, 1], valueName(name, "nhwc"))
    slots[name]?.image = id
    return id
  }

  /// The image that a value stands as already, or `nil`.
  public func knownImage(_ name: String) -> ValueID? { slots[name]?.image }

  /// Whether the value stands as an image already.
  public func isImage(_ name: String) -> Bool { slots[name]?.image != nil }

  /// The values of the graph in which a value of the file stands.
  public func knownIDs(_ name: String) -> [ValueID] {
    [slots[name]?.plain, slots[name]?.image].compactMap { $0 }
  }

  /// The type of a value in the file's axes.
  public func type(_ name: String) throws -> TensorType {
    if let plain = slots[name]?.plain { return graph[plain].type }
    guard let image = slots[name]?.image else {
      throw fault("005", "'\(name)' is read before it is made")
    }
    var type = graph[image].type
    type.shape = Shape([0, 3, 1, 2].map { type.shape[$0] })
    return type
  }

  /// The Constant that a value is, or `nil`.
  public func constant(_ name: String) -> Tensor? {
    slots[name]?.plain.flatMap { graph[$0].constant }
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

  /// A parameter with its axes in another order: a Constant is rearranged now, also behind a
  /// dequantization; anything else by a node named after `result`.
  public mutating func parameter(
    _ name: String,
    _ permutation: [Int],
    result: String
  ) throws -> ValueID {
    let id = try plain(name)
    guard graph[id].type.shape.rank == permutation.count else {
      throw fault("006", "'\(name)' is \(graph[id].type), not of \(permutation.count) axes")
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
      return try step(result, "float", Dequantize(), [turned])
    }
    return try step(result, "turned", Transpose(permutation), [id])
  }
}

// MARK: - Values and nodes of the graph

extension TwinValues {
  /// A name that the graph's values do not have yet; the file's own where that is possible.
  ///
  /// - Parameter form: what is appended, after a slash, where the name is taken.
  public mutating func valueName(_ name: String, _ form: String? = nil) -> String {
    // The file's outputs keep their names for the values that leave the graph.
    var candidate = name
    if let form, fileOutputs.contains(name), form == "nhwc" { candidate = "\(name)/\(form)" }
    if valueNames.take(candidate) { return candidate }
    if let form { candidate = "\(name)/\(form)" }
    return valueNames.unique(candidate)
  }

  /// Adds a Constant.
  public mutating func addConstant(_ name: String, _ tensor: Tensor) -> ValueID {
    valueNames.take(name)
    return graph.addConstant(name, tensor)
  }

  /// Adds a scalar, of `dtype` where a float can be brought to it.
  public mutating func addConstant(_ value: Float, _ dtype: DType = .float32) -> ValueID {
    let scalar = Tensor([value], [])
    return graph.addConstant(valueName("const/\(value)"), scalar.converted(to: dtype) ?? scalar)
  }

  /// Adds a node under a name that no other node has; a quantized input's data movement keeps its
  /// quantization.
  public mutating func addNode(
    _ name: String,
    _ op: any Operator,
    _ inputs: [ValueID?],
    _ outputNames: [String]
  ) throws -> [ValueID] {
    let unique = nodeNames.unique(name)
    let outputs = try graph.addNode(unique, op, inputs, outputNames: outputNames)
    for output in outputs {
      let type = graph[output].type
      guard let bytes = type.byteCount, bytes < 1 << 40,
        type.shape.dims.allSatisfy({ $0 < 1 << 31 })
      else { throw fault("009", "a result of type \(type) is too large") }
    }
    if op is Reshape { reshapeSources[outputs[0]] = inputs[0] }
    if op is Reshape || op is Transpose { turnedSources[outputs[0]] = inputs[0] }
    if let first = inputs.first.flatMap({ $0 }), op.keepsQuantization {
      for output in outputs { graph[output].type.quantization = graph[first].type.quantization }
    }
    return outputs
  }

  /// Adds a node inside the making of `result`, which takes several, and gives its value.
  public mutating func step(
    _ result: String,
    _ suffix: String,
    _ op: any Operator,
    _ inputs: [ValueID?]
  ) throws -> ValueID {
    let name = valueName("\(result)/\(suffix)")
    return try addNode(name, op, inputs, [name])[0]
  }

  /// Notes that a value is made of a Constant of halves or quantized integers.
  public mutating func noteDequantized(_ id: ValueID, from constant: ValueID) {
    dequantizedConstants[id] = constant
  }

  /// Tells what a value's integers stand for, and those that it was reshaped or turned from.
  public mutating func declare(_ quantization: Quantization, of id: ValueID) {
    var next: ValueID? = id
    while let current = next, graph[current].type.quantization == nil {
      graph[current].type.quantization = quantization
      next = turnedSources[current]
    }
  }

  /// Lets a value of the file leave the graph, with the file's axes and under the file's name.
  public mutating func addOutput(_ name: String) throws {
    var id = try plain(name)
    if graph.outputs.contains(id) {
      // Under two names: a node of its own gives it the second one.
      let op = Reshape(graph[id].type.shape.dims)
      id = try addNode("\(name)/copy", op, [id], [valueName(name)])[0]
    }
    graph.outputs.append(id)
    if graph[id].name != name { graph.outputNames[id] = name }
  }
}

extension Operator {
  /// Whether results keep the integers, and so the quantization, of input 0.
  fileprivate var keepsQuantization: Bool {
    self is Reshape || self is Transpose || self is Slice || self is Split || self is Gather
  }
}
