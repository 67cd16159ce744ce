import AssayBase
import AssayEvaluator
import AssayGraph
import AssayKernels
import AssayTensor

extension Network {
  /// Fits random weights to what flows through the network, layer by layer in one run over one sample.
  ///
  /// - A batch normalization takes the statistics of what reaches it.
  /// - A layer with weights that is not normalized is scaled so that it gives out numbers of about one
  ///   (layer-sequential unit variance; Mishkin and Matas, 2016), the last one numbers of about two:
  ///   a softmax over them is neither flat nor saturated.
  /// - What a residual block adds is made small beside what it is added to, as training makes it;
  ///   otherwise a hundred random blocks would blow rounding up to a part of the result.
  ///
  /// - Normalizations before an activation can be made to give out numbers about `center`. About zero every
  ///   block squares what is amiss with the size of its numbers (SiLU and gates do), or hands it on larger,
  ///   and a sample whose statistics are a little different leaves a deep network without a trunk with
  ///   numbers a hundredfold; about one, activations work mostly where they are straight lines.
  ///
  /// Without it the numbers of a deep random network vanish or grow beyond bounds, and neither
  /// quantization nor a comparison of runtimes would say anything about real networks.
  ///
  /// - Parameters:
  ///   - inputs: one sample, by the inputs' names.
  ///   - center: what normalizations before an activation give on average.
  ///   - threads: workers; the result does not depend on it.
  /// - Throws: what the evaluator says.
  public mutating func settle(
    on inputs: [String: Tensor],
    center: Float = 0,
    threads: Int = 1
  ) throws {
    let run = SettlingRun(graph, center: center)
    do {
      // The evaluator's copies of the weights are gone before the new ones are made.
      let evaluator = try Evaluator(graph, threads: threads)
      try evaluator.observe(inputs) { run.adjust($0, $1) }
    }
    for (id, tensor) in run.changed { graph[id].constant = tensor }
    for (id, factor) in run.factors {
      guard let tensor = graph[id].constant else { continue }
      graph[id].constant = tensor.times(factor)
    }
  }
}

/// Adjusts every value as it is made, in the evaluator's memory: what comes later sees the network as
/// it is going to be.
private final class SettlingRun {
  /// Weights that are replaced.
  private(set) var changed: [ValueID: Tensor] = [:]
  /// Weights that are multiplied by a number.
  private(set) var factors: [ValueID: Float] = [:]
  private let graph: Graph
  private let center: Float
  private let producers: [ValueID: Int]
  private let consumers: [ValueID: [Int]]
  private var branches: Set<Int> = []
  private var isLast: Set<Int> = []

  init(_ graph: Graph, center: Float) {
    self.graph = graph
    self.center = center
    producers = graph.producers()
    consumers = graph.consumers()
    findBranches()
    findLast()
  }

  /// The nodes with weights at the end of what residual blocks add: of an addition's two operands the
  /// one that more nodes lead to.
  private func findBranches() {
    var depth = [Int](repeating: 0, count: graph.values.count)
    for node in graph.nodes {
      let deepest = node.inputs.reduce(0) { max($0, $1.map { depth[$0.index] } ?? 0) }
      for output in node.outputs { depth[output.index] = deepest + 1 }
    }
    for node in graph.nodes {
      guard let sum = node.op as? Binary, sum.kind == .add, let a = node.inputs[0],
        let b = node.inputs[1], graph[a].constant == nil, graph[b].constant == nil,
        depth[a.index] != depth[b.index]
      else { continue }
      let branch = depth[a.index] > depth[b.index] ? a : b
      if let index = scaled(branch) { branches.insert(index) }
    }
  }

  /// The last layers with weights before each output.
  private func findLast() {
    for output in graph.outputs {
      if let index = scaled(output) { isLast.insert(index) }
    }
  }

  /// The node with weights that decides the size of a value: the value's own, or one that only
  /// functions of each element and changes of shape stand behind.
  private func scaled(_ id: ValueID) -> Int? {
    var id = id
    while let index = producers[id] {
      let node = graph.nodes[index]
      if node.op is BatchNorm || weight(of: node) != nil { return index }
      guard node.op is Unary || node.op is Softmax || node.op is Reshape, let next = node.inputs[0]
      else { return nil }
      id = next
    }
    return nil
  }

  /// The weights of a layer that multiplies by them.
  private func weight(of node: Node) -> ValueID? {
    guard
      node.op is Conv2D || node.op is DepthwiseConv2D || node.op is FullyConnected
        || node.op is TransposeConv2D, node.inputs.count > 1, let id = node.inputs[1],
      graph[id].constant != nil
    else { return nil }
    return id
  }

  func adjust(_ id: ValueID, _ buffer: FloatBuffer) {
    guard let index = producers[id] else { return }
    let node = graph.nodes[index]
    if let norm = node.op as? BatchNorm {
      normalize(index, node, norm, graph[id].type.shape, buffer)
    } else if let weight = weight(of: node) {
      let readers = consumers[id] ?? []
      let isNormalized = !readers.isEmpty && readers.allSatisfy { graph.nodes[$0].op is BatchNorm }
      if !isNormalized { scale(index, node, weight, buffer) }
    }
  }

  private func normalize(
    _ index: Int,
    _ node: Node,
    _ norm: BatchNorm,
    _ shape: Shape,
    _ buffer: FloatBuffer
  ) {
    let depth = shape[-1]
    guard depth > 0, node.inputs.count == 5, let mean = node.inputs[3],
      let variance = node.inputs[4], norm.epsilon > 0,
      let oldMean = graph[mean].constant?.floats(),
      let oldVariance = graph[variance].constant?.floats()
    else { return }
    let ones = [Float](repeating: 1, count: depth)
    var gamma = node.inputs[1].flatMap { graph[$0].constant?.floats() } ?? ones
    let oldBeta = node.inputs[2].flatMap { graph[$0].constant?.floats() } ?? ones.map { _ in 0 }
    var beta = oldBeta
    if center != 0, let id = node.inputs[2], isActivated(node.outputs[0]) {
      beta = beta.map { $0 + center }
      changed[id] = Tensor(beta, [depth])
    }
    // What came in follows from what was made of it.
    let spread = zip(oldVariance, gamma).map { ($0 + norm.epsilon).squareRoot() / $1 }
    let (sums, squares) = moments(buffer, depth)
    let rows = Double(buffer.count / depth)
    var means = [Float](repeating: 0, count: depth)
    var variances = means
    for c in 0..<depth {
      let m = sums[c] / rows
      means[c] = (Float(m) - oldBeta[c]) * spread[c] + oldMean[c]
      variances[c] = Float(max(squares[c] / rows - m * m, 0)) * spread[c] * spread[c]
    }
    if rows < 8 {
      // Too few places to speak of a channel's own statistics.
      let count = Float(depth)
      let mean = means.reduce(0, +) / count
      let all = means.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / count
      variances = variances.map { _ in all + variances.reduce(0, +) / count }
      means = means.map { _ in mean }
    }
    // What a few samples have in common is missing from their spread.
    let inflation = 1 + 1 / Float(max(shape[0], 1))
    variances = variances.map { $0 * inflation }
    // A channel that hardly moves must not be blown up.
    let floor = 0.01 * variances.reduce(0, +) / Float(depth) + 1e-5
    variances = variances.map { max($0, floor) }
    if branches.contains(index), let id = node.inputs[1] {
      gamma = gamma.map { $0 * Self.calm }
      changed[id] = Tensor(gamma, [depth])
    }
    changed[mean] = Tensor(means, [depth])
    changed[variance] = Tensor(variances, [depth])
    var factor = ones
    var offset = ones
    for c in 0..<depth {
      let inverse = gamma[c] / (variances[c] + norm.epsilon).squareRoot()
      factor[c] = spread[c] * inverse
      offset[c] = beta[c] - oldBeta[c] * factor[c] + (oldMean[c] - means[c]) * inverse
    }
    apply(buffer, factor, offset)
  }

  /// Whether a value goes through a function of each element, by itself or as the gate of itself.
  private func isActivated(_ id: ValueID) -> Bool {
    (consumers[id] ?? []).contains { graph.nodes[$0].op is Unary }
  }

  private func scale(_ index: Int, _ node: Node, _ weight: ValueID, _ buffer: FloatBuffer) {
    var total = 0.0
    for place in 0..<buffer.count { total += Double(buffer[place]) * Double(buffer[place]) }
    let size = Float((total / Double(max(buffer.count, 1))).squareRoot())
    guard size > 1e-12, size.isFinite else { return }
    let wanted: Float = isLast.contains(index) ? 2 : branches.contains(index) ? Self.calm : 1
    // A layer that is used several times was fitted at its first use.
    if factors[weight] != nil { return }
    let factor = wanted / size
    factors[weight] = factor
    for place in 0..<buffer.count { buffer[place] *= factor }
  }

  /// The size of what a residual block adds.
  private static let calm: Float = 0.3

  private func moments(_ buffer: FloatBuffer, _ depth: Int) -> ([Double], [Double]) {
    var sums = [Double](repeating: 0, count: depth)
    var squares = sums
    var place = 0
    while place + depth <= buffer.count {
      for c in 0..<depth {
        let value = Double(buffer[place &+ c])
        sums[c] += value
        squares[c] += value * value
      }
      place += depth
    }
    return (sums, squares)
  }

  private func apply(_ buffer: FloatBuffer, _ factor: [Float], _ offset: [Float]) {
    let depth = factor.count
    var place = 0
    while place + depth <= buffer.count {
      for c in 0..<depth { buffer[place &+ c] = buffer[place &+ c] * factor[c] + offset[c] }
      place += depth
    }
  }
}

extension Tensor {
  /// The float32 elements times a number.
  fileprivate func times(_ factor: Float) -> Tensor {
    unsafe withElements(as: Float.self) { source in
      unsafe Tensor(type, as: Float.self) { target in
        for index in 0..<target.count { unsafe target[index] = source[index] * factor }
      }
    }
  }
}
