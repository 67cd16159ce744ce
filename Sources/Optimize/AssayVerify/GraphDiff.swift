import AssayBase
import AssayGraph
import AssayTensor

/// What differs between two networks: operators, how they are set, and weights.
///
/// Operators are matched by name and, where names differ, by their place in the network; nothing is
/// executed.
public struct GraphDiff: Sendable {
  /// A property with both of its values in words.
  public struct Change: Sendable, Equatable {
    /// What changed, such as `strides`.
    public var what: String
    /// As the first network has it.
    public var before: String
    /// As the second one has it.
    public var after: String
  }

  /// How two constants differ.
  public struct Weights: Sendable, Equatable {
    /// The node that reads them, in the second network.
    public var node: String
    /// That node's operator.
    public var op: String
    /// The constant's name in the second network.
    public var name: String
    /// Which input of the node they are.
    public var slot: Int
    /// The elements in all.
    public var count: Int
    /// The elements that differ as real numbers.
    public var changed: Int
    /// How far the second is from the first.
    public var metrics: ErrorMetrics
    /// The types, when they differ.
    public var types: Change?
    /// The largest difference in steps of the second one's quantization; `nil` when it has none.
    public var steps: Double?
  }

  /// An operator that both networks have, differently.
  public struct Operator: Sendable, Equatable {
    /// Its name in the second network.
    public var node: String
    /// The operator.
    public var op: String
    /// What changed.
    public var changes: [Change]
  }

  /// A node that only one network has.
  public struct Lone: Sendable, Equatable {
    /// Its name.
    public var node: String
    /// Its operator.
    public var op: String
    /// Its result in words.
    public var result: String
  }

  /// Changes of inputs and outputs.
  public private(set) var ports: [Change] = []
  /// Operators of the first network that the second one has not.
  public private(set) var removed: [Lone] = []
  /// Operators of the second network that the first one has not.
  public private(set) var added: [Lone] = []
  /// Operators of both, set differently.
  public private(set) var changed: [Operator] = []
  /// Constants of both with different elements or types.
  public private(set) var weights: [Weights] = []
  /// Constants that were compared.
  public private(set) var comparedWeights = 0
  /// Operators of the first and the second network.
  public let operators: (before: Int, after: Int)

  /// Whether nothing differs.
  public var isEmpty: Bool { isSameStructure && weights.isEmpty }
  /// Whether all that is not an element of a constant is the same.
  public var isSameStructure: Bool {
    ports.isEmpty && removed.isEmpty && added.isEmpty && changed.isEmpty
      && weights.allSatisfy { $0.types == nil }
  }

  /// Compares `b` with `a`.
  public init(_ a: Graph, _ b: Graph) {
    let (a, b) = (a.readingConstantsDirectly(), b.readingConstantsDirectly())
    operators = (a.nodes.count, b.nodes.count)
    comparePorts(a, b)
    let pairs = NodePairs(a, b)
    let paired = Set(pairs.twins.values)
    removed = a.nodes.indices.filter { !paired.contains($0) }.map { Self.lone(a, $0) }
    added = b.nodes.indices.filter { pairs.twins[$0] == nil }.map { Self.lone(b, $0) }
    var seen: Set<ValueID> = []
    for index in b.nodes.indices {
      guard let twin = pairs.twins[index] else { continue }
      let changes = Self.changes(a, a.nodes[twin], b, b.nodes[index], pairs)
      let node = b.nodes[index]
      if !changes.isEmpty {
        changed.append(Operator(node: node.name, op: node.op.name, changes: changes))
      }
      compareWeights(a, a.nodes[twin], b, node, &seen)
    }
  }

  private static func lone(_ graph: Graph, _ index: Int) -> Lone {
    let node = graph.nodes[index]
    let results = node.outputs.map { "\(graph[$0].type)" }.joined(separator: ", ")
    return Lone(node: node.name, op: node.op.name, result: results)
  }

  private mutating func comparePorts(_ a: Graph, _ b: Graph) {
    func compare(_ word: String, _ x: [(String, TensorType)], _ y: [(String, TensorType)]) {
      func words(_ port: (String, TensorType)) -> String { "\(port.0) \(Self.words(port.1))" }
      for index in 0..<max(x.count, y.count) {
        let before = x.indices.contains(index) ? words(x[index]) : "none"
        let after = y.indices.contains(index) ? words(y[index]) : "none"
        if before != after {
          ports.append(Change(what: "\(word) \(index)", before: before, after: after))
        }
      }
    }
    compare(
      "input",
      a.inputs.map { (a[$0].name, a[$0].type) },
      b.inputs.map { (b[$0].name, b[$0].type) }
    )
    compare(
      "output",
      a.outputs.map { (a.outputName($0), a[$0].type) },
      b.outputs.map { (b.outputName($0), b[$0].type) }
    )
  }

  /// A type with its quantization.
  private static func words(_ type: TensorType) -> String {
    let plain = "\(type.dtype.rawValue) \(type.shape)"
    guard let quantization = type.quantization else { return plain }
    return quantization.isPerChannel
      ? "\(plain) \(quantization.scales.count) scales"
      : "\(plain) scale \(quantization.scale) zero point \(quantization.zeroPoint)"
  }

  private static func changes(
    _ a: Graph,
    _ x: Node,
    _ b: Graph,
    _ y: Node,
    _ pairs: NodePairs
  ) -> [Change] {
    var changes: [Change] = []
    if x.op.name != y.op.name {
      changes.append(Change(what: "operator", before: x.op.name, after: y.op.name))
    }
    let before = Dictionary(x.op.attributes.map { ($0.name, $0.value) }) { first, _ in first }
    for (name, value) in y.op.attributes where before[name] != value {
      changes.append(Change(what: name, before: before[name] ?? "none", after: value))
    }
    for (u, v) in zip(x.outputs, y.outputs) {
      let (s, t) = (words(a[u].type), words(b[v].type))
      if s != t { changes.append(Change(what: "result", before: s, after: t)) }
    }
    for slot in 0..<max(x.inputs.count, y.inputs.count) {
      let u = x.inputs.indices.contains(slot) ? x.inputs[slot] : nil
      let v = y.inputs.indices.contains(slot) ? y.inputs[slot] : nil
      if let change = pairs.changeOfSource(slot, u, v) { changes.append(change) }
    }
    return changes
  }

  private mutating func compareWeights(
    _ a: Graph,
    _ x: Node,
    _ b: Graph,
    _ y: Node,
    _ seen: inout Set<ValueID>
  ) {
    for (slot, pair) in zip(x.inputs, y.inputs).enumerated() {
      guard let u = pair.0, let v = pair.1, let c = a[u].constant, let d = b[v].constant,
        seen.insert(v).inserted
      else { continue }
      comparedWeights += 1
      let isSameType = c.type == d.type
      if isSameType, c.bytes.count == d.bytes.count, c.bytes.array == d.bytes.array { continue }
      let types =
        isSameType
        ? nil : Change(what: "type", before: Self.words(c.type), after: Self.words(d.type))
      var (p, q) = (c.floats(), d.floats())
      if p.count != q.count { (p, q) = ([], []) }
      let metrics = compareTensors(reference: p, other: q)
      let changed = zip(p, q).reduce(0) { $0 + ($1.0 == $1.1 ? 0 : 1) }
      if changed == 0, types == nil { continue }
      weights.append(
        Weights(
          node: y.name,
          op: y.op.name,
          name: b[v].name,
          slot: slot,
          count: d.count,
          changed: p.isEmpty ? d.count : changed,
          metrics: metrics,
          types: types,
          steps: d.quantization.flatMap { quantization in
            quantization.scales.max().map { metrics.maxAbs / Double($0) }
          }
        )
      )
    }
  }
}

extension Graph {
  /// The graph without the operators that only write a constant in another type: weights in halves are
  /// weights.
  fileprivate func readingConstantsDirectly() -> Graph {
    var result = self
    var source: [ValueID: ValueID] = [:]
    result.nodes = nodes.filter { node in
      let isCast = node.op is Dequantize || node.op is Quantize || node.op is Cast
      guard isCast, let input = node.inputs.first ?? nil, self[input].constant != nil,
        !outputs.contains(node.outputs[0])
      else { return true }
      source[node.outputs[0]] = input
      return false
    }
    for index in result.nodes.indices {
      result.nodes[index].inputs = result.nodes[index].inputs.map { id in
        id.map { source[$0] ?? $0 }
      }
    }
    return result
  }
}

/// The nodes of two graphs that stand for one another.
private struct NodePairs {
  private let a: Graph
  private let b: Graph
  /// The first graph's node for each of the second's that has one.
  private(set) var twins: [Int: Int] = [:]
  private var values: [ValueID: ValueID] = [:]

  init(_ a: Graph, _ b: Graph) {
    self.a = a
    self.b = b
    var taken: Set<Int> = []
    func pair(_ x: Int, _ y: Int) {
      guard twins[y] == nil, taken.insert(x).inserted else { return }
      twins[y] = x
      for (u, v) in zip(a.nodes[x].outputs, b.nodes[y].outputs) { values[v] = u }
    }
    for (u, v) in zip(a.inputs, b.inputs) { values[v] = u }
    // By name and operator, then by name, then by place.
    var byName: [String: Int] = [:]
    for (index, node) in a.nodes.enumerated() where byName[node.name] == nil {
      byName[node.name] = index
    }
    for (index, node) in b.nodes.enumerated() {
      if let twin = byName[node.name], a.nodes[twin].op.name == node.op.name { pair(twin, index) }
    }
    let makers = a.producers()
    if let correspondence = try? Correspondence(original: a, variant: b) {
      for (index, node) in b.nodes.enumerated() where twins[index] == nil {
        guard let output = node.outputs.first, let match = correspondence.matches[output],
          match.evidence != .passage, let maker = makers[match.original],
          a.nodes[maker].op.name == node.op.name
        else { continue }
        pair(maker, index)
      }
    }
    for (index, node) in b.nodes.enumerated() where twins[index] == nil {
      if let twin = byName[node.name] { pair(twin, index) }
    }
  }

  /// What changed about where an input comes from; `nil` when nothing did.
  func changeOfSource(_ slot: Int, _ u: ValueID?, _ v: ValueID?) -> GraphDiff.Change? {
    func words(_ graph: Graph, _ id: ValueID?) -> String {
      id.map { graph[$0].constant == nil ? "'\(graph[$0].name)'" : "a constant" } ?? "none"
    }
    let isSame: Bool
    switch (u, v) {
    case (nil, nil): isSame = true
    case (let u?, let v?):
      let (isFirst, isSecond) = (a[u].constant != nil, b[v].constant != nil)
      isSame = isFirst && isSecond || !isFirst && !isSecond && values[v] == u
    default: isSame = false
    }
    return isSame
      ? nil : GraphDiff.Change(what: "input \(slot)", before: words(a, u), after: words(b, v))
  }
}
