import AssayAutodiff
import AssayBase
import AssayGraph
import AssayQuantize
import AssayTensor

/// A float network that rounds where the network of integers, as it will be written, rounds.
///
/// It is drawn after that network, node by node: filters pass a fake quantization for each channel,
/// every integer value one with the range of the values that it shares a scale with. Biases, whose 32
/// bits round next to nothing, stay floats. What training changes (weights, ranges) goes back into the
/// plan of the integers, so that the written file computes what was trained.
public struct QuantizationAwareNetwork {
  /// The network to train.
  public private(set) var graph: Graph
  /// The plan of the integers.
  public let plan: IntegerPlan
  /// The Constants of `graph` that hold a Constant of the plan's source.
  private var floats: [ValueID: ValueID] = [:]
  /// The ends of the range of each group of values, as Constants of `graph`.
  private var ends: [Int: (low: ValueID, high: ValueID)] = [:]
  /// The batch normalizations that stand behind layers while they are trained.
  private(set) var normalizations: [LiveNormalization] = []
  private var names: UniqueNames

  /// How much of a moving average stays in each step.
  private static let momentum: Float = 0.99

  /// Draws the network.
  ///
  /// - Parameters:
  ///   - plan: the integers, with ranges to begin with.
  ///   - ranges: how ranges are found.
  /// - Throws: `Diagnostic` CMP005 for an output that is no float, GRF… for a fault of ours.
  public init(_ plan: IntegerPlan, _ ranges: QuantizationAwareTraining.Ranges) throws {
    try self.init(plan, ranges, normalized: [:])
  }

  /// Draws the network with batch normalizations behind some layers, which change nothing at first.
  ///
  /// - Parameter normalized: what those layers make before their activation, by the node's name.
  init(
    _ plan: IntegerPlan,
    _ ranges: QuantizationAwareTraining.Ranges,
    normalized: [String: ChannelMoments]
  ) throws {
    self.plan = plan
    graph = Graph(name: plan.source.name)
    names = UniqueNames(separator: "/", first: 2)
    let writers = Self.writers(plan)
    var made: [ValueID: ValueID] = [:]
    let integers = plan.graph
    let consumers = integers.consumers()
    for id in integers.inputs {
      names.take(integers[id].name)
      made[id] = graph.addInput(integers[id].name, integers[id].type)
    }
    for node in integers.nodes {
      if let moments = normalized[node.name], let input = node.inputs[0].flatMap({ made[$0] }),
        let output = try self.normalized(node, input, moments, consumers)
      {
        made[node.outputs[0]] = try rounded(output, node.outputs[0], ranges, writers)
        continue
      }
      var inputs: [ValueID?] = []
      for input in node.inputs {
        guard let input else {
          inputs.append(nil)
          continue
        }
        if made[input] == nil { made[input] = try constant(input) }
        inputs.append(made[input])
      }
      if node.op is Dequantize, let source = inputs.first ?? nil {
        made[node.outputs[0]] = source
        continue
      }
      if node.op is Quantize, let source = inputs.first ?? nil {
        made[node.outputs[0]] = try rounded(source, node.outputs[0], ranges, writers)
        continue
      }
      let outputs = try graph.addNode(
        unique(node.name),
        node.op,
        inputs,
        outputNames: node.outputs.map { unique(integers[$0].name + "/value") }
      )
      for (id, output) in zip(node.outputs, outputs) {
        made[id] =
          Self.moves(node, plan) ? output : try rounded(output, id, ranges, writers)
      }
    }
    for id in integers.outputs {
      guard let output = made[id] else {
        throw Diagnostic("CMP005", "an output is a Constant", at: ["'\(integers[id].name)'"])
      }
      graph.outputs.append(output)
      graph.outputNames[output] = integers.outputName(id)
    }
  }

  // MARK: Rounding

  private mutating func unique(_ name: String) -> String { names.unique(name) }

  /// The value of each group by whose numbers its range is found: the one of the widest range.
  ///
  /// The others are inside, and a moving average over all would be too narrow for it.
  private static func writers(_ plan: IntegerPlan) -> [Int: ValueID] {
    var writers: [Int: (value: ValueID, width: Float)] = [:]
    for (id, origin) in plan.origins.sorted(by: { $0.key < $1.key }) {
      guard case .range(let value) = origin, let range = plan.range(of: value),
        plan.graph[id].constant == nil
      else { continue }
      let own = plan.seen(value) ?? range
      let width = max(own.high, 0) - min(own.low, 0)
      let group = plan.group(of: value)
      if width > writers[group]?.width ?? -1 { writers[group] = (value, width) }
    }
    return writers.mapValues(\.value)
  }

  /// A value behind a fake quantization; itself where the network of integers has floats.
  private mutating func rounded(
    _ value: ValueID,
    _ id: ValueID,
    _ ranges: QuantizationAwareTraining.Ranges,
    _ writers: [Int: ValueID]
  ) throws -> ValueID {
    guard case .range(let source) = plan.origins[id], let own = plan.graph[id].type.quantization
    else { return value }
    // A loss wants the probabilities themselves: their last rounding teaches nothing.
    if plan.range(of: source) == nil, plan.source.outputs.contains(source) { return value }
    let group = plan.group(of: source)
    let range: FakeQuantize.Range
    if plan.range(of: source) == nil || writers[group] != source {
      range = .fixed
    } else {
      range = ranges == .learned ? .learned : .movingAverage(momentum: Self.momentum)
    }
    let (low, high) = rangeEnds(group, plan.range(of: source), own)
    return try graph.addNode(
      unique(plan.graph[id].name + "/rounded"),
      FakeQuantize(isSymmetric: false, range: range),
      [value, low, high]
    )[0]
  }

  /// The Constants that hold the ends of a group's range.
  private mutating func rangeEnds(
    _ group: Int,
    _ range: Calibration.Range?,
    _ quantization: Quantization
  ) -> (ValueID, ValueID) {
    if let known = ends[group] { return known }
    // A scale that the specification fixes has the range that gives it.
    let zero = Float(quantization.zeroPoint)
    let low = range?.low ?? (-128 - zero) * quantization.scale
    let high = range?.high ?? (127 - zero) * quantization.scale
    let made = (
      graph.addConstant(unique("range/\(group)/low"), Tensor([low], [1])),
      graph.addConstant(unique("range/\(group)/high"), Tensor([high], [1]))
    )
    ends[group] = made
    return made
  }

  /// Whether a node only moves integers that have its output's scale.
  private static func moves(_ node: Node, _ plan: IntegerPlan) -> Bool {
    switch node.op {
    case is Reshape, is Transpose, is Slice, is Split, is Concat, is Gather, is Tile,
      is DepthToSpace, is SpaceToDepth:
      break
    case let pool as Pool2D where pool.kind == .max && pool.activation == .none: break
    case let pad as Pad where pad.value == 0: break
    default: return false
    }
    guard let output = node.outputs.first, case .range(let own)? = plan.origins[output] else {
      return false
    }
    return node.inputs.allSatisfy { input in
      guard let input, case .range(let value)? = plan.origins[input] else { return false }
      return plan.group(of: value) == plan.group(of: own)
    }
  }

  /// A layer with a batch normalization between its sum and its activation; `nil` where its filter's
  /// rounding would not be the same under a factor for each channel.
  private mutating func normalized(
    _ node: Node,
    _ input: ValueID,
    _ moments: ChannelMoments,
    _ consumers: [ValueID: [Int]]
  ) throws -> ValueID? {
    guard var op = node.op as? any ActivatingOperator, node.inputs.count == 3,
      let weights = node.inputs[1], let offsets = node.inputs[2],
      consumers[weights]?.count == 1, consumers[offsets]?.count == 1,
      case .filter(let filter, let axis)? = plan.origins[weights],
      case .bias(let bias)? = plan.origins[offsets],
      let tensor = plan.source[filter].constant, !IntegerPlan.sharesScale(tensor),
      let terms = plan.source[bias].constant?.floats(), terms.count == moments.mean.count,
      tensor.shape[axis] == terms.count
    else { return nil }
    let function = op.activation.function.map { Unary($0) }
    op.activation = .none
    let rounded = try constant(weights)
    let sum = try graph.addNode(unique(node.name), op, [input, rounded, nil])[0]
    func parameter(_ part: String, _ numbers: [Float]) -> ValueID {
      graph.addConstant(
        names.unique("\(node.name)/normalization/\(part)"),
        Tensor(numbers, [numbers.count])
      )
    }
    let own = LiveNormalization(
      filter: filter,
      axis: axis,
      bias: bias,
      gamma: parameter(
        "gamma",
        moments.variance.map { ($0 + LiveNormalization.epsilon).squareRoot() }
      ),
      beta: parameter("beta", moments.mean),
      mean: parameter("mean", zip(moments.mean, terms).map { $0 - $1 }),
      variance: parameter("variance", moments.variance)
    )
    normalizations.append(own)
    let output = try graph.addNode(
      unique(node.name + "/normalization"),
      BatchNorm(epsilon: LiveNormalization.epsilon),
      [sum, own.gamma, own.beta, own.mean, own.variance]
    )[0]
    guard let function else { return output }
    return try graph.addNode(unique(node.name + "/activation"), function, [output])[0]
  }

  // MARK: Constants

  /// A Constant of the network of integers as floats, behind the rounding that it gets.
  private mutating func constant(_ id: ValueID) throws -> ValueID {
    let integers = plan.graph[id]
    guard let origin = plan.origins[id] else {
      return graph.addConstant(
        unique(integers.name),
        integers.constant ?? Tensor([0] as [Float], [])
      )
    }
    switch origin {
    case .bias(let source): return float(source)
    case .range: throw Diagnostic("CMP005", "'\(integers.name)' is read before it is made")
    case .filter(let source, let axis):
      let value = float(source)
      guard let tensor = graph[value].constant else { return value }
      let isOne = IntegerPlan.sharesScale(tensor)
      return try current(value, axis: isOne ? nil : axis, isSymmetric: true)
    case .constant(let source, let isSymmetric):
      return try current(float(source), axis: nil, isSymmetric: isSymmetric)
    case .sharing(let source, let like):
      let quantization = integers.type.quantization ?? Quantization(scale: 1, zeroPoint: 0)
      let (low, high) = rangeEnds(plan.group(of: like), plan.range(of: like), quantization)
      let name = unique(integers.name + "/rounded")
      let op = FakeQuantize(isSymmetric: false, range: .fixed)
      return try graph.addNode(name, op, [float(source), low, high])[0]
    }
  }

  /// A Constant of the source, once.
  private mutating func float(_ source: ValueID) -> ValueID {
    if let known = floats[source] { return known }
    let value = plan.source[source]
    let made = graph.addConstant(unique(value.name), value.constant ?? Tensor([0] as [Float], []))
    floats[source] = made
    return made
  }

  /// A Constant rounded by its own range of the moment.
  private mutating func current(
    _ value: ValueID,
    axis: Int?,
    isSymmetric: Bool
  ) throws -> ValueID {
    guard let tensor = graph[value].constant else { return value }
    let extent = axis.map { tensor.shape[$0] } ?? 1
    let slices = [Float](repeating: 0, count: extent)
    let name = graph[value].name
    return try graph.addNode(
      unique(name + "/rounded"),
      FakeQuantize(isSymmetric: isSymmetric, axis: axis, range: .current),
      [
        value, graph.addConstant(unique(name + "/low"), Tensor(slices, [extent])),
        graph.addConstant(unique(name + "/high"), Tensor(slices, [extent])),
      ]
    )[0]
  }

  // MARK: Back

  /// The Constants that hold the ends of ranges.
  var rangeEnds: Set<ValueID> { Set(ends.values.flatMap { [$0.low, $0.high] }) }

  /// The Constant of `graph` that holds a Constant of the source.
  public func value(of source: ValueID) -> ValueID? { floats[source] }

  /// The source with the weights of a trained `graph`.
  public func source(after trained: Graph) -> Graph {
    var result = plan.source
    for (source, value) in floats {
      guard let tensor = trained[value].constant else { continue }
      result[source].constant = tensor
    }
    for own in normalizations {
      guard let weights = result[own.filter].constant, let folded = own.folded(weights, in: trained)
      else { continue }
      result[own.filter].constant = folded.filter
      result[own.bias].constant = folded.bias
    }
    return result
  }

  /// The network of integers with the weights and ranges of a trained `graph`.
  ///
  /// - Throws: what `IntegerPlan.written` throws.
  public func written(after trained: Graph) throws -> (graph: Graph, diagnostics: [Diagnostic]) {
    var ranges: [Int: Calibration.Range] = [:]
    for (group, ends) in ends {
      guard let low = trained[ends.low].constant?.floats().first,
        let high = trained[ends.high].constant?.floats().first
      else { continue }
      ranges[group] = Calibration.Range(low, high)
    }
    return try plan.written(source(after: trained), ranges: ranges)
  }
}
