import AssayBase
import AssayGraph
import AssayTensor

/// What a layer's importer works with: the graph, the layer, its weights.
struct KerasContext {
  /// The graph so far.
  var graph: Graph
  /// The layer that is being imported.
  var layer: KerasLayer
  /// The call that is being imported.
  var call = KerasCall(arguments: [], named: [])
  /// The name of this call of the layer.
  var callName = ""
  /// Reads a weight of a layer.
  var read: (String, KerasLayer) throws -> Tensor = { name, layer in throw layer.missing(name) }
  /// Adds the nodes of a model that a layer holds; the name is that of the call.
  var run: (KerasModel, [ValueID], String, inout KerasContext) throws -> [ValueID] = { _, _, _, _ in
    []
  }
  /// Which steps of a sequence count: truth values `[N, T]` by the sequence's value.
  var masks: [ValueID: ValueID] = [:]
  /// The values of the call's arguments, for functions that take more than tensors.
  var values: [KerasReference: ValueID] = [:]
  /// What is worth telling without being an error.
  var notes: [Diagnostic] = []
  private var constants: [String: ValueID] = [:]
  /// The other form of an image whose channels come first, or that was made from one.
  private var twins: [ValueID: ValueID] = [:]
  private var nodeNames = UniqueNames()

  init(graph: Graph, layer: KerasLayer) {
    self.graph = graph
    self.layer = layer
  }

  /// The type of a value.
  func type(_ id: ValueID) -> TensorType { graph[id].type }

  /// The extents of a value.
  func shape(_ id: ValueID) -> Shape { graph[id].type.shape }

  /// Adds a node of the layer; `role` tells it from the layer's others.
  mutating func node(_ role: String, _ op: any Operator, _ inputs: [ValueID?]) throws -> ValueID {
    let name = unique(callName + "/" + role)
    let outputs = try op.inferTypes(inputs.map { $0.map { graph[$0].type } })
    guard let type = outputs.first, let count = type.shape.elementCount, count < 1 << 40,
      graph.nodes.count < 200_000
    else { throw Diagnostic("KER008", "the model is too large to be imported") }
    return try graph.addNode(name, op, inputs)[0]
  }

  /// Adds a node with several results.
  mutating func nodes(
    _ role: String,
    _ op: any Operator,
    _ inputs: [ValueID?]
  ) throws -> [ValueID] {
    let first = try node(role, op, inputs)
    return graph.nodes.last?.outputs ?? [first]
  }

  /// A constant of the layer, made at its first use.
  mutating func constant(_ name: String, _ make: () throws -> Tensor) rethrows -> ValueID {
    let key = layer.path + "/" + name
    if let known = constants[key] { return known }
    let id = graph.addConstant(unique(key), try make())
    constants[key] = id
    return id
  }

  /// A number as a constant.
  mutating func scalar(_ value: Float) -> ValueID {
    constant("\(value)") { Tensor([value], []) }
  }

  /// A weight of the layer as it is.
  mutating func weight(_ name: String) throws -> ValueID { try weight(name) { $0 } }

  /// A weight of the layer, changed.
  mutating func weight(_ name: String, _ change: (Tensor) throws -> Tensor) throws -> ValueID {
    let key = layer.path + "/" + name
    if let known = constants[key] { return known }
    let tensor = try self.tensor(name)
    guard tensor.dtype == .float32 else {
      throw Diagnostic("KER006", "the weight '\(name)' is of type \(tensor.dtype.rawValue)")
    }
    // A dataset in an archive may lie at any byte.
    return try constant(name) { try change(tensor).aligned }
  }

  /// The elements of a weight.
  func tensor(_ name: String) throws -> Tensor {
    try read(name, layer)
  }

  /// The results of a layer that this one holds.
  mutating func apply(
    _ part: KerasLayer,
    _ inputs: [ValueID],
    _ role: String,
    call: KerasCall = KerasCall(arguments: [], named: [])
  ) throws -> [ValueID] {
    let outer = (layer, self.call, callName)
    let name = callName + "/" + role
    if let model = part.model { return try run(model, inputs, name, &self) }
    guard let kind = KerasLayerKind.of(part) else {
      throw Diagnostic("KER006", "a layer of class '\(part.className)' within it is not imported")
    }
    (layer, self.call, callName) = (part, call, name)
    defer { (layer, self.call, callName) = outer }
    let results = try kind.emit(&self, inputs)
    pass(inputs, results, kind)
    return results
  }

  /// Hands the mask of the first input that has one on to a layer's first result.
  mutating func pass(_ inputs: [ValueID], _ results: [ValueID], _ kind: KerasLayerKind) {
    guard kind.passesMask, let result = results.first, masks[result] == nil,
      let mask = inputs.first.flatMap({ masks[$0] })
    else { return }
    masks[result] = mask
  }

  /// What the call gives under a name or at a place: a truth value, or `nil` when it is not given.
  func flag(_ name: String, at place: Int? = nil) -> Bool? {
    var given = call.named.first { $0.name == name }?.value
    if given == nil, let place, call.arguments.indices.contains(place) {
      given = call.arguments[place]
    }
    guard case .value(let json) = given else { return nil }
    return json.bool
  }

  /// The tensors that the call gives under a name.
  func tensors(named name: String) -> [ValueID] {
    call.named.first { $0.name == name }?.value.tensors.compactMap { values[$0] } ?? []
  }

  /// The lone input.
  func only(_ inputs: [ValueID]) throws -> ValueID {
    guard inputs.count == 1 else {
      throw Diagnostic("KER006", "the layer takes one tensor, it is called with \(inputs.count)")
    }
    return inputs[0]
  }

  /// The lone input as floats, of `rank` axes if that is given.
  mutating func image(_ inputs: [ValueID], rank: Int? = nil) throws -> ValueID {
    let x = try float(only(inputs))
    if let rank, shape(x).rank != rank {
      throw Diagnostic("KER006", "the layer takes \(rank) axes, its input is \(shape(x))")
    }
    return x
  }

  /// The value as floats.
  mutating func float(_ x: ValueID) throws -> ValueID {
    type(x).dtype == .float32 ? x : try node("cast", Cast(.float32), [x])
  }

  /// A name that no node or constant has yet.
  mutating func unique(_ name: String) -> String { nodeNames.unique(name) }

  /// Gives the node that made the results the name of the call, so that messages and outputs have
  /// it.
  mutating func nameResults(_ ids: [ValueID]) {
    guard let id = ids.first, let index = graph.nodes.indices.last,
      graph.nodes[index].outputs.first == id, graph.nodes[index].name.hasPrefix(callName + "/")
    else { return }
    nodeNames.free(graph.nodes[index].name)
    graph.nodes[index].name = callName
    for (number, output) in graph.nodes[index].outputs.enumerated() {
      graph[output].name = number == 0 ? callName : "\(callName):\(number)"
    }
  }

  /// Whether images have their channels first here.
  func hasChannelsFirst() throws -> Bool {
    try layer.string("data_format", default: "channels_last") == "channels_first"
  }

  /// An image as the graph has it: with its channels last.
  mutating func channelsLast(_ x: ValueID) throws -> ValueID {
    let rank = shape(x).rank
    guard rank > 2 else { return x }
    if let twin = twins[x] { return twin }
    let y = try node("to_last", Transpose([0] + Array(2..<rank) + [1]), [x])
    twins[x] = y
    return y
  }

  /// An image as a layer with `data_format="channels_first"` gives it.
  mutating func channelsFirst(_ x: ValueID) throws -> ValueID {
    let rank = shape(x).rank
    guard rank > 2 else { return x }
    let y = try node("to_first", Transpose([0, rank - 1] + Array(1..<rank - 1)), [x])
    twins[y] = x
    return y
  }

  /// `body` on the layer's image with its channels last, in the axes that the layer is used in.
  mutating func onImage(
    _ x: ValueID,
    _ body: (inout KerasContext, ValueID) throws -> ValueID
  ) throws -> ValueID {
    guard try hasChannelsFirst() else { return try body(&self, x) }
    let image = try channelsLast(x)
    return try channelsFirst(body(&self, image))
  }

  /// Takes out the transposes that nobody reads: those between layers whose channels come first.
  mutating func removeUnreadTransposes() {
    var read = Set(graph.outputs)
    var kept: [Node] = []
    for node in graph.nodes.reversed() {
      if node.op is Transpose, !node.outputs.contains(where: read.contains) { continue }
      for case let input? in node.inputs { read.insert(input) }
      kept.append(node)
    }
    graph.nodes = kept.reversed()
  }

  /// The first of several axes as extent 1, so that one-dimensional layers use images.
  mutating func widened(_ x: ValueID) throws -> ValueID {
    let dims = shape(x).dims
    return try node("expand", Reshape([dims[0], 1, dims[1], dims[2]]), [x])
  }

  /// The reverse of `widened`.
  mutating func narrowed(_ x: ValueID) throws -> ValueID {
    let dims = shape(x).dims
    return try node("squeeze", Reshape([dims[0], dims[2], dims[3]]), [x])
  }
}

extension Tensor {
  /// The tensor with its axes in another order, which costs no memory until it is read; the weight's
  /// rank is checked.
  func permutedWeight(_ permutation: [Int]) throws -> Tensor {
    guard let result = turned(permutation) else {
      throw Diagnostic(
        "KER006",
        "a weight has extents \(shape); \(permutation.count) axes were expected"
      )
    }
    return result
  }

  /// The tensor under another shape of as many elements.
  func reshapedWeight(_ dims: [Int]) throws -> Tensor {
    guard Shape(dims).elementCount == count else {
      throw Diagnostic("KER006", "a weight has extents \(shape); \(Shape(dims)) was expected")
    }
    return reshaped(Shape(dims))
  }
}
