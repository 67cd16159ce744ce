import FormatTFLite

/// The parts that a network falls into when some operators run elsewhere.
///
/// TensorFlow Lite cuts a network so: a part grows, in the order of the operators, by every operator of
/// its kind whose inputs are ready, until none is left; then a part of the other kind begins. The Edge
/// TPU's compiler takes the first of its kind.
struct Partition {
  /// One part.
  struct Part {
    /// Whether its operators are of the kind that is taken.
    var isTaken: Bool
    /// Places of its operators.
    var nodes: [Int]
  }

  /// The parts in the order in which they run.
  private(set) var parts: [Part] = []

  /// Cuts a network.
  ///
  /// - Parameter isTaken: for each operator whether it could run elsewhere.
  init(_ listing: TFLiteListing, _ isTaken: [Bool]) {
    var makers = [Bool](repeating: false, count: listing.tensors.count)
    for node in listing.nodes {
      for output in node.outputs where output >= 0 { makers[output] = true }
    }
    // What each operator still waits for, and who waits for each tensor.
    var missing = [Int](repeating: 0, count: listing.nodes.count)
    var waiting: [Int: [Int]] = [:]
    for (place, node) in listing.nodes.enumerated() {
      for input in Set(node.inputs) where input >= 0 && makers[input] {
        missing[place] += 1
        waiting[input, default: []].append(place)
      }
    }
    var ready: [Bool: [Int]] = [true: [], false: []]
    for place in listing.nodes.indices where missing[place] == 0 {
      ready[isTaken[place], default: []].append(place)
    }
    var done = 0
    // The part of the operator that comes first begins; then the kinds take turns.
    var kind = (ready[true]?.min() ?? .max) < (ready[false]?.min() ?? .max)
    while let first = ready[kind], !first.isEmpty {
      var queue = first
      ready[kind] = []
      var nodes: [Int] = []
      while let place = queue.popLast() {
        nodes.append(place)
        for output in Set(listing.nodes[place].outputs) where output >= 0 {
          for other in waiting[output] ?? [] where missing[other] > 0 {
            missing[other] -= 1
            guard missing[other] == 0 else { continue }
            if isTaken[other] == kind {
              queue.append(other)
            } else {
              ready[!kind, default: []].append(other)
            }
          }
        }
      }
      done += nodes.count
      parts.append(Part(isTaken: kind, nodes: nodes.sorted()))
      kind.toggle()
    }
    // In a damaged file operators may wait for each other: they are a part of their own.
    if done < listing.nodes.count {
      let seen = Set(parts.flatMap(\.nodes))
      let rest = listing.nodes.indices.filter { !seen.contains($0) }
      parts.append(Part(isTaken: false, nodes: rest))
    }
  }
}
