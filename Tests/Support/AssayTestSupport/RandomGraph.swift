import AssayBase
import AssayGraph
import AssayTensor

/// Makes small float32 networks of everything that image classifiers are made of.
///
/// Values stay in a range of a few units, so that outputs of two implementations can be compared by
/// their largest relative difference.
public struct RandomGraph {
  private var graph: Graph
  private var rng: SeededRNG
  private var current: ValueID
  private var number = 0

  /// A network of `length` random steps with one image input and one or two outputs.
  public static func make(_ rng: inout SeededRNG, length: Int = 8) throws -> Graph {
    var maker = RandomGraph(SeededRNG(seed: rng.next()))
    for _ in 0..<length { try maker.step() }
    var outputs: [ValueID] = []
    if maker.rng.bool() { outputs.append(maker.current) }
    try maker.head()
    if !outputs.contains(maker.current) { outputs.append(maker.current) }
    maker.graph.outputs = outputs
    return maker.graph
  }

  private init(_ rng: SeededRNG) {
    self.rng = rng
    graph = Graph(name: "random")
    let shape: Shape = [self.rng.int(1...2), self.rng.int(5...9), self.rng.int(5...9), 3]
    current = graph.addInput("image", TensorType(.float32, shape))
  }

  private var shape: Shape { graph[current].type.shape }

  private mutating func name(_ stem: String) -> String {
    number += 1
    return "\(stem)_\(number)"
  }

  private mutating func constant(_ stem: String, _ shape: Shape, scale: Float = 1) -> ValueID {
    graph.addConstant(name(stem), rng.tensor(shape, scale: scale))
  }

  private mutating func add(_ op: any Operator, _ inputs: [ValueID?]) throws {
    current = try graph.addNode(name(op.name.lowercased()), op, inputs)[0]
  }

  private mutating func padding() -> Padding {
    switch rng.int(0...2) {
    case 0: .same
    case 1: .valid
    default:
      .explicit(
        top: rng.int(0...1),
        bottom: rng.int(0...1),
        left: rng.int(0...1),
        right: rng.int(0...1)
      )
    }
  }

  private mutating func step() throws {
    switch rng.int(0...15) {
    case 0...2: try convolution()
    case 3: try depthwise()
    case 4, 5: try normalization()
    case 6: try add(Unary(rng.pick([.relu, .relu6, .reluN1To1, .tanh, .sigmoid])), [current])
    case 7: try factorOrTerm()
    case 8: try residual()
    case 9: try paddedConvolution()
    case 10: try pool()
    case 11: try hardSwish()
    case 12: try transposes()
    case 13: try reshapes()
    case 14:
      let other = current
      try add(Unary(.abs), [current])
      try add(Concat(axis: -1), [other, current])
    default: try add(LeakyReLU(alpha: 0.25), [current])
    }
  }

  private mutating func convolution() throws {
    let channels = shape[3]
    let window = Size2D(min(rng.int(1...3), shape[1]), min(rng.int(1...3), shape[2]))
    let outputs = rng.int(1...6)
    let scale = 1 / Float(window.height * window.width * channels).squareRoot()
    let filter = constant("filter", [outputs, window.height, window.width, channels], scale: scale)
    let bias = rng.bool() ? constant("bias", [outputs]) : nil
    let stride = rng.int(1...2)
    try add(
      Conv2D(
        strides: Size2D(stride, stride),
        padding: padding(),
        activation: rng.pick([.none, .none, .relu, .relu6])
      ),
      [current, filter] + (bias.map { [$0] } ?? [])
    )
  }

  private mutating func depthwise() throws {
    let multiplier = rng.int(1...2)
    let window = min(3, shape[1], shape[2])
    let count = shape[3] * multiplier
    let filter = constant("depthwise", [1, window, window, count], scale: 1 / Float(window))
    let bias = rng.bool() ? constant("bias", [count]) : nil
    try add(DepthwiseConv2D(padding: padding()), [current, filter] + (bias.map { [$0] } ?? []))
  }

  private mutating func normalization() throws {
    let channels: Shape = [shape[-1]]
    let variance = Tensor((0..<shape[-1]).map { _ in rng.uniform(0.5, 2) }, channels)
    try add(
      BatchNorm(epsilon: 1e-3),
      [
        current, rng.bool() ? constant("gamma", channels) : nil, constant("beta", channels),
        constant("mean", channels), graph.addConstant(name("variance"), variance),
      ]
    )
  }

  private mutating func factorOrTerm() throws {
    let target: Shape = rng.bool() ? [] : [1, 1, 1, shape[3]]
    let kind = rng.pick([Binary.Kind.add, .subtract, .multiply, .divide])
    let tensor = Tensor((0..<target.count).map { _ in rng.uniform(0.5, 2) }, target)
    let other = graph.addConstant(name("factor"), tensor)
    let isFlipped = (kind == .add || kind == .multiply) && rng.bool()
    try add(Binary(kind), isFlipped ? [other, current] : [current, other])
  }

  private mutating func residual() throws {
    let shortcut = current
    let channels = shape[3]
    try add(
      Conv2D(padding: .same),
      [current, constant("filter", [channels, 3, 3, channels], scale: 0.2)]
    )
    try normalization()
    try add(Binary(rng.pick([.add, .multiply, .maximum])), [current, shortcut])
    if rng.bool() { try add(Unary(.relu), [current]) }
  }

  private mutating func paddedConvolution() throws {
    let before = [0, rng.int(0...1), rng.int(0...1), 0]
    try add(Pad(before: before, after: [0, 1, 1, 0], value: rng.pick([0, 0, 1])), [current])
    guard shape[1] >= 3, shape[2] >= 3 else { return }
    let filter = constant("filter", [3, 3, 3, shape[3]], scale: 0.3)
    try add(Conv2D(strides: Size2D(2, 2)), [current, filter])
  }

  private mutating func pool() throws {
    let window = Size2D(min(2, shape[1]), min(2, shape[2]))
    try add(
      Pool2D(rng.pick([.max, .average]), window: window, strides: .one, padding: .same),
      [current]
    )
  }

  private mutating func hardSwish() throws {
    let x = current
    let three = graph.addConstant(name("three"), Tensor([3.0], []))
    let sixth = graph.addConstant(name("sixth"), Tensor([Float(1) / 6], []))
    try add(Binary(.add), [x, three])
    try add(Unary(.relu6), [current])
    if rng.bool() {
      try add(Binary(.multiply), [current, sixth])
      try add(Binary(.multiply), [x, current])
    } else {
      try add(Binary(.multiply), [current, x])
      try add(Binary(.multiply), [current, sixth])
    }
  }

  private mutating func transposes() throws {
    try add(Transpose([0, 3, 1, 2]), [current])
    let channelsFirst = shape
    switch rng.int(0...3) {
    case 0: try add(Unary(.square), [current])
    case 1: try add(Binary(.multiply), [current, constant("factor", [channelsFirst[1], 1, 1])])
    case 2: try add(Pad(before: [0, 0, 1, 0], after: [0, 1, 0, 2]), [current])
    default: break
    }
    try add(Transpose([0, 2, 3, 1]), [current])
  }

  private mutating func reshapes() throws {
    let full = shape
    try add(Reshape([full[0], full[1] * full[2], full[3]]), [current])
    if rng.bool() { try normalization() }
    if rng.bool() { try add(Unary(.relu), [current]) }
    try add(Reshape(full.dims), [current])
  }

  private mutating func head() throws {
    if rng.bool() {
      try add(Reduce(.mean, axes: [1, 2], keepsAxes: rng.bool()), [current])
    } else if rng.bool() {
      try add(Transpose([0, 3, 1, 2]), [current])
    }
    try add(Reshape([shape[0], -1]), [current])
    let inputs = shape[1]
    let scale = 1 / Float(inputs).squareRoot()
    if rng.bool() {
      try add(FullyConnected(), [current, constant("weights", [4, inputs], scale: scale)])
    } else {
      try add(MatMul(), [current, constant("weights", [inputs, 4], scale: scale)])
      try add(Binary(.add), [current, constant("bias", [4])])
    }
    if rng.bool() { try normalization() }
    if rng.bool() { try add(Softmax(), [current]) }
  }
}
