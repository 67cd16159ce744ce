import AssayGraph
import AssayTensor

/// Which channels of a network's values can only leave it together.
///
/// The channels of a value are its last axis. An elementwise operator ties the channels of what it reads
/// to those of what it makes; a convolution or dense layer reads channels with one axis of its weights
/// and makes new ones with another. Channels that something depends on as a whole (a softmax, an
/// operator that is not known here, what leaves the network) are fixed.
struct ChannelGroups {
  /// An axis of a Constant whose places belong to channels.
  struct Cut {
    enum Role {
      /// The axis of weights (or a bias) that makes the channels.
      case makes
      /// The axis of weights that reads them.
      case reads
      /// A number for each channel.
      case scales
    }
    var constant: ValueID
    var axis: Int
    /// A channel for each place along the axis.
    var channels: [Int]
    var role: Role
  }

  /// A layer that makes channels.
  struct Layer {
    var node: Int
    var filter: ValueID
    var channels: [Int]
  }

  let graph: Graph
  private(set) var cuts: [Cut] = []
  private(set) var layers: [Layer] = []
  private var parent: [Int] = []
  private var isFixed: [Bool] = []
  private var first: [Int?]
  /// Constants whose inputs are understood, by node and position.
  private var understood: Set<[Int]> = []

  init(_ graph: Graph) {
    self.graph = graph
    first = [Int?](repeating: nil, count: graph.values.count)
    for (index, value) in graph.values.enumerated() {
      let shape = value.type.shape
      guard value.constant == nil, shape.rank >= 2, shape.isStatic, shape[-1] > 0 else { continue }
      first[index] = parent.count
      parent += parent.count..<parent.count + shape[-1]
    }
    isFixed = [Bool](repeating: false, count: parent.count)
    for (index, node) in graph.nodes.enumerated() { add(node, index) }
    for id in graph.inputs + graph.outputs { fix(id) }
    fixOtherUses()
  }

  // MARK: Channels

  /// The channels of a value; `nil` when it has none that are followed.
  func channels(_ id: ValueID) -> [Int]? {
    first[id.index].map { start in Array(start..<start + graph[id].type.shape[-1]) }
  }

  /// The group of a channel.
  func group(_ channel: Int) -> Int {
    var channel = channel
    while parent[channel] != channel { channel = parent[channel] }
    return channel
  }

  /// Whether the channels of a group must stay.
  func isFixed(_ group: Int) -> Bool { isFixed[group] }

  private mutating func tie(_ a: Int, _ b: Int) {
    let (one, other) = (group(a), group(b))
    guard one != other else { return }
    parent[other] = one
    if isFixed[other] { isFixed[one] = true }
    // Short ways keep long chains of ties cheap.
    parent[b] = one
    parent[a] = one
  }

  private mutating func tie(_ a: [Int]?, _ b: [Int]?) {
    guard let a, let b, a.count == b.count else {
      fix(a ?? [])
      fix(b ?? [])
      return
    }
    for (x, y) in zip(a, b) { tie(x, y) }
  }

  private mutating func fix(_ channels: [Int]) {
    for channel in channels { isFixed[group(channel)] = true }
  }

  private mutating func fix(_ id: ValueID) { fix(channels(id) ?? []) }

  private mutating func fixAll(_ node: Node) {
    for case let id? in node.inputs { fix(id) }
    for id in node.outputs { fix(id) }
  }

  /// Makes a cut; a Constant that several read must be cut by all in the same way.
  private mutating func cut(_ id: ValueID, _ axis: Int, _ channels: [Int], _ role: Cut.Role) {
    if let known = cuts.firstIndex(where: { $0.constant == id && $0.axis == axis }) {
      tie(cuts[known].channels, channels)
      return
    }
    cuts.append(Cut(constant: id, axis: axis, channels: channels, role: role))
  }

  /// Channels must stay where a Constant is read in a way that does not follow them.
  private mutating func fixOtherUses() {
    let cutConstants = Set(cuts.map(\.constant))
    for (index, node) in graph.nodes.enumerated() {
      for (position, input) in node.inputs.enumerated() {
        guard let input, cutConstants.contains(input), !understood.contains([index, position])
        else { continue }
        for cut in cuts where cut.constant == input { fix(cut.channels) }
      }
    }
    for id in graph.outputs where cutConstants.contains(id) {
      for cut in cuts where cut.constant == id { fix(cut.channels) }
    }
  }

  // MARK: Operators

  private mutating func add(_ node: Node, _ index: Int) {
    switch node.op {
    case is Conv2D, is TransposeConv2D, is FullyConnected: addLayer(node, index)
    case is DepthwiseConv2D: addDepthwise(node, index)
    case is BatchNorm: addNormalization(node, index)
    case is Unary, is LeakyReLU, is Pool2D, is Resize2D: tieThrough(node)
    case is PReLU, is Binary: addBinary(node, index)
    case let op as Concat: addConcat(node, op, index)
    case is Reshape: addReshape(node)
    case let op as Pad:
      if op.before.last == 0, op.after.last == 0 { tieThrough(node) } else { fixAll(node) }
    case let op as Reduce: addReduce(node, op)
    case let op as Softmax:
      if isLast(op.axis, of: node) { fixAll(node) } else { tieThrough(node) }
    case let op as Transpose:
      if op.permutation.last == op.permutation.count - 1 { tieThrough(node) } else { fixAll(node) }
    case let op as Slice: addSlice(node, op)
    case let op as Split: addSplit(node, op)
    default: fixAll(node)
    }
  }

  private func isLast(_ axis: Int, of node: Node) -> Bool {
    guard let id = node.inputs.first ?? nil else { return true }
    let shape = graph[id].type.shape
    return shape.normalized(axis: axis) == shape.rank - 1
  }

  private mutating func tieThrough(_ node: Node) {
    guard let id = node.inputs.first ?? nil, let output = node.outputs.first else { return }
    tie(channels(id), channels(output))
  }

  private func constant(_ node: Node, _ position: Int) -> (id: ValueID, shape: Shape)? {
    guard node.inputs.indices.contains(position), let id = node.inputs[position],
      let shape = graph[id].constant?.shape, graph[id].constant?.dtype == .float32
    else { return nil }
    return (id, shape)
  }

  /// A bias that is absent or a Constant.
  private mutating func addBias(_ node: Node, _ index: Int, _ output: [Int]) -> Bool {
    guard node.inputs.count > 2, node.inputs[2] != nil else { return true }
    guard let bias = constant(node, 2), bias.shape.count == output.count, bias.shape.rank > 0,
      bias.shape[-1] == output.count
    else { return false }
    understood.insert([index, 2])
    cut(bias.id, bias.shape.rank - 1, output, .makes)
    return true
  }

  private mutating func addLayer(_ node: Node, _ index: Int) {
    guard let data = node.inputs.first ?? nil, let input = channels(data),
      let output = node.outputs.first.flatMap({ channels($0) }), let filter = constant(node, 1),
      filter.shape[0] == output.count, filter.shape[-1] == input.count,
      addBias(node, index, output)
    else { return fixAll(node) }
    understood.insert([index, 1])
    cut(filter.id, 0, output, .makes)
    cut(filter.id, filter.shape.rank - 1, input, .reads)
    layers.append(Layer(node: index, filter: filter.id, channels: output))
  }

  private mutating func addDepthwise(_ node: Node, _ index: Int) {
    guard let data = node.inputs.first ?? nil, let input = channels(data),
      let output = node.outputs.first.flatMap({ channels($0) }), let filter = constant(node, 1),
      filter.shape[-1] == output.count, !input.isEmpty, output.count % input.count == 0,
      addBias(node, index, output)
    else { return fixAll(node) }
    understood.insert([index, 1])
    let multiplier = output.count / input.count
    for (place, channel) in output.enumerated() { tie(input[place / multiplier], channel) }
    cut(filter.id, filter.shape.rank - 1, output, .scales)
  }

  private mutating func addNormalization(_ node: Node, _ index: Int) {
    tieThrough(node)
    guard let output = node.outputs.first.flatMap({ channels($0) }) else { return fixAll(node) }
    for position in 1..<node.inputs.count where node.inputs[position] != nil {
      guard let parameter = constant(node, position), parameter.shape.count == output.count,
        parameter.shape.rank > 0, parameter.shape[-1] == output.count
      else { return fixAll(node) }
      understood.insert([index, position])
      cut(parameter.id, parameter.shape.rank - 1, output, .scales)
    }
  }

  private mutating func addBinary(_ node: Node, _ index: Int) {
    guard let output = node.outputs.first.flatMap({ channels($0) }) else { return fixAll(node) }
    for (position, id) in node.inputs.enumerated() {
      guard let id else { continue }
      let shape = graph[id].type.shape
      let isOne = shape.rank == 0 || shape[-1] == 1
      if graph[id].constant != nil {
        understood.insert([index, position])
        if isOne, output.count != 1 || shape.rank == 0 { continue }
        guard let own = constant(node, position), own.shape[-1] == output.count else {
          return fixAll(node)
        }
        cut(own.id, own.shape.rank - 1, output, .scales)
      } else if isOne, output.count != 1 {
        // One number for all channels.
        fix(id)
      } else {
        tie(channels(id), output)
      }
    }
  }

  private mutating func addConcat(_ node: Node, _ op: Concat, _ index: Int) {
    guard let output = node.outputs.first.flatMap({ channels($0) }) else { return fixAll(node) }
    var start = 0
    for (position, id) in node.inputs.enumerated() {
      guard let id else { continue }
      let shape = graph[id].type.shape
      var own = output
      if isLast(op.axis, of: node) {
        guard start + shape[-1] <= output.count else { return fixAll(node) }
        own = Array(output[start..<start + shape[-1]])
        start += shape[-1]
      }
      if graph[id].constant != nil {
        guard let constant = constant(node, position) else { return fixAll(node) }
        understood.insert([index, position])
        cut(constant.id, constant.shape.rank - 1, own, .scales)
      } else {
        tie(channels(id), own)
      }
    }
  }

  /// Axes that are merged with the channels, or split from them, keep the channels innermost.
  private mutating func addReshape(_ node: Node) {
    guard let id = node.inputs.first ?? nil, let input = channels(id),
      let result = node.outputs.first, let output = channels(result)
    else { return fixAll(node) }
    let (few, many) = input.count <= output.count ? (input, output) : (output, input)
    let whole = input.count <= output.count ? graph[id].type.shape : graph[result].type.shape
    // The longer last axis must be made of whole axes of the other shape.
    var product = 1
    var isWhole = false
    for extent in whole.dims.reversed() {
      product *= extent
      if product == many.count { isWhole = true }
    }
    guard isWhole, many.count % few.count == 0 else { return fixAll(node) }
    for (place, channel) in many.enumerated() { tie(few[place % few.count], channel) }
  }

  private mutating func addReduce(_ node: Node, _ op: Reduce) {
    guard let id = node.inputs.first ?? nil, let output = node.outputs.first else { return }
    let rank = graph[id].type.shape.rank
    let axes = op.axes.compactMap { graph[id].type.shape.normalized(axis: $0) }
    if axes.contains(rank - 1) { fixAll(node) } else { tie(channels(id), channels(output)) }
  }

  private mutating func addSlice(_ node: Node, _ op: Slice) {
    guard let id = node.inputs.first ?? nil, let input = channels(id), let begin = op.begin.last,
      let size = op.sizes.last, op.steps.last == 1, begin >= 0, begin + size <= input.count
    else { return fixAll(node) }
    tie(Array(input[begin..<begin + size]), node.outputs.first.flatMap { channels($0) })
  }

  private mutating func addSplit(_ node: Node, _ op: Split) {
    guard let id = node.inputs.first ?? nil, let input = channels(id) else { return fixAll(node) }
    var start = 0
    for (output, size) in zip(node.outputs, op.sizes) {
      if isLast(op.axis, of: node) {
        tie(Array(input[start..<start + size]), channels(output))
        start += size
      } else {
        tie(input, channels(output))
      }
    }
  }
}
