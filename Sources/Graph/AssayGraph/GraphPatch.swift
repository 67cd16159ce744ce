import AssayBase
import AssayTensor

/// Changes to a Graph, gathered first and applied at once.
///
/// Nodes are replaced where they stand, so the order stays topological as long as a replacement reads
/// only what was made before the node that it replaces. Values are never removed here;
/// `Graph.compacted()` drops those that nothing uses.
public struct GraphPatch: Sendable {
  private let firstNewValue: Int
  private var newValues: [Value] = []
  /// The bytes of the Constants that it adds.
  public private(set) var constantByteCount = 0
  private var replacements: [Int: [Node]] = [:]
  private var redirects: [ValueID: ValueID] = [:]

  /// No changes to `graph` yet.
  public init(_ graph: Graph) { firstNewValue = graph.values.count }

  /// Whether nothing is to be changed.
  public var isEmpty: Bool { replacements.isEmpty && redirects.isEmpty }

  /// Adds a value; its ID is valid in nodes of this patch.
  public mutating func add(_ value: Value) -> ValueID {
    newValues.append(value)
    constantByteCount += value.constant?.bytes.count ?? 0
    return ValueID(firstNewValue + newValues.count - 1)
  }

  /// Puts `nodes` in the place of the node at `index`; none removes it.
  public mutating func replace(_ index: Int, with nodes: [Node]) { replacements[index] = nodes }

  /// Removes the node at `index`.
  public mutating func remove(_ index: Int) { replacements[index] = [] }

  /// Lets every node that reads `old` read `new` instead; what leaves the graph is not changed.
  public mutating func redirect(_ old: ValueID, to new: ValueID) { redirects[old] = new }

  /// Whether the node at `index` is already changed by this patch.
  public func touches(_ index: Int) -> Bool { replacements[index] != nil }

  /// The graph with the changes; it lets go of the Constants of nodes that are no more.
  public func applied(to graph: consuming Graph) -> Graph {
    for value in newValues { graph.add(value) }
    let old = graph.nodes
    graph.nodes = old.indices.flatMap { replacements[$0] ?? [old[$0]] }
    for index in graph.nodes.indices {
      graph.nodes[index].inputs = graph.nodes[index].inputs.map { $0.map(resolved) }
    }
    var left = Set(replacements.keys.flatMap { old[$0].inputs.compactMap { $0 } })
    left.formUnion(redirects.keys)
    left.subtract(graph.outputs)
    for node in graph.nodes { left.subtract(node.inputs.compactMap { $0 }) }
    for id in left where graph[id].constant != nil { graph[id].constant = nil }
    return graph
  }

  private func resolved(_ id: ValueID) -> ValueID {
    var id = id
    // A chain is no longer than the number of redirects, unless it were a circle.
    for _ in 0...redirects.count {
      guard let next = redirects[id] else { return id }
      id = next
    }
    return id
  }
}

/// A rewrite of a Graph that changes how it computes, never what.
public protocol GraphPass: Sendable {
  /// The name, for messages.
  var name: String { get }

  /// Changes to `graph`, or an empty patch when there is nothing left to do.
  func patch(for graph: Graph) throws -> GraphPatch
}

extension Graph {
  /// The graph after `passes`, one after the other, again and again until none has anything to do.
  ///
  /// The graph is validated after each patch, so that a faulty pass is named.
  ///
  /// Constants that a pass replaces are let go unless the caller keeps the graph.
  ///
  /// - Throws: `Diagnostic` GRF020 when a pass broke the graph, GRF021 when the passes come to no end.
  public consuming func rewritten(by passes: [any GraphPass]) throws -> Graph {
    var graph = self
    // Every patch of a sound pass shrinks or settles the graph; the bound stops unsound ones.
    let limit = 100 + 20 * graph.nodes.count
    var patches = 0
    var isSettled = false
    while !isSettled {
      isSettled = true
      for pass in passes {
        while true {
          let patch = try locating("pass '\(pass.name)'") { try pass.patch(for: graph) }
          if patch.isEmpty { break }
          isSettled = false
          graph = patch.applied(to: graph)
          if let fault = graph.validate().first {
            throw Diagnostic(
              "GRF020",
              "pass '\(pass.name)' broke the graph: \(fault.summary)",
              at: fault.location
            )
          }
          patches += 1
          guard patches <= limit else {
            throw Diagnostic("GRF021", "pass '\(pass.name)' comes to no end")
          }
        }
      }
    }
    return graph
  }
}
