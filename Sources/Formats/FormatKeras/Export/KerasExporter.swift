import AssayBase
import AssayFormat
import AssayGraph
import AssayTensor

/// One result of one layer that is being written.
struct KerasResult: Hashable {
  /// The layer's index.
  var layer: Int
  /// Which of its results.
  var output = 0
}

/// What a layer that is being written is called with.
enum KerasOperand {
  case tensor(KerasResult)
  case list([KerasOperand])
  case number(Float)
  case array(Tensor)
  /// A value as a configuration has it.
  case literal(JSON)

  /// The results of layers in it, in order.
  var results: [KerasResult] {
    switch self {
    case .tensor(let result): [result]
    case .list(let elements): elements.flatMap(\.results)
    case .number, .array, .literal: []
    }
  }

  /// The same with other results in their places.
  func mapped(_ change: (KerasResult) -> KerasResult) -> KerasOperand {
    switch self {
    case .tensor(let result): .tensor(change(result))
    case .list(let elements): .list(elements.map { $0.mapped(change) })
    case .number, .array, .literal: self
    }
  }
}

/// A layer, or a function of `keras.ops`, that is being written.
struct KerasWrittenLayer {
  var name: String
  var className: String
  /// The Python module of the class, such as `keras.layers`.
  var module = "keras.layers"
  var config: [(name: String, value: JSON)] = []
  var operands: [KerasOperand] = []
  var named: [(name: String, value: JSON)] = []
  var outputs: [TensorType] = []
  /// Where its archive keeps the weights below the layer.
  var variables = "vars"
  /// The weights in the order in which Keras makes them.
  var weights: [(name: String, tensor: Tensor)] = []

  /// Whether it is a layer, not a function.
  var isLayer: Bool { module == "keras.layers" }
}

/// The two kinds of files.
enum KerasContainer {
  /// Keras 3's archive (`.keras`): layers and functions of `keras.ops`.
  case archive
  /// The HDF5 file of Keras 2 (`.h5`), which Keras 3 reads too: layers only.
  case hdf5
}

/// A layer of Keras that computes what an operator does.
protocol KerasExportable: Operator {
  /// Adds the layers that compute it.
  ///
  /// - Throws: `Diagnostic` KER1… when Keras cannot hold this node.
  func write(_ node: KerasNode, to model: inout KerasExporter) throws
}

/// A node with the types of what it reads and makes.
struct KerasNode {
  var node: Node
  var inputs: [TensorType?]
  var outputs: [TensorType]

  init(_ node: Node, of graph: Graph) {
    self.node = node
    inputs = node.inputs.map { $0.map { graph[$0].type } }
    outputs = node.outputs.map { graph[$0].type }
  }

  /// The extents of an input that must be there; `inferTypes` has made sure of it.
  func shape(_ index: Int) -> Shape {
    inputs.indices.contains(index) ? inputs[index]?.shape ?? [] : []
  }

  /// Whether an optional input is there.
  func has(_ index: Int) -> Bool { inputs.indices.contains(index) && inputs[index] != nil }
}

/// Turns a Graph into a functional model of Keras: the frame in which the operators' writers work.
struct KerasExporter {
  let graph: Graph
  let container: KerasContainer
  /// Whether the first axis of everything is the batch, which stays open.
  let hasOpenBatch: Bool
  private(set) var layers: [KerasWrittenLayer] = []
  private(set) var inputs: [KerasResult] = []
  private(set) var outputs: [KerasResult] = []
  private var results: [ValueID: KerasResult] = [:]
  private var named: Set<Int> = []
  /// The Constant behind each value that is a Constant, or one that is widened.
  private var constants: [ValueID: Tensor] = [:]

  /// The model of a graph.
  ///
  /// - Throws: `Diagnostics` with every node that Keras cannot hold.
  init(_ graph: Graph, _ container: KerasContainer) throws {
    self.graph = graph
    self.container = container
    hasOpenBatch = graph.hasOpenBatch
    var faults: [Diagnostic] = []
    for index in graph.values.indices {
      let value = graph.values[index]
      constants[ValueID(index)] = value.constant
      if value.type.quantization != nil, value.type.dtype.isInteger, faults.isEmpty {
        faults.append(
          Diagnostic(
            "KER101",
            "Keras has no quantized layers for this network",
            at: ["value '\(value.name)'"],
            remedy: "write the float32 network, before a recipe quantizes it"
          )
        )
      }
    }
    try Diagnostics(faults).throwIfErrors()
    addInputs()
    for node in graph.nodes {
      if let source = node.inputs.first.flatMap({ $0 }), node.op is Dequantize || node.op is Cast,
        let tensor = constants[source], let output = node.outputs.first
      {
        constants[output] = tensor.converted(to: graph[output].type.dtype)
        continue
      }
      do {
        try write(KerasNode(node, of: graph))
      } catch let fault as Diagnostic {
        faults.append(fault.inside("node '\(node.name)' (\(node.op.name))"))
      }
    }
    try Diagnostics(faults).throwIfErrors()
    try addOutputs()
    orderLayers()
    makeNamesUnique()
  }

  private mutating func write(_ node: KerasNode) throws {
    guard let op = node.node.op as? any KerasExportable else {
      throw Diagnostic("KER102", "Keras has no layer for \(node.node.op.name)")
    }
    for id in node.node.inputs.compactMap({ $0 }) where results[id] == nil && constants[id] == nil {
      // What it reads failed to be written, which has been noted.
      return
    }
    try op.write(node, to: &self)
  }

  // MARK: Inputs, outputs, names

  private mutating func addInputs() {
    for id in graph.inputs {
      let type = graph[id].type
      let dtype = type.dtype == .bool ? "bool" : type.dtype.rawValue
      layers.append(
        KerasWrittenLayer(
          name: graph[id].name,
          className: "InputLayer",
          config: [
            (container == .archive ? "batch_shape" : "batch_input_shape", json(type.shape)),
            ("dtype", .string(dtype)), ("sparse", false), ("ragged", false),
          ],
          outputs: [type]
        )
      )
      named.insert(layers.count - 1)
      results[id] = KerasResult(layer: layers.count - 1)
      inputs.append(KerasResult(layer: layers.count - 1))
    }
  }

  /// Every output comes from a layer of its own, which has its name.
  private mutating func addOutputs() throws {
    var taken: Set<Int> = Set(inputs.map(\.layer))
    for id in graph.outputs {
      guard var result = results[id] else {
        throw Diagnostic("KER103", "the output '\(graph.outputName(id))' is a constant")
      }
      if layers[result.layer].outputs.count > 1 || taken.contains(result.layer) {
        result = add("Activation", [result], [("activation", "linear")], hint: "")
      }
      taken.insert(result.layer)
      named.insert(result.layer)
      layers[result.layer].name = graph.outputName(id)
      outputs.append(result)
    }
  }

  /// Puts the layers in Keras's order, by which its files find the weights.
  ///
  /// That is by falling distance from the outputs, then as a walk back from the outputs meets them.
  /// Layers that lead to no output go.
  private mutating func orderLayers() {
    let sources = layers.map { $0.operands.flatMap(\.results).map(\.layer) }
    var turn: [Int: Int] = [:]
    var pending = Array(outputs.map(\.layer).reversed())
    while let layer = pending.popLast() {
      guard turn[layer] == nil else { continue }
      turn[layer] = turn.count
      pending += sources[layer].reversed()
    }
    var distance = [Int](repeating: 0, count: layers.count)
    for layer in layers.indices.reversed() where turn[layer] != nil {
      for source in sources[layer] { distance[source] = max(distance[source], distance[layer] + 1) }
    }
    // An input that nothing reads stands before the other ends.
    for input in inputs where turn[input.layer] == nil { turn[input.layer] = -1 }
    let order = turn.keys.sorted {
      (-distance[$0], turn[$0] ?? 0, $0) < (-distance[$1], turn[$1] ?? 0, $1)
    }
    let places = Dictionary(uniqueKeysWithValues: order.enumerated().map { ($1, $0) })
    func moved(_ result: KerasResult) -> KerasResult {
      KerasResult(layer: places[result.layer] ?? 0, output: result.output)
    }
    layers = order.map { index in
      var layer = layers[index]
      layer.operands = layer.operands.map { $0.mapped(moved) }
      return layer
    }
    inputs = inputs.map(moved)
    outputs = outputs.map(moved)
  }

  /// Gives every layer a name of its own that Keras accepts; inputs and outputs first.
  private mutating func makeNamesUnique() {
    var names = UniqueNames()
    let fixed = (inputs + outputs).map(\.layer)
    let isFixed = Set(fixed)
    for index in fixed + layers.indices.filter({ !isFixed.contains($0) }) {
      layers[index].name = names.unique(layers[index].name.asKerasName)
    }
  }

  /// Extents as Keras has them: an open batch is null.
  func json(_ shape: Shape) -> JSON {
    .array(
      shape.dims.enumerated().map { index, dim in
        index == 0 && hasOpenBatch || dim < 0 ? .null : JSON(dim)
      }
    )
  }
}

// MARK: - For the writers

extension KerasExporter {
  /// The Constant that an input is; `nil` when it is computed or absent.
  func constant(_ node: KerasNode, _ index: Int) -> Tensor? {
    guard node.node.inputs.indices.contains(index), let id = node.node.inputs[index] else {
      return nil
    }
    return constants[id]
  }

  /// A weight that must be a Constant.
  func weight(_ node: KerasNode, _ index: Int) throws -> Tensor {
    guard let tensor = constant(node, index) else {
      throw Diagnostic("KER104", "the layer's weights are computed, which Keras's layer has not")
    }
    return tensor.dtype == .float32 ? tensor : tensor.converted(to: .float32) ?? tensor
  }

  /// An input as the result of a layer.
  ///
  /// - Throws: `Diagnostic` KER105 when it is a Constant.
  func input(_ node: KerasNode, _ index: Int = 0) throws -> KerasResult {
    guard node.node.inputs.indices.contains(index), let id = node.node.inputs[index],
      let result = results[id]
    else {
      throw Diagnostic("KER105", "input \(index) is a constant, which Keras's layer does not take")
    }
    return result
  }

  /// An input of a function: a layer's result, a number, or a small array.
  func operand(_ node: KerasNode, _ index: Int) throws -> KerasOperand {
    guard let tensor = constant(node, index) else { return .tensor(try input(node, index)) }
    if tensor.shape.rank == 0, tensor.dtype == .float32 { return .number(tensor.floats()[0]) }
    guard tensor.count <= 1 << 16 else {
      throw Diagnostic(
        "KER105",
        "input \(index) is a constant of \(tensor.count) elements, too many for a configuration"
      )
    }
    return .array(tensor)
  }

  /// Which outputs of a node something reads.
  func isRead(_ node: KerasNode) -> [Bool] {
    node.node.outputs.map { output in
      graph.outputs.contains(output) || graph.nodes.contains { $0.inputs.contains(output) }
    }
  }

  /// The type of a layer's result.
  func type(of result: KerasResult) -> TensorType { layers[result.layer].outputs[result.output] }

  /// Adds a layer.
  ///
  /// - Parameter output: the type of its result; by default that of the first input.
  @discardableResult
  mutating func add(
    _ className: String,
    _ inputs: [KerasResult],
    _ config: [(name: String, value: JSON)] = [],
    weights: [(name: String, tensor: Tensor)] = [],
    output: TensorType? = nil,
    hint: String
  ) -> KerasResult {
    let operands = inputs.map { KerasOperand.tensor($0) }
    layers.append(
      KerasWrittenLayer(
        name: hint,
        className: className,
        config: config,
        operands: inputs.count > 1 ? [.list(operands)] : operands,
        outputs: [output ?? (inputs.first.map { type(of: $0) } ?? TensorType(.float32, []))],
        weights: weights
      )
    )
    return KerasResult(layer: layers.count - 1)
  }

  /// Adds a layer that belongs to a node.
  mutating func add(
    _ className: String,
    _ inputs: [KerasResult],
    _ config: [(name: String, value: JSON)] = [],
    weights: [(name: String, tensor: Tensor)] = [],
    output: TensorType? = nil,
    for node: KerasNode
  ) -> KerasResult {
    add(
      className,
      inputs,
      config,
      weights: weights,
      output: output,
      hint: "\(node.node.name)_\(KerasArchiveNames.snakeCase(className))"
    )
  }

  /// Adds a function of `keras.ops`.
  ///
  /// - Parameters:
  ///   - module: the last part of its module, `numpy`, `nn`, `math` or `core`.
  ///   - outputs: the types of its results; by default those of the node.
  /// - Throws: `Diagnostic` KER106 in a file of Keras 2, which has no such functions.
  mutating func function(
    _ className: String,
    in module: String = "numpy",
    _ operands: [KerasOperand],
    _ config: [(name: String, value: JSON)] = [],
    named: [(name: String, value: JSON)] = [],
    outputs: [TensorType]? = nil,
    for node: KerasNode
  ) throws -> KerasResult {
    guard container == .archive else {
      throw Diagnostic(
        "KER106",
        "the layers of .h5 files have no \(node.node.op.name) of this kind",
        remedy: "write a .keras file, which holds functions too"
      )
    }
    layers.append(
      KerasWrittenLayer(
        name: "\(node.node.name)_\(KerasArchiveNames.snakeCase(className))",
        className: className,
        module: "keras.src.ops.\(module)",
        config: config,
        operands: operands,
        named: named,
        outputs: outputs ?? node.outputs
      )
    )
    return KerasResult(layer: layers.count - 1)
  }

  /// Says that a layer's weights are those of its cell, where Keras 3 keeps them.
  mutating func keepInCell(_ result: KerasResult) { layers[result.layer].variables = "cell/vars" }

  /// Adds `scale * x + offset`.
  mutating func rescaled(
    _ x: KerasResult,
    _ scale: Double,
    _ offset: Double,
    for node: KerasNode
  ) -> KerasResult {
    add("Rescaling", [x], [("scale", JSON(scale)), ("offset", JSON(offset))], for: node)
  }

  /// Adds `max(x, bound)` or `min(x, bound)` by layers alone.
  mutating func bounded(
    _ x: KerasResult,
    _ bound: Double,
    isLow: Bool,
    for node: KerasNode
  ) -> KerasResult {
    let sign: Double = isLow ? 1 : -1
    let distance = rescaled(x, sign, -sign * bound, for: node)
    let positive = add("ReLU", [distance], for: node)
    return rescaled(positive, sign, bound, for: node)
  }

  /// Says that a layer's result is a node's output; the layer takes the node's name.
  mutating func finish(
    _ node: KerasNode,
    output: Int = 0,
    _ result: KerasResult,
    activation: Activation = .none
  ) {
    let result = activated(result, activation, of: node)
    results[node.node.outputs[output]] = result
    guard named.insert(result.layer).inserted else { return }
    layers[result.layer].name = node.node.name
  }

  /// What the `activation` of a layer can say; the rest is a layer of its own.
  func fused(_ activation: Activation) -> (name: JSON, rest: Activation) {
    activation == .relu ? ("relu", .none) : ("linear", activation)
  }

  /// A result after an activation.
  mutating func activated(
    _ result: KerasResult,
    _ activation: Activation,
    of node: KerasNode
  ) -> KerasResult {
    switch activation {
    case .none: return result
    case .relu: return add("ReLU", [result], for: node)
    case .relu6: return add("ReLU", [result], [("max_value", 6)], for: node)
    case .reluN1To1:
      // Clamped between 0 and 2, one higher.
      let shifted = rescaled(result, 1, 1, for: node)
      let clamped = add("ReLU", [shifted], [("max_value", 2)], for: node)
      return rescaled(clamped, 1, -1, for: node)
    }
  }
}

extension String {
  /// The name with what Keras 2 and 3 do not accept in names of layers replaced.
  fileprivate var asKerasName: String {
    var result = ""
    for scalar in unicodeScalars {
      switch scalar {
      case "a"..."z", "A"..."Z", "0"..."9", "_", ".", "-": result.unicodeScalars.append(scalar)
      default: result += "_"
      }
    }
    guard let first = result.unicodeScalars.first else { return "layer" }
    return first == "_" || first == "-" || first == "." ? "layer" + result : result
  }
}

extension Graph {
  /// Whether the first axis of every value that is computed is that of the inputs, kept apart by
  /// every node, so that it can be any number of samples.
  fileprivate var hasOpenBatch: Bool {
    guard let first = inputs.first, let batch = self[first].type.shape.dims.first else {
      return false
    }
    func isBatched(_ id: ValueID) -> Bool { self[id].type.shape.dims.first == batch }
    guard inputs.allSatisfy(isBatched) else { return false }
    return nodes.allSatisfy { node in
      let computed = node.inputs.compactMap { $0 }.filter { self[$0].constant == nil }
      guard !computed.isEmpty else { return true }
      guard node.outputs.allSatisfy(isBatched), computed.allSatisfy(isBatched) else {
        return false
      }
      func rank() -> Int { self[computed[0]].type.shape.rank }
      func isFirst(_ axis: Int) -> Bool { axis == 0 || axis == -rank() }
      switch node.op {
      case let op as Transpose: return op.permutation.first == 0
      case let op as Reduce: return !op.axes.contains(where: isFirst)
      case let op as Concat: return !isFirst(op.axis)
      case let op as Split: return !isFirst(op.axis)
      case let op as Softmax: return !isFirst(op.axis)
      case let op as Gather:
        return !isFirst(op.axis) || node.inputs[0].map { self[$0].constant != nil } ?? false
      case let op as Slice: return op.begin.first == 0 && op.steps.first == 1
      case let op as MatMul:
        return self[computed[0]].type.shape.rank > 2 || !op.transposesA
      default: return true
      }
    }
  }
}
