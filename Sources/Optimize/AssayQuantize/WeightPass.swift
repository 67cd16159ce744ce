import AssayBase
import AssayGraph
import AssayTensor

/// Makes constants smaller where values stay floats: halves, 8 bits under hybrid kernels, or 8 and 4
/// bits that are widened before they are computed with.
struct WeightPass {
  private let recipe: Recipe
  private(set) var graph: Graph
  private(set) var diagnostics: [Diagnostic] = []
  private var nodes: [Node] = []
  private var names: Set<String>
  private var nodeNames: Set<String>
  /// What stands for a constant under a scheme; the constant itself where it stays.
  private var replaced: [Key: ValueID] = [:]
  private var originals: [ValueID: ValueID] = [:]

  private struct Key: Hashable {
    var value: ValueID
    var scheme: Scheme
    var axis: Int?
  }

  init(_ graph: Graph, _ recipe: Recipe) {
    self.graph = graph
    self.recipe = recipe
    names = Set(graph.values.map(\.name))
    nodeNames = Set(graph.nodes.map(\.name))
  }

  /// The graph with smaller constants.
  ///
  /// - Parameter scheme: what happens to a node; nodes of integers are left alone.
  mutating func run(_ scheme: (Node) -> Scheme) throws -> Graph {
    for node in graph.nodes {
      var node = node
      switch scheme(node) {
      case .float32, .staticInt8, .int16x8: break
      case .float16: halve(&node)
      case .dynamicInt8: try makeHybrid(&node)
      case .weightOnly(let bits, let block): try shrink(&node, bits, block)
      }
      append(node)
    }
    graph.nodes = nodes
    let outputs = graph.outputs
    graph.outputs = outputs.map { id in
      replaced[Key(value: id, scheme: .float16, axis: nil)] ?? id
    }
    for (old, new) in zip(outputs, graph.outputs) where old != new {
      graph.outputNames[new] = graph.outputName(old)
    }
    // The original's name returns to the only constant that is left of it.
    let used = graph.consumers()
    for (small, original) in originals.sorted(by: { $0.key < $1.key })
    where used[original] == nil && !graph.outputs.contains(original) {
      let name = graph[original].name
      graph[original].name = unique(name + "/original")
      graph[small].name = name
    }
    return graph.compacted()
  }

  /// Adds a node; a dense layer of blocks without its activation, which stands behind it: LiteRT's plain
  /// kernel for blocks leaves it out.
  private mutating func append(_ node: Node) {
    guard var dense = node.op as? FullyConnected, let weights = node.inputs[1],
      graph[weights].type.quantization?.isBlockwise ?? false, node.outputs.count == 1,
      let kind = dense.activation.function
    else {
      nodes.append(node)
      return
    }
    dense.activation = .none
    var first = node
    first.op = dense
    let name = unique(node.name + "/dense")
    let sum = graph.add(Value(name: name, type: graph[node.outputs[0]].type))
    first.outputs = [sum]
    while !nodeNames.insert(first.name + "/activation").inserted { first.name += "_" }
    nodes.append(first)
    nodes.append(
      Node(
        name: first.name + "/activation",
        op: Unary(kind),
        inputs: [sum],
        outputs: node.outputs
      )
    )
  }

  private mutating func unique(_ name: String) -> String {
    var name = name
    while !names.insert(name).inserted { name += "_" }
    return name
  }

  // MARK: float16

  /// Constants in half precision, each behind a Dequantize node; single numbers stay as they are.
  private mutating func halve(_ node: inout Node) {
    // A dense layer's bias of zeros would only cost a Dequantize.
    if node.op is FullyConnected, node.inputs.count > 2,
      let bias = node.inputs[2].flatMap({ graph[$0].constant }),
      bias.floats().allSatisfy({ $0 == 0 })
    {
      node.inputs[2] = nil
    }
    node.inputs = node.inputs.map { id in id.map { halved($0) } }
  }

  private mutating func halved(_ id: ValueID) -> ValueID {
    let key = Key(value: id, scheme: .float16, axis: nil)
    if let known = replaced[key] { return known }
    guard let tensor = graph[id].constant, tensor.dtype == .float32, tensor.count > 1 else {
      return id
    }
    guard let half = tensor.converted(to: .float16), half.floats().allSatisfy(\.isFinite) else {
      diagnostics.append(
        Diagnostic(
          "QNT012",
          "a constant stays in float32: it has numbers beyond those of half precision",
          at: ["value '\(graph[id].name)'"],
          severity: .warning
        )
      )
      replaced[key] = id
      return id
    }
    let made = widen(half, of: id, "float16")
    replaced[key] = made
    return made
  }

  /// A constant in another type and the Dequantize node that gives its floats.
  private mutating func widen(_ tensor: Tensor, of id: ValueID, _ suffix: String) -> ValueID {
    let original = graph[id].name
    let small = graph.addConstant(unique("\(original)/\(suffix)"), tensor)
    originals[small] = id
    let name = unique(original + "/dequantize")
    var nodeName = name
    while !nodeNames.insert(nodeName).inserted { nodeName += "_" }
    let made = graph.add(Value(name: name, type: TensorType(.float32, tensor.shape)))
    nodes.append(Node(name: nodeName, op: Dequantize(), inputs: [small], outputs: [made]))
    return made
  }

  // MARK: dynamic_int8

  /// A large weight of a convolution or dense layer in 8 bits, read as it is by a hybrid kernel.
  private mutating func makeHybrid(_ node: inout Node) throws {
    let axis: Int
    switch node.op {
    case is Conv2D, is FullyConnected: axis = 0
    case is DepthwiseConv2D: axis = 3
    default: return
    }
    guard let (id, weights) = large(node, 1) else { return }
    let key = Key(value: id, scheme: .dynamicInt8, axis: axis)
    if let known = replaced[key] {
      node.inputs[1] = known
      return
    }
    try checkFinite(weights, id)
    let filter = QuantizedFilter(weights, axis: axis, bias: nil, inputScale: nil).filter
    let made = graph.addConstant(unique(graph[id].name + "/int8"), filter)
    originals[made] = id
    replaced[key] = made
    node.inputs[1] = made
  }

  private func large(_ node: Node, _ input: Int) -> (ValueID, Tensor)? {
    guard node.inputs.indices.contains(input), let id = node.inputs[input],
      let weights = graph[id].constant, weights.dtype == .float32,
      weights.count >= recipe.minimumWeightElements
    else { return nil }
    return (id, weights)
  }

  private func checkFinite(_ tensor: Tensor, _ id: ValueID) throws {
    guard tensor.floats().allSatisfy(\.isFinite) else {
      throw Diagnostic("QNT005", "a constant is NaN or infinite", at: ["value '\(graph[id].name)'"])
    }
  }

  // MARK: weight-only

  /// Large weights in few bits.
  ///
  /// With a block, a dense layer reads them as they are: the runtimes' kernels for blocks widen them
  /// (or round the values too). All others stand behind a Dequantize node.
  private mutating func shrink(_ node: inout Node, _ bits: Int, _ block: Int?) throws {
    for (input, axis) in Self.weights(of: node, graph) {
      guard let (id, weights) = large(node, input) else { continue }
      let isDense = node.op is FullyConnected
      let fits = block.map { weights.shape.rank == 2 && weights.shape[1] % $0 == 0 } ?? false
      let isBlockwise = isDense && fits
      if isDense, let block, !fits {
        diagnostics.append(
          Diagnostic(
            "QNT014",
            "rows of \(weights.shape[weights.shape.rank - 1]) weights have no whole number of blocks "
              + "of \(block): they get 8 bits and a scale for each channel",
            at: ["node '\(node.name)'"],
            severity: .note
          )
        )
      }
      let own: Scheme =
        isBlockwise
        ? .weightOnly(bits: bits, block: block)
        : .weightOnly(bits: block == nil ? bits : 8, block: nil)
      let key = Key(value: id, scheme: own, axis: axis)
      if let known = replaced[key] {
        node.inputs[input] = known
        continue
      }
      try checkFinite(weights, id)
      let made: ValueID
      if isBlockwise, let block {
        let small = try SmallWeights.blocks(weights, bits: bits, size: block)
        made = graph.addConstant(unique("\(graph[id].name)/int\(bits)"), small)
        originals[made] = id
      } else {
        let width = block == nil ? bits : 8
        made = widen(
          try SmallWeights.channels(weights, bits: width, axis: axis),
          of: id,
          "int\(width)"
        )
      }
      replaced[key] = made
      node.inputs[input] = made
    }
  }

  /// The inputs of a node that are weights, each with the axis of its channels.
  private static func weights(of node: Node, _ graph: Graph) -> [(input: Int, axis: Int)] {
    switch node.op {
    case is Conv2D, is FullyConnected, is TransposeConv2D: return [(1, 0)]
    case is DepthwiseConv2D: return [(1, 3)]
    case let product as MatMul:
      guard let id = node.inputs.count > 1 ? node.inputs[1] : nil else { return [] }
      let rank = graph[id].type.shape.rank
      return rank < 2 ? [] : [(1, product.transposesB ? rank - 2 : rank - 1)]
    case is Gather: return [(0, 0)]
    default: return []
    }
  }
}

/// Weights in 8 or 4 bits, symmetric.
enum SmallWeights {
  /// One scale for each slice along `axis`.
  static func channels(_ weights: Tensor, bits: Int, axis: Int) throws -> Tensor {
    let extent = weights.shape[axis]
    var runs = [[Float]](repeating: [], count: extent)
    let inner = weights.shape.strides[axis]
    for (index, value) in weights.floats().enumerated() {
      runs[index / max(inner, 1) % extent].append(value)
    }
    let scales = runs.map { scale($0[...], bits: bits) }
    return try converted(weights, bits, Quantization(scales: scales, axis: axis))
  }

  /// One scale for every `size` weights of a row; `weights` has whole blocks.
  ///
  /// Scales are numbers of half precision, in which TensorFlow Lite keeps them.
  static func blocks(_ weights: Tensor, bits: Int, size: Int) throws -> Tensor {
    let floats = weights.floats()
    let scales = stride(from: 0, to: floats.count, by: size).map { start in
      let scale = scale(floats[start..<min(start + size, floats.count)], bits: bits)
      let half = float(halfBits: halfBits(scale))
      return half > 0 && half.isFinite ? half : 0x1p-14
    }
    let quantization = Quantization(scales: scales, axis: 1, blockSize: size)
    return try converted(weights, bits, quantization)
  }

  private static func converted(
    _ weights: Tensor,
    _ bits: Int,
    _ quantization: Quantization
  ) throws -> Tensor {
    guard
      let result = weights.converted(to: bits == 4 ? .int4 : .int8, quantization: quantization)
    else { throw Diagnostic("QNT006", "weights of \(weights.type) cannot be quantized") }
    return result
  }

  /// The scale of least squared error among some that cut off the greatest magnitudes; with 8 bits,
  /// that of the greatest magnitude.
  static func scale(_ values: ArraySlice<Float>, bits: Int) -> Float {
    let top: Float = bits == 4 ? 7 : 127
    let peak = values.reduce(0) { max($0, $1.magnitude) }
    guard (peak / top).isNormal else { return 1 }
    guard bits == 4 else { return peak / top }
    var best = (scale: peak / top, error: Float.infinity)
    for step in 0..<16 {
      let scale = peak / top * (1 - 0.03 * Float(step))
      var error: Float = 0
      for value in values {
        let rounded = min(max((value / scale).rounded(.toNearestOrAwayFromZero), -8), 7)
        let difference = rounded * scale - value
        error += difference * difference
      }
      if error < best.error { best = (scale, error) }
    }
    return best.scale
  }
}
