import AssayBase
import AssayGraph
import AssayTensor

/// A mistake of a converter, made on purpose in one operator of a graph.
public struct PlantedFault: Sendable, CustomStringConvertible {
  /// What is wrong.
  public enum Kind: String, Sendable, CaseIterable {
    case swappedAxes, transposedWeights, shiftedChannels, droppedBias, wrongBias
    case wrongPadding, wrongStride, wrongDilation, wrongWindowKind
    case wrongActivation, wrongBound
    case offByOneSlice, swappedOperands, wrongConstant, wrongFunction, wrongResize
    case wrongWeightScale, wrongWeightZeroPoint, wrongScale, wrongZeroPoint
  }

  /// What is wrong.
  public var kind: Kind
  /// The name of the operator's node.
  public var node: String
  /// The operator.
  public var op: String
  /// What was changed, in words.
  public var change: String

  public var description: String { "\(kind.rawValue) in \(op) '\(node)': \(change)" }

  /// Plants one fault; the graph stays valid.
  ///
  /// - Returns: the graph with the fault, or `nil` when the graph has no place for any.
  public static func plant(
    in graph: Graph,
    _ rng: inout SeededRNG
  ) -> (graph: Graph, fault: PlantedFault)? {
    // A kind first, so that the many convolutions of a network do not crowd out what is rare.
    for kind in Kind.allCases.shuffled(using: &rng) {
      for index in graph.nodes.indices.shuffled(using: &rng) {
        var planter = Planter(graph: graph, index: index, rng: rng)
        let change = planter.plant(kind)
        rng = planter.rng
        guard let change, planter.graph.validate().isEmpty else { continue }
        let node = graph.nodes[index]
        let fault = PlantedFault(kind: kind, node: node.name, op: node.op.name, change: change)
        return (planter.graph, fault)
      }
    }
    return nil
  }
}

/// Changes one node of a graph.
private struct Planter {
  var graph: Graph
  let index: Int
  var rng: SeededRNG

  private var node: Node { graph.nodes[index] }

  mutating func plant(_ kind: PlantedFault.Kind) -> String? {
    switch kind {
    case .swappedAxes: swapAxes()
    case .transposedWeights: transpose()
    case .shiftedChannels: shiftChannels()
    case .droppedBias: dropBias()
    case .wrongBias: changeBias()
    case .wrongPadding: changePadding()
    case .wrongStride: changeStride()
    case .wrongDilation: changeDilation()
    case .wrongWindowKind: changeWindowKind()
    case .wrongActivation: changeActivation()
    case .wrongBound: changeBound()
    case .offByOneSlice: changeSlice()
    case .swappedOperands: swapOperands()
    case .wrongConstant: changeConstant()
    case .wrongFunction: changeFunction()
    case .wrongResize: changeResize()
    case .wrongWeightScale: changeWeightScale()
    case .wrongWeightZeroPoint: changeWeightZeroPoint()
    case .wrongScale: changeScale()
    case .wrongZeroPoint: changeZeroPoint()
    }
  }

  // MARK: Constants

  /// A constant input that no other node reads.
  private func constant(_ slot: Int) -> (id: ValueID, tensor: Tensor)? {
    guard node.inputs.indices.contains(slot), let id = node.inputs[slot],
      let tensor = graph[id].constant,
      graph.nodes.reduce(0, { $0 + $1.inputs.count { $0 == id } }) == 1
    else { return nil }
    return (id, tensor)
  }

  private mutating func set(_ id: ValueID, _ tensor: Tensor) {
    graph[id].constant = tensor
    graph[id].type = tensor.type
  }

  private var hasFilter: Bool {
    node.op is Conv2D || node.op is DepthwiseConv2D || node.op is TransposeConv2D
  }

  private mutating func swapAxes() -> String? {
    guard hasFilter, let (id, tensor) = constant(1), tensor.shape.rank == 4,
      tensor.shape[1] == tensor.shape[2], tensor.shape[1] > 1,
      let swapped = tensor.permuted([0, 2, 1, 3])
    else { return nil }
    set(id, swapped)
    return "height and width of the filter \(tensor.shape) swapped"
  }

  private mutating func transpose() -> String? {
    guard let (id, tensor) = constant(1) else { return nil }
    let isDense = node.op is FullyConnected || node.op is MatMul
    if isDense, tensor.shape.rank == 2, tensor.count > 1, let turned = tensor.permuted([1, 0]) {
      set(id, turned.reshaped(tensor.shape))
      return "weights \(tensor.shape) written transposed"
    }
    if node.op is Conv2D, tensor.shape[0] > 1, tensor.shape[0] == tensor.shape[3],
      let turned = tensor.permuted([3, 1, 2, 0])
    {
      set(id, turned)
      return "channels of the filter \(tensor.shape) swapped"
    }
    return nil
  }

  /// Every channel gets the weights of its neighbour.
  private mutating func shiftChannels() -> String? {
    guard hasFilter || node.op is FullyConnected, let (id, tensor) = constant(1),
      tensor.dtype.bitWidth >= 8
    else { return nil }
    let axis = node.op is DepthwiseConv2D ? tensor.shape.rank - 1 : 0
    let extent = tensor.shape[axis]
    guard extent > 1 else { return nil }
    let inner = tensor.shape.strides[axis] * tensor.dtype.bitWidth / 8
    let source = tensor.bytes.array
    var target = source
    for offset in source.indices {
      let channel = offset / inner % extent
      let from = offset + (channel == extent - 1 ? -(extent - 1) * inner : inner)
      target[offset] = source[from]
    }
    guard let shifted = try? Tensor(tensor.type, bytes: ByteView(target)) else { return nil }
    set(id, shifted)
    return "channels of \(tensor.shape) off by one"
  }

  private mutating func dropBias() -> String? {
    guard hasFilter || node.op is FullyConnected, let (_, tensor) = constant(2) else { return nil }
    let isZero = tensor.floats().allSatisfy { $0 == 0 }
    graph.nodes[index].inputs[2] = nil
    return "bias dropped" + (isZero ? " (it is all zeros)" : "")
  }

  private mutating func changeBias() -> String? {
    guard hasFilter || node.op is FullyConnected, let (id, tensor) = constant(2),
      tensor.dtype == .float32, tensor.count > 1
    else { return nil }
    let values = tensor.floats()
    set(id, Tensor(Array(values[1...]) + [values[0]], tensor.shape))
    return "bias off by one channel"
  }

  private mutating func changeConstant() -> String? {
    guard node.op is Binary, let (id, tensor) = constant(1) ?? constant(0),
      tensor.dtype == .float32
    else { return nil }
    let factor = rng.pick([0.5, 1.25, 2] as [Float])
    set(id, Tensor(tensor.floats().map { $0 * factor }, tensor.shape))
    return "constant times \(factor)"
  }

  // MARK: Windows

  private struct Window {
    var strides: Size2D
    var dilations: Size2D
    var padding: Padding
    var size: Size2D

    init(_ strides: Size2D, _ dilations: Size2D, _ padding: Padding, _ size: Size2D) {
      (self.strides, self.dilations) = (strides, dilations)
      (self.padding, self.size) = (padding, size)
    }
  }

  private var window: Window? {
    let filter = node.inputs.count > 1 ? node.inputs[1].map { graph[$0].type.shape } : nil
    let size = filter.map { Size2D($0[1], $0[2]) } ?? .one
    switch node.op {
    case let op as Conv2D: return Window(op.strides, op.dilations, op.padding, size)
    case let op as DepthwiseConv2D: return Window(op.strides, op.dilations, op.padding, size)
    case let op as Pool2D: return Window(op.strides, .one, op.padding, op.window)
    default: return nil
    }
  }

  private mutating func set(_ window: Window) {
    switch node.op {
    case var op as Conv2D:
      (op.strides, op.dilations, op.padding) = (window.strides, window.dilations, window.padding)
      graph.nodes[index].op = op
    case var op as DepthwiseConv2D:
      (op.strides, op.dilations, op.padding) = (window.strides, window.dilations, window.padding)
      graph.nodes[index].op = op
    case var op as Pool2D:
      (op.strides, op.padding) = (window.strides, window.padding)
      graph.nodes[index].op = op
    default: break
    }
  }

  private func amounts(_ window: Window, isHeight: Bool) -> (before: Int, after: Int)? {
    guard let input = node.inputs.first ?? nil else { return nil }
    let shape = graph[input].type.shape
    return window.padding.amounts(
      extent: shape[isHeight ? 1 : 2],
      window: isHeight ? window.size.height : window.size.width,
      stride: isHeight ? window.strides.height : window.strides.width,
      dilation: isHeight ? window.dilations.height : window.dilations.width,
      isHeight: isHeight
    )
  }

  private mutating func changePadding() -> String? {
    if var pad = node.op as? Pad,
      let axis = pad.before.indices.first(where: { pad.before[$0] != pad.after[$0] })
    {
      (pad.before[axis], pad.after[axis]) = (pad.after[axis], pad.before[axis])
      graph.nodes[index].op = pad
      return "padding of axis \(axis) at the other end"
    }
    guard var window, let rows = amounts(window, isHeight: true),
      let columns = amounts(window, isHeight: false),
      rows.before + rows.after + columns.before + columns.after > 0
    else { return nil }
    let old = window.padding.text
    // As PyTorch pads where TensorFlow has the odd element last, or a row too high.
    let shift = rows.after > 0 ? 1 : -1
    let isTall = rows.before + rows.after > 0
    window.padding = .explicit(
      top: rows.before + (isTall ? shift : 0),
      bottom: rows.after - (isTall ? shift : 0),
      left: columns.before + (isTall ? 0 : columns.after > 0 ? 1 : -1),
      right: columns.after - (isTall ? 0 : columns.after > 0 ? 1 : -1)
    )
    set(window)
    return "padding \(window.padding.text) for \(old)"
  }

  /// Half the stride over a border that is so small that the shape stays.
  private mutating func changeStride() -> String? {
    guard var window, window.strides.height == 2 || window.strides.width == 2,
      let input = node.inputs.first ?? nil, let rows = amounts(window, isHeight: true),
      let columns = amounts(window, isHeight: false)
    else { return nil }
    let output = graph[node.outputs[0]].type.shape
    let shape = graph[input].type.shape
    let old = window
    func reach(_ extent: Int, _ size: Int, _ dilation: Int) -> Int {
      extent - 1 + (size - 1) * dilation + 1
    }
    let high = reach(output[1], window.size.height, window.dilations.height) - shape[1]
    let wide = reach(output[2], window.size.width, window.dilations.width) - shape[2]
    window.strides = .one
    // A window that no longer walks over the whole image: only where it stays inside by chance.
    guard high - rows.before >= 0, wide - columns.before >= 0 else {
      window.strides = Size2D(old.strides.height == 2 ? 3 : old.strides.height, old.strides.width)
      let need =
        (output[1] - 1) * window.strides.height + (window.size.height - 1)
        * window.dilations.height + 1
      let bottom = need - shape[1] - rows.before
      guard bottom >= 0 else { return nil }
      window.padding = .explicit(
        top: rows.before,
        bottom: bottom,
        left: columns.before,
        right: columns.after
      )
      set(window)
      return "stride \(window.strides.text) for \(old.strides.text)"
    }
    window.padding = .explicit(
      top: rows.before,
      bottom: high - rows.before,
      left: columns.before,
      right: wide - columns.before
    )
    set(window)
    return "stride 1 for \(old.strides.text)"
  }

  private mutating func changeDilation() -> String? {
    guard var window, !(node.op is Pool2D), window.size != .one, window.padding == .same else {
      return nil
    }
    let old = window.dilations
    window.dilations = old == .one ? Size2D(2, 2) : .one
    set(window)
    return "dilation \(window.dilations.text) for \(old.text)"
  }

  private mutating func changeWindowKind() -> String? {
    guard var pool = node.op as? Pool2D, pool.window != .one else { return nil }
    pool.kind = pool.kind == .max ? .average : .max
    graph.nodes[index].op = pool
    return "\(pool.kind.rawValue) pooling"
  }

  // MARK: Functions

  private mutating func changeActivation() -> String? {
    guard var op = node.op as? any ActivatingOperator, op.takesActivation else { return nil }
    let old = op.activation
    op.activation = old == .none ? .relu : .none
    graph.nodes[index].op = op
    return "activation \(op.activation.rawValue) for \(old.rawValue)"
  }

  private mutating func changeBound() -> String? {
    guard var op = node.op as? any ActivatingOperator, op.takesActivation, op.activation != .none
    else { return nil }
    let old = op.activation
    op.activation = old == .relu6 ? rng.pick([.relu, .reluN1To1]) : .relu6
    graph.nodes[index].op = op
    return "activation \(op.activation.rawValue) for \(old.rawValue)"
  }

  private mutating func changeFunction() -> String? {
    switch node.op {
    case var op as Unary:
      let others: [Unary.Kind: Unary.Kind] = [
        .relu: .abs, .relu6: .relu, .sigmoid: .tanh, .tanh: .sigmoid, .hardSwish: .relu,
        .gelu: .relu, .elu: .relu, .square: .abs, .sqrt: .square, .exp: .square,
      ]
      guard let other = others[op.kind] else { return nil }
      let old = op.kind
      op.kind = other
      graph.nodes[index].op = op
      return "\(other.rawValue) for \(old.rawValue)"
    case var op as Binary where [.add, .subtract, .multiply, .maximum].contains(op.kind):
      let old = op.kind
      op.kind = old == .add ? .subtract : .add
      graph.nodes[index].op = op
      return "\(op.kind.rawValue) for \(old.rawValue)"
    case var op as Reduce where op.kind == .mean || op.kind == .sum:
      op.kind = .max
      graph.nodes[index].op = op
      return "the greatest element for \(node.op.name)"
    case var op as LeakyReLU:
      op.alpha *= 2
      graph.nodes[index].op = op
      return "twice the slope"
    case var op as Softmax:
      op.beta *= 2
      graph.nodes[index].op = op
      return "twice the exponent"
    default: return nil
    }
  }

  private mutating func changeResize() -> String? {
    guard var op = node.op as? Resize2D else { return nil }
    op.usesHalfPixels.toggle()
    graph.nodes[index].op = op
    return "half pixels \(op.usesHalfPixels)"
  }

  // MARK: Places

  private mutating func changeSlice() -> String? {
    if var slice = node.op as? Slice, let input = node.inputs.first ?? nil {
      let shape = graph[input].type.shape
      for axis in slice.begin.indices where slice.steps[axis] > 0 {
        let last = slice.begin[axis] + (slice.sizes[axis] - 1) * slice.steps[axis]
        if last + 1 < shape[axis] {
          slice.begin[axis] += 1
        } else if slice.begin[axis] > 0 {
          slice.begin[axis] -= 1
        } else {
          continue
        }
        graph.nodes[index].op = slice
        return "axis \(axis) begins at \(slice.begin[axis])"
      }
    }
    if let split = node.op as? Split, node.outputs.count > 1, Set(split.sizes).count == 1 {
      graph.nodes[index].outputs.swapAt(0, 1)
      return "the first two parts swapped"
    }
    if let pad = node.op as? Pad, let axis = pad.after.indices.first(where: { pad.after[$0] > 0 }) {
      var changed = pad
      changed.after[axis] -= 1
      changed.before[axis] += 1
      graph.nodes[index].op = changed
      return "axis \(axis) begins one later"
    }
    return nil
  }

  private mutating func swapOperands() -> String? {
    let isOrdered =
      (node.op as? Binary).map { [.subtract, .divide].contains($0.kind) } ?? (node.op is Concat)
    guard isOrdered, node.inputs.count >= 2, node.inputs[0] != node.inputs[1],
      let a = node.inputs[0], let b = node.inputs[1],
      graph[a].type.shape == graph[b].type.shape,
      graph[a].type.quantization == graph[b].type.quantization
    else { return nil }
    graph.nodes[index].inputs.swapAt(0, 1)
    return "the first two operands swapped"
  }

  // MARK: Integers

  private mutating func changeWeightScale() -> String? {
    guard let (id, tensor) = constant(1), var quantization = tensor.quantization else { return nil }
    if quantization.isPerChannel, rng.bool() {
      quantization.scales = Array(quantization.scales[1...]) + [quantization.scales[0]]
      set(id, tensor.with(quantization: quantization))
      return "scales off by one channel"
    }
    let factor = rng.pick([0.25, 0.5, 2, 4] as [Float])
    quantization.scales = quantization.scales.map { $0 * factor }
    set(id, tensor.with(quantization: quantization))
    return "scale of the weights times \(factor)"
  }

  private mutating func changeWeightZeroPoint() -> String? {
    guard let (id, tensor) = constant(1), var quantization = tensor.quantization else { return nil }
    let shift = rng.pick([-64, -16, 16, 64] as [Int32])
    quantization.zeroPoints = quantization.zeroPoints.map { $0 + shift }
    set(id, tensor.with(quantization: quantization))
    return "zero point of the weights moved by \(shift)"
  }

  /// A value that other nodes read, or that leaves, with one scale for all.
  private var result: (id: ValueID, quantization: Quantization)? {
    guard let id = node.outputs.first, let quantization = graph[id].type.quantization,
      !quantization.isPerChannel, !(node.op is Quantize), !(node.op is Reshape)
    else { return nil }
    return (id, quantization)
  }

  /// A scale four times too small cuts off most of what the values need.
  private mutating func changeScale() -> String? {
    guard let (id, old) = result else { return nil }
    var quantization = old
    quantization.scales = quantization.scales.map { $0 / 4 }
    graph[id].type.quantization = quantization
    return "scale of the result a quarter"
  }

  private mutating func changeZeroPoint() -> String? {
    guard let (id, old) = result, let range = graph[id].type.dtype.integerRange else {
      return nil
    }
    var quantization = old
    // To the other end of the range, so that numbers on one side of zero are cut off.
    let middle = Int32((range.lowerBound + range.upperBound) / 2)
    let zero = Int32(quantization.zeroPoint > middle ? range.lowerBound : range.upperBound)
    guard zero != quantization.zeroPoint else { return nil }
    quantization.zeroPoints = [zero]
    graph[id].type.quantization = quantization
    return "zero point of the result \(zero)"
  }
}
