import AssayGraph
import AssayTensor

/// What a normalization, or a factor or term for each channel, computes: `scale * x + shift`.
///
/// The channels are the last axis; there is one pair for each of them or one for all. In double
/// precision.
struct ChannelAffine {
  var scale: [Double]
  var shift: [Double]
  /// The value that it is applied to.
  var source: ValueID
  /// Applied to the result.
  var activation: Activation

  /// The function of a node, or `nil` when it is something else or depends on more than Constants.
  init?(_ node: Node, _ graph: GraphIndex) {
    guard let output = node.outputs.first, graph.isFloat(output) else { return nil }
    let shape = graph.graph[output].type.shape
    switch node.op {
    case let op as BatchNorm: self.init(op, node, graph)
    case let op as Binary:
      guard op.takesActivation, node.inputs.count == 2, let a = node.inputs[0],
        let b = node.inputs[1]
      else { return nil }
      if graph.graph[a].type.shape == shape, let constant = Self.channels(b, shape, graph) {
        self.init(op, a, constant)
      } else if graph.graph[b].type.shape == shape, op.kind == .add || op.kind == .multiply,
        let constant = Self.channels(a, shape, graph)
      {
        self.init(op, b, constant)
      } else {
        return nil
      }
    default: return nil
    }
    guard graph.isFloat(source), graph.graph[source].constant == nil else { return nil }
  }

  private init?(_ op: BatchNorm, _ node: Node, _ graph: GraphIndex) {
    guard let x = node.inputs[0], let mean = graph.floats(node.inputs[3]),
      let variance = graph.floats(node.inputs[4])
    else { return nil }
    let ones = [Float](repeating: 1, count: mean.count)
    let zeros = [Float](repeating: 0, count: mean.count)
    guard let gamma = node.inputs[1] == nil ? ones : graph.floats(node.inputs[1]),
      let beta = node.inputs[2] == nil ? zeros : graph.floats(node.inputs[2])
    else { return nil }
    let scale = zip(gamma, variance).map {
      Double($0) / (Double($1) + Double(op.epsilon)).squareRoot()
    }
    self.scale = scale
    shift = mean.indices.map { Double(beta[$0]) - Double(mean[$0]) * scale[$0] }
    source = x
    activation = .none
  }

  private init(_ op: Binary, _ source: ValueID, _ constant: [Double]) {
    let ones = [Double](repeating: 1, count: constant.count)
    let zeros = [Double](repeating: 0, count: constant.count)
    (scale, shift) =
      switch op.kind {
      case .multiply: (constant, zeros)
      case .divide: (constant.map { 1 / $0 }, zeros)
      case .subtract: (ones, constant.map { -$0 })
      default: (ones, constant)
      }
    self.source = source
    activation = op.activation
  }

  /// The elements of a Constant that has one for all or one for each channel of `shape`.
  private static func channels(
    _ id: ValueID,
    _ shape: Shape,
    _ graph: GraphIndex
  ) -> [Double]? {
    guard let tensor = graph.graph[id].constant, tensor.shape.rank <= shape.rank,
      tensor.count == 1 || tensor.count == tensor.shape[-1] && tensor.count == shape[-1],
      let values = graph.floats(id)
    else { return nil }
    return values.map { Double($0) }
  }

  /// Whether every number is finite.
  var isFinite: Bool { (scale + shift).allSatisfy(\.isFinite) }
  /// Whether nothing is added.
  var hasNoShift: Bool { shift.allSatisfy { $0 == 0 } }
  /// Whether nothing is multiplied.
  var hasNoScale: Bool { scale.allSatisfy { $0 == 1 } }
  /// How many elementwise operators it takes.
  var operatorCount: Int { (hasNoScale ? 0 : 1) + (hasNoShift ? 0 : 1) }

  /// Scale and shift for each of `channels` channels.
  func expanded(_ channels: Int) -> (scale: [Double], shift: [Double]) {
    func expand(_ values: [Double]) -> [Double] {
      values.count == 1 ? [Double](repeating: values[0], count: channels) : values
    }
    return (expand(scale), expand(shift))
  }

  /// This function, then `next`; `nil` when the numbers of channels differ.
  func followed(by next: ChannelAffine) -> ChannelAffine? {
    let channels = max(scale.count, next.scale.count)
    guard activation == .none, scale.count == 1 || scale.count == channels,
      next.scale.count == 1 || next.scale.count == channels
    else { return nil }
    let (a, b) = (expanded(channels), next.expanded(channels))
    var result = next
    result.source = source
    result.scale = (0..<channels).map { a.scale[$0] * b.scale[$0] }
    result.shift = (0..<channels).map { a.shift[$0] * b.scale[$0] + b.shift[$0] }
    return result
  }

  /// The function as a Mul and an Add, as far as there is something to multiply and to add.
  func lowered(
    name: String,
    output: ValueID,
    _ graph: Graph,
    into patch: inout GraphPatch
  ) -> [Node] {
    var nodes: [Node] = []
    var current = source
    func constant(_ what: String, _ values: [Double]) -> ValueID {
      let isUniform = values.allSatisfy { $0 == values[0] }
      let tensor = Tensor(
        isUniform ? [Float(values[0])] : values.map { Float($0) },
        isUniform ? [] : [values.count]
      )
      return patch.add(Value(name: "\(name)/\(what)", type: tensor.type, constant: tensor))
    }
    if !hasNoScale {
      let isLast = hasNoShift
      let factor = constant("scale", scale)
      let product =
        isLast ? output : patch.add(Value(name: "\(name)/mul", type: graph[output].type))
      nodes.append(
        Node(
          name: isLast ? name : "\(name)/mul",
          op: Binary(.multiply, activation: isLast ? activation : .none),
          inputs: [current, factor],
          outputs: [product]
        )
      )
      current = product
    }
    if !hasNoShift || nodes.isEmpty {
      nodes.append(
        Node(
          name: name,
          op: Binary(.add, activation: activation),
          inputs: [current, constant("shift", shift)],
          outputs: [output]
        )
      )
    }
    return nodes
  }
}
