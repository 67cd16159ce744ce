import AssayGraph
import AssayKernels
import AssayTensor

/// Which gradients exist, and where each lies.
///
/// The backward pass walks the nodes from last to first. A value's gradient gets its place when the
/// first of its readers is reached and gives it back behind its maker; further readers write to a
/// place of their own that is then added.
struct GradientLayout {
  /// What happens at one node of the backward pass.
  struct Visit {
    var node: Int
    /// Gradients that no reader sets: set to zero first.
    var zeroed: [(place: Int, count: Int)] = []
    /// The places of the outputs' gradients.
    var outputs: [Int?] = []
    /// Where the inputs' gradients are written.
    var inputs: [Target?] = []
  }

  /// Where a node writes one gradient.
  enum Target: Equatable {
    /// A place in the shared memory.
    case place(Int)
    /// A parameter's own gradient.
    case parameter(Int)

  }

  /// What is added after a node has run.
  struct Addition {
    var from: Int
    var to: Target
    var count: Int
  }

  /// The visits, last node first.
  private(set) var visits: [Visit] = []
  /// What is added after each visit.
  private(set) var additions: [[Addition]] = []
  /// The places of the seeds' gradients, which the losses set.
  private(set) var seeds: [ValueID: Int] = [:]
  /// Floats in all.
  private(set) var size = 0
  private var free: [(start: Int, count: Int)] = []

  /// - Parameters:
  ///   - flows: for each node and input, whether a gradient flows there at all.
  ///   - parameters: the place of each parameter in the list of parameters.
  init(
    _ graph: Graph,
    seeds: [ValueID],
    parameters: [ValueID: Int],
    isActive: [Bool],
    flows: [[Bool]],
    reuses: [Bool]
  ) {
    var places: [ValueID: Int] = [:]
    var isSet: Set<Int> = []
    for seed in seeds where places[seed] == nil {
      places[seed] = place(graph[seed].type.shape.count)
    }
    self.seeds = places
    for index in graph.nodes.indices.reversed() where isActive[index] {
      let node = graph.nodes[index]
      var visit = Visit(node: index)
      var added: [Addition] = []
      var temporary: [(Int, Int)] = []
      for output in node.outputs {
        let count = graph[output].type.shape.count
        if places[output] == nil, flows[index].contains(true) {
          let zero = place(count)
          places[output] = zero
          visit.zeroed.append((zero, count))
        }
        visit.outputs.append(places[output])
      }
      var isHandedOn = false
      for (position, id) in node.inputs.enumerated() {
        guard let id, flows[index][position] else {
          visit.inputs.append(nil)
          continue
        }
        let count = graph[id].type.shape.count
        if let parameter = parameters[id] {
          if isSet.insert(parameter).inserted {
            visit.inputs.append(.parameter(parameter))
          } else {
            let start = place(count)
            temporary.append((start, count))
            visit.inputs.append(.place(start))
            added.append(Addition(from: start, to: .parameter(parameter), count: count))
          }
        } else if let known = places[id] {
          let start = place(count)
          temporary.append((start, count))
          visit.inputs.append(.place(start))
          added.append(Addition(from: start, to: .place(known), count: count))
        } else if position == 0, reuses[index], node.outputs.count == 1,
          let output = places[node.outputs[0]], count == graph[node.outputs[0]].type.shape.count,
          !seeds.contains(node.outputs[0])
        {
          places[id] = output
          isHandedOn = true
          visit.inputs.append(.place(output))
        } else {
          let start = place(count)
          places[id] = start
          visit.inputs.append(.place(start))
        }
      }
      visits.append(visit)
      additions.append(added)
      for (start, count) in temporary { release(start, count) }
      for output in node.outputs where !isHandedOn {
        if let start = places[output], !seeds.contains(output) {
          release(start, graph[output].type.shape.count)
        }
      }
    }
  }

  private static func room(_ count: Int) -> Int { (count + 15) / 16 * 16 }

  private mutating func place(_ count: Int) -> Int {
    let room = Self.room(count)
    if room == 0 { return 0 }
    let fitting = free.indices.filter { free[$0].count >= room }
    if let best = fitting.min(by: { free[$0].count < free[$1].count }) {
      let start = free[best].start
      free[best].start += room
      free[best].count -= room
      if free[best].count == 0 { free.remove(at: best) }
      return start
    }
    if let last = free.last, last.start + last.count == size {
      free.removeLast()
      size = last.start + room
      return last.start
    }
    size += room
    return size - room
  }

  private mutating func release(_ start: Int, _ elements: Int) {
    let count = Self.room(elements)
    guard count > 0 else { return }
    let index = free.firstIndex { $0.start > start } ?? free.count
    free.insert((start, count), at: index)
    if index + 1 < free.count, start + count == free[index + 1].start {
      free[index].count += free[index + 1].count
      free.remove(at: index + 1)
    }
    if index > 0, free[index - 1].start + free[index - 1].count == start {
      free[index - 1].count += free[index].count
      free.remove(at: index)
    }
  }
}
