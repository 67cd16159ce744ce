import AssayBase
import AssayGraph
import AssayRewrite
import AssayTensor

/// Which value of one graph stands for which value of another that is meant to compute the same.
///
/// Names say it first: a rewrite keeps the name of a value that it still computes. Where they do not (a
/// file that somebody else's converter wrote), both graphs are brought into canonical form and walked
/// together from their inputs and outputs, operator by operator.
public struct Correspondence: Sendable {
  /// Why two values are taken to be the same.
  public enum Evidence: String, Sendable {
    /// They have the same name.
    case name
    /// They are the same input or output of the network.
    case position
    /// The operators that make them stand at the same place of the canonical forms.
    case structure
    /// Only their element type or shape was changed on the way from a value that is known.
    case passage
  }

  /// The original's counterpart of a value.
  public struct Match: Sendable, Equatable {
    /// The original's value.
    public var original: ValueID
    /// Why.
    public var evidence: Evidence
    /// How the original's axes are ordered to become the variant's; `nil` for as they are.
    public var permutation: [Int]?
  }

  /// The counterparts, by the variant's value.
  public private(set) var matches: [ValueID: Match] = [:]

  /// Finds what corresponds in `variant` to the values of `original`.
  ///
  /// - Throws: `Diagnostic` VFY001 when the graphs have different numbers of inputs.
  public init(original: Graph, variant: Graph) throws {
    for pair in try correspondingInputs(original, variant) {
      matches[pair.variant] = Match(original: pair.original, evidence: pair.evidence)
    }
    matchNames(original, variant)
    if original.outputs.count == variant.outputs.count {
      for (a, b) in zip(original.outputs, variant.outputs) where matches[b] == nil {
        let name = variant.outputName(b)
        let twin = original.outputs.first { original.outputName($0) == name } ?? a
        add(b, twin, .position, original, variant)
      }
    }
    passThrough(original, variant)
    guard unmatchedNodes(of: variant) > 0 else { return }
    matchStructure(original, variant)
    passThrough(original, variant)
  }

  /// The nodes of the variant none of whose results corresponds to anything.
  func unmatchedNodes(of variant: Graph) -> Int {
    variant.nodes.count { node in !node.outputs.contains { matches[$0] != nil } }
  }

  private mutating func matchNames(_ original: Graph, _ variant: Graph) {
    var byName: [String: ValueID] = [:]
    for id in original.computed { byName[original[id].name] = id }
    for id in variant.computed where matches[id] == nil {
      if let twin = byName[variant[id].name] { add(id, twin, .name, original, variant) }
    }
  }

  /// Adds a match if the types allow one.
  @discardableResult
  private mutating func add(
    _ id: ValueID,
    _ twin: ValueID,
    _ evidence: Evidence,
    _ original: Graph,
    _ variant: Graph
  ) -> Bool {
    let (a, b) = (original[twin].type.shape, variant[id].type.shape)
    guard let order = reordering(a, b) else { return false }
    matches[id] = Match(original: twin, evidence: evidence, permutation: order.axes)
    return true
  }

  /// Follows operators that change no element's meaning, in both directions.
  private mutating func passThrough(_ original: Graph, _ variant: Graph) {
    func isPassage(_ node: Node) -> Bool {
      node.op is Quantize || node.op is Dequantize || node.op is Reshape
        || (node.op as? Cast).map { $0.dtype.isFloat } ?? false
    }
    func follow(_ from: ValueID, _ to: ValueID) {
      guard matches[to] == nil, let match = matches[from], variant[from].constant == nil else {
        return
      }
      let same = variant[from].type.shape == variant[to].type.shape
      guard same || match.permutation == nil else { return }
      matches[to] = Match(
        original: match.original,
        evidence: .passage,
        permutation: match.permutation
      )
    }
    for node in variant.nodes where isPassage(node) {
      if let input = node.inputs.first ?? nil { follow(input, node.outputs[0]) }
    }
    for node in variant.nodes.reversed() where isPassage(node) {
      if let input = node.inputs.first ?? nil { follow(node.outputs[0], input) }
    }
  }

  private mutating func matchStructure(_ original: Graph, _ variant: Graph) {
    guard let a = try? canonicalized(original), let b = try? canonicalized(variant) else { return }
    let (originals, variants) = (original.computedByName, variant.computedByName)
    var walk = Walk(a, b)
    for (x, y) in zip(a.inputs, b.inputs) { walk.pair(x, y) }
    let known = matches.reduce(into: [String: String]()) { table, entry in
      table[variant[entry.key].name] = original[entry.value.original].name
    }
    let ofOriginal = a.computedByName
    for id in b.computed {
      if let name = known[b[id].name], let twin = ofOriginal[name] { walk.pair(twin, id) }
    }
    walk.run()
    for (id, twin) in walk.values {
      guard let target = variants[b[id].name], matches[target] == nil,
        variant[target].type.shape == b[id].type.shape,
        let source = originals[a[twin].name], original[source].type.shape == a[twin].type.shape
      else { continue }
      add(target, source, .structure, original, variant)
    }
  }
}

extension Graph {
  /// The values that a run makes: inputs and nodes' outputs.
  var computed: [ValueID] { inputs + nodes.flatMap(\.outputs) }

  /// The same by name; the last of a name.
  var computedByName: [String: ValueID] {
    computed.reduce(into: [:]) { $0[self[$1].name] = $1 }
  }
}

/// The inputs of both graphs that correspond: by name, or else by position.
func correspondingInputs(
  _ original: Graph,
  _ variant: Graph
) throws -> [(original: ValueID, variant: ValueID, evidence: Correspondence.Evidence)] {
  let names = Dictionary(original.inputs.map { (original[$0].name, $0) }) { first, _ in first }
  if Set(names.keys) == Set(variant.inputs.map { variant[$0].name }) {
    return variant.inputs.compactMap { id in
      names[variant[id].name].map { ($0, id, .name) }
    }
  }
  guard original.inputs.count == variant.inputs.count else {
    throw Diagnostic(
      "VFY001",
      "the original has \(original.inputs.count) inputs, the variant \(variant.inputs.count)",
      remedy: "compare a model with a variant of itself"
    )
  }
  return zip(original.inputs, variant.inputs).map { ($0, $1, .position) }
}

/// How the axes of `a` are ordered to give `b`: as they are, also where only extents are grouped
/// differently, or between channels first and last; `nil` when the elements cannot correspond.
func reordering(_ a: Shape, _ b: Shape) -> Reordering? {
  if a == b || !a.isStatic || !b.isStatic { return Reordering(axes: nil) }
  guard a.count == b.count else { return nil }
  guard a.rank == b.rank else { return Reordering(axes: nil) }
  let known = [[0, 2, 3, 1], [0, 3, 1, 2], [0, 2, 1], [0, 2, 3, 4, 1], [0, 4, 1, 2, 3]]
  for axes in known where axes.count == a.rank && axes.map({ a.dims[$0] }) == b.dims {
    return Reordering(axes: axes)
  }
  return Reordering(axes: nil)
}

/// An order of axes; `nil` leaves them as they are.
struct Reordering { var axes: [Int]? }

/// Two graphs walked together along operators of the same kind.
private struct Walk {
  private let a: Side
  private let b: Side
  /// The original's value of each value of the variant that was met.
  private(set) var values: [ValueID: ValueID] = [:]
  private var twinNode: [Int: Int] = [:]
  private var taken: Set<Int> = []
  private var pending: [(ValueID, ValueID)] = []

  /// One of the graphs, seen without the operators that only change how elements are written.
  private struct Side {
    let graph: Graph
    var root: [ValueID: ValueID] = [:]
    var readers: [ValueID: [(node: Int, slot: Int)]] = [:]
    var maker: [ValueID: Int] = [:]

    init(_ graph: Graph) {
      self.graph = graph
      for (index, node) in graph.nodes.enumerated() {
        if let input = node.inputs.first ?? nil, Side.isTransparent(node) {
          root[node.outputs[0]] = root[input] ?? input
          continue
        }
        for output in node.outputs { maker[output] = index }
        for (slot, input) in node.inputs.enumerated() {
          guard let input, graph[input].constant == nil else { continue }
          readers[root[input] ?? input, default: []].append((index, slot))
        }
      }
    }

    static func isTransparent(_ node: Node) -> Bool {
      node.op is Quantize || node.op is Dequantize
        || (node.op as? Cast).map { $0.dtype.isFloat } ?? false
    }

    func resolved(_ id: ValueID) -> ValueID { root[id] ?? id }

    /// The values that a node computes from, transparent operators skipped.
    func sources(_ node: Int) -> [ValueID] {
      graph.nodes[node].inputs.compactMap { id in
        guard let id, graph[id].constant == nil else { return nil }
        return resolved(id)
      }
    }
  }

  init(_ a: Graph, _ b: Graph) {
    self.a = Side(a)
    self.b = Side(b)
  }

  mutating func pair(_ x: ValueID, _ y: ValueID) {
    let (x, y) = (a.resolved(x), b.resolved(y))
    guard values[y] == nil else { return }
    values[y] = x
    pending.append((x, y))
  }

  mutating func run() {
    drain()
    // What hangs on the outputs alone, or lies behind an operator that only one of them has.
    for (x, y) in zip(a.graph.outputs, b.graph.outputs) { pair(x, y) }
    drain()
  }

  private mutating func drain() {
    while let (x, y) = pending.popLast() {
      pairReaders(x, y)
      if let p = a.maker[x], let q = b.maker[y] { pairNodes(p, q) }
    }
  }

  private mutating func pairReaders(_ x: ValueID, _ y: ValueID) {
    let others = b.readers[y] ?? []
    for reader in a.readers[x] ?? [] where twinNode[reader.node] == nil {
      let node = a.graph.nodes[reader.node]
      let fitting = others.filter {
        !taken.contains($0.node) && b.graph.nodes[$0.node].op.name == node.op.name
      }
      guard
        let best = fitting.max(by: {
          likeness(reader, $0) < likeness(reader, $1)
        })
      else { continue }
      pairNodes(reader.node, best.node)
    }
  }

  /// How much two readers of one value have in common; the first of equals is taken.
  private func likeness(
    _ x: (node: Int, slot: Int),
    _ y: (node: Int, slot: Int)
  ) -> Double {
    let (p, q) = (a.graph.nodes[x.node], b.graph.nodes[y.node])
    var score = x.slot == y.slot ? 1.0 : 0
    let shapes = (
      p.outputs.map { a.graph[$0].type.shape }, q.outputs.map { b.graph[$0].type.shape }
    )
    if shapes.0 == shapes.1 { score += 2 }
    if p.op.attributes.map(\.value) == q.op.attributes.map(\.value) { score += 1 }
    for (u, v) in zip(p.inputs, q.inputs) {
      guard let u, let v, let c = a.graph[u].constant, let d = b.graph[v].constant,
        c.shape == d.shape
      else { continue }
      score += 1 + 4 * similarity(c, d)
    }
    // Among equals, the one that stands as far down its graph.
    let depth = Double(x.node) / Double(max(a.graph.nodes.count, 1))
    let other = Double(y.node) / Double(max(b.graph.nodes.count, 1))
    return score - (depth - other).magnitude
  }

  /// The cosine between constants, of their first elements.
  private func similarity(_ c: Tensor, _ d: Tensor) -> Double {
    guard c.count <= 1 << 16 else { return 0 }
    return max(0, compareTensors(reference: c.floats(), other: d.floats()).cosine)
  }

  private mutating func pairNodes(_ p: Int, _ q: Int) {
    guard twinNode[p] == nil, !taken.contains(q) else { return }
    let (x, y) = (a.graph.nodes[p], b.graph.nodes[q])
    guard x.op.name == y.op.name, x.outputs.count == y.outputs.count else { return }
    let (sources, others) = (a.sources(p), b.sources(q))
    // Two operators that are known to read different things are different operators.
    guard sources.count == others.count else { return }
    let isCommutative = x.op is Binary && sources.count == 2
    let straight = zip(sources, others).allSatisfy { values[$1] == nil || values[$1] == $0 }
    let crossed =
      isCommutative
      && zip(sources.reversed(), others).allSatisfy { values[$1] == nil || values[$1] == $0 }
    guard straight || crossed else { return }
    twinNode[p] = q
    taken.insert(q)
    for (u, v) in zip(x.outputs, y.outputs) { pair(u, v) }
    for (u, v) in zip(straight ? sources : sources.reversed(), others) { pair(u, v) }
  }
}
