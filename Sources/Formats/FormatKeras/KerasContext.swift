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
  /// The weights of the layer.
  var weights: [String: Tensor] = [:]
  /// The values of the call's arguments, for functions that take more than tensors.
  var values: [KerasReference: ValueID] = [:]
  private var constants: [String: ValueID] = [:]
  private var nodeNames: Set<String> = []

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
    let tensor = try self.tensor(name)
    guard tensor.dtype == .float32 else {
      throw Diagnostic("KER006", "the weight '\(name)' is of type \(tensor.dtype.rawValue)")
    }
    return try constant(name) { try change(tensor) }
  }

  /// The elements of a weight.
  func tensor(_ name: String) throws -> Tensor {
    guard let tensor = weights[name] else { throw layer.missing(name) }
    return tensor
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
  mutating func unique(_ name: String) -> String {
    var candidate = name
    var count = 0
    while !nodeNames.insert(candidate).inserted {
      count += 1
      candidate = "\(name)_\(count)"
    }
    return candidate
  }

  /// Gives the node that made `id` the name of the call, so that messages and outputs have it.
  mutating func nameResult(_ id: ValueID) {
    guard let index = graph.nodes.indices.last, graph.nodes[index].outputs == [id],
      graph.nodes[index].name.hasPrefix(callName + "/")
    else { return }
    nodeNames.remove(graph.nodes[index].name)
    graph.nodes[index].name = callName
    graph[id].name = callName
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
  /// The tensor with its axes in another order; the weight's rank is checked.
  func permutedWeight(_ permutation: [Int]) throws -> Tensor {
    guard let result = permuted(permutation) else {
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
