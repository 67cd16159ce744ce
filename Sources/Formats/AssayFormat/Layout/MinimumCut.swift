/// A minimum cut of a directed graph with capacities (Dinic, 1970).
struct MinimumCut {
  private var edges: [(to: Int, residual: Int)] = []
  private var edgesFrom: [[Int]]

  /// A graph without edges.
  init(vertexCount: Int) { edgesFrom = [[Int]](repeating: [], count: vertexCount) }

  /// Adds a vertex.
  mutating func addVertex() -> Int {
    edgesFrom.append([])
    return edgesFrom.count - 1
  }

  /// Adds an edge; a capacity of `Int.max` is never cut.
  mutating func addEdge(from: Int, to: Int, capacity: Int) {
    edgesFrom[from].append(edges.count)
    edges.append((to, capacity))
    edgesFrom[to].append(edges.count)
    edges.append((from, 0))
  }

  /// Which vertices lie on the source's side of a minimum cut.
  mutating func sourceSide(source: Int, sink: Int) -> [Bool] {
    var levels = distances(from: source)
    while levels[sink] != nil {
      block(levels, source: source, sink: sink)
      levels = distances(from: source)
    }
    return levels.map { $0 != nil }
  }

  /// Steps from `source` to each vertex along edges that can still take flow.
  private func distances(from source: Int) -> [Int?] {
    var levels = [Int?](repeating: nil, count: edgesFrom.count)
    levels[source] = 0
    var queue = [source]
    var next = 0
    while next < queue.count {
      let vertex = queue[next]
      next += 1
      for edge in edgesFrom[vertex] where edges[edge].residual > 0 {
        guard levels[edges[edge].to] == nil else { continue }
        levels[edges[edge].to] = (levels[vertex] ?? 0) + 1
        queue.append(edges[edge].to)
      }
    }
    return levels
  }

  /// Sends flow along shortest paths until every one of them has a full edge.
  ///
  /// The walk keeps its path in an array: networks may be deeper than the stack.
  private mutating func block(_ levels: [Int?], source: Int, sink: Int) {
    var nextEdge = [Int](repeating: 0, count: edgesFrom.count)
    var path: [Int] = []
    while true {
      let vertex = path.last.map { edges[$0].to } ?? source
      if vertex == sink {
        let flow = path.reduce(Int.max) { min($0, edges[$1].residual) }
        for edge in path {
          if edges[edge].residual != .max { edges[edge].residual -= flow }
          if edges[edge ^ 1].residual != .max { edges[edge ^ 1].residual += flow }
        }
        let full = path.firstIndex { edges[$0].residual == 0 } ?? 0
        path.removeSubrange(full...)
        continue
      }
      var isStuck = true
      while nextEdge[vertex] < edgesFrom[vertex].count {
        let edge = edgesFrom[vertex][nextEdge[vertex]]
        if edges[edge].residual > 0, levels[edges[edge].to] == (levels[vertex] ?? 0) + 1 {
          path.append(edge)
          isStuck = false
          break
        }
        nextEdge[vertex] += 1
      }
      guard isStuck else { continue }
      guard let last = path.popLast() else { return }
      nextEdge[edges[last ^ 1].to] += 1
    }
  }
}
