import AssayBase
import AssayGraph
import AssayTensor

/// Makes a variant of a network by a recipe.
///
/// The graph given is canonical: normalizations are folded, activations are part of the operator
/// before them. Names of inputs and outputs stay.
public struct Quantizer: Sendable {
  /// The least number of elements of a weight that `dynamic_int8` makes 8 bits: smaller ones save
  /// nothing (the default of TensorFlow's converter).
  public static let defaultMinimumWeightElements = 1024

  /// The least number of elements of a weight that `dynamic_int8` makes 8 bits.
  public var minimumWeightElements: Int

  /// Makes a quantizer.
  public init(minimumWeightElements: Int = defaultMinimumWeightElements) {
    self.minimumWeightElements = minimumWeightElements
  }

  /// Whether `static_int8` knows an operator; some kinds of it may stay in float32 even so.
  public static func canQuantize(_ op: any Operator) -> Bool {
    guard let op = op as? any QuantizableOperator else { return false }
    // Shapes do not matter here, only whether the kind has an integer kernel at all.
    let weights = Tensor([Float](repeating: 0, count: 1), [1, 1, 1, 1])
    let value = Value(name: "", type: weights.type)
    let constant = Value(name: "", type: weights.type, constant: weights)
    if case .float = op.quantizationRule([value, constant, constant]) { return false }
    return true
  }

  /// The variant of `graph` that `recipe` describes.
  ///
  /// - Parameter calibration: the ranges of the graph's values, for recipes that need them.
  /// - Returns: the variant, and warnings: QNT010 for each operator that stays in float32 in an
  ///   integer graph, QNT012 for constants that half precision cannot hold.
  /// - Throws: `Diagnostic` QNT004 to QNT008.
  public func apply(
    _ recipe: Recipe,
    to graph: Graph,
    calibration: Calibration? = nil
  ) throws -> (graph: Graph, diagnostics: [Diagnostic]) {
    if recipe.scheme == .float32 { return (graph, []) }
    if let value = graph.values.first(where: { $0.type.quantization != nil }) {
      throw Diagnostic(
        "QNT007",
        "the network is quantized already",
        at: ["value '\(value.name)'"],
        remedy: "start from the float32 network"
      )
    }
    switch recipe.scheme {
    case .float32: return (graph, [])
    case .float16: return halved(graph)
    case .dynamicInt8: return (try withSmallWeights(graph), [])
    case .staticInt8:
      guard let calibration, calibration.sampleCount > 0 || !calibration.ranges.isEmpty else {
        throw Diagnostic(
          "QNT008",
          "the recipe '\(recipe.name)' needs representative data",
          remedy: "give it with --representative"
        )
      }
      var quantizer = StaticQuantizer(
        graph,
        StaticPlan(graph, calibration),
        boundary: recipe.boundary
      )
      let result = try quantizer.run()
      return (result.compacted(), quantizer.diagnostics)
    }
  }

  // MARK: float16

  /// Constants in half precision, each behind a Dequantize node; single numbers stay as they are.
  private func halved(_ graph: Graph) -> (graph: Graph, diagnostics: [Diagnostic]) {
    var result = graph
    var diagnostics: [Diagnostic] = []
    var replaced: [ValueID: ValueID] = [:]
    var nodes: [Node] = []
    var names = Set(graph.values.map(\.name))
    for node in graph.nodes.map({ withoutZeroBias($0, graph) }) {
      for case let id? in node.inputs where replaced[id] == nil {
        guard let tensor = graph[id].constant, tensor.dtype == .float32, tensor.count > 1 else {
          continue
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
          replaced[id] = id
          continue
        }
        var name = graph[id].name + "/dequantize"
        while !names.insert(name).inserted { name += "_" }
        result[id].constant = half
        result[id].type = half.type
        let made = result.add(Value(name: name, type: TensorType(.float32, tensor.shape)))
        nodes.append(Node(name: name, op: Dequantize(), inputs: [id], outputs: [made]))
        replaced[id] = made
      }
      var node = node
      node.inputs = node.inputs.map { id in id.map { replaced[$0] ?? $0 } }
      nodes.append(node)
    }
    result.nodes = nodes
    result.outputs = graph.outputs.map { replaced[$0] ?? $0 }
    for (id, made) in replaced where id != made {
      if graph.outputs.contains(id) { result.outputNames[made] = graph.outputName(id) }
    }
    return (result, diagnostics)
  }

  /// A dense layer without its bias when that is all zeros: it would only cost a Dequantize.
  private func withoutZeroBias(_ node: Node, _ graph: Graph) -> Node {
    guard node.op is FullyConnected, node.inputs.count > 2,
      let bias = node.inputs[2].flatMap({ graph[$0].constant }),
      bias.floats().allSatisfy({ $0 == 0 })
    else { return node }
    var node = node
    node.inputs[2] = nil
    return node
  }

  // MARK: dynamic_int8

  /// Large weights of convolutions and dense layers in 8 bits; values stay floats (hybrid kernels).
  private func withSmallWeights(_ graph: Graph) throws -> Graph {
    var result = graph
    var made: [ValueID: ValueID] = [:]
    var names = Set(graph.values.map(\.name))
    for (index, node) in graph.nodes.enumerated() {
      let axis: Int
      switch node.op {
      case is Conv2D, is FullyConnected: axis = 0
      case is DepthwiseConv2D: axis = 3
      default: continue
      }
      guard node.inputs.count > 1, let id = node.inputs[1], let weights = graph[id].constant,
        weights.dtype == .float32, weights.count >= minimumWeightElements
      else { continue }
      if made[id] == nil {
        guard weights.floats().allSatisfy(\.isFinite) else {
          throw Diagnostic(
            "QNT005",
            "a constant is NaN or infinite",
            at: ["value '\(graph[id].name)'"]
          )
        }
        let filter = QuantizedFilter(weights, axis: axis, bias: nil, inputScale: nil).filter
        // A constant that other operators read too must stay for them.
        var name = graph[id].name + "/int8"
        while !names.insert(name).inserted { name += "_" }
        made[id] = result.addConstant(name, filter)
      }
      result.nodes[index].inputs[1] = made[id]
    }
    // The original's name returns to the only constant that is left of it.
    let used = result.consumers()
    for (id, small) in made where used[id] == nil { result[small].name = graph[id].name }
    return result.compacted()
  }
}
