import AssayGraph
import AssayTensor

/// Merges a Transpose into the one before it, writes one that moves only axes of extent 1 as a
/// Reshape, and takes one before a flattened dense layer into the weights.
struct MergeTransposes: LocalPass {
  func rewrite(_ index: Int, of graph: GraphIndex, into patch: inout GraphPatch) {
    var node = graph.graph.nodes[index]
    guard let op = node.op as? Transpose, let input = node.inputs[0] else {
      absorb(index, of: graph, into: &patch)
      return
    }
    let shape = graph.graph[input].type.shape
    if let before = graph.producer(of: input), !patch.touches(before),
      let first = graph.graph.nodes[before].op as? Transpose,
      let source = graph.graph.nodes[before].inputs[0]
    {
      node.op = Transpose(op.permutation.map { first.permutation[$0] })
      node.inputs[0] = source
      patch.replace(index, with: [node])
    } else if shape.isStatic, movesOnlyOnes(op, shape) {
      node.op = Reshape(graph.graph[node.outputs[0]].type.shape.dims)
      patch.replace(index, with: [node])
    }
  }

  private func movesOnlyOnes(_ op: Transpose, _ shape: Shape) -> Bool {
    let others = op.permutation.filter { shape.dims[$0] != 1 }
    return others == others.sorted() && op.permutation != op.permutation.sorted()
  }

  /// FullyConnected(Reshape(Transpose(x))) -> FullyConnected(Reshape(x)) with its columns reordered.
  private func absorb(_ index: Int, of graph: GraphIndex, into patch: inout GraphPatch) {
    var node = graph.graph.nodes[index]
    guard node.op is FullyConnected, let linear = LinearWeights(node, graph),
      let (flat, reshape) = graph.soleProducer(of: node.inputs[0], patch), reshape.op is Reshape,
      let (_, transpose) = graph.soleProducer(of: reshape.inputs[0], patch),
      let op = transpose.op as? Transpose, op.permutation.first == 0,
      let source = transpose.inputs[0],
      let before = transpose.outputs.first
    else { return }
    let from = graph.graph[source].type.shape
    let columns = linear.weights.shape[1]
    let flattened = graph.graph[reshape.outputs[0]].type.shape
    guard from.isStatic, flattened == [from[0], columns],
      graph.graph[before].type.shape.count == flattened.count
    else { return }
    // Position of each element of the transposed tensor, row by row, in the original one.
    var positions = [0]
    for axis in op.permutation.dropFirst() {
      let stride = from.strides[axis]
      positions = positions.flatMap { base in (0..<from.dims[axis]).map { base + $0 * stride } }
    }
    let old = linear.weights.elements(as: Float.self)
    var new = [Float](repeating: 0, count: old.count)
    for row in 0..<linear.outputs {
      for (column, position) in positions.enumerated() {
        new[row * columns + position] = old[row * columns + column]
      }
    }
    node = linear.node(Tensor(new, linear.weights.shape), nil, graph.graph, into: &patch)
    var direct = reshape
    direct.inputs[0] = source
    patch.replace(flat, with: [direct])
    patch.replace(index, with: [node])
  }
}

/// Moves a Transpose behind operators that treat all axes alike, so that it meets its inverse.
struct SinkTransposes: LocalPass {
  func rewrite(_ index: Int, of graph: GraphIndex, into patch: inout GraphPatch) {
    let node = graph.graph.nodes[index]
    if let op = node.op as? Split {
      sinkSplit(index, op, graph, &patch)
      return
    }
    guard node.outputs.count == 1, graph.isFloat(node.outputs[0]) else { return }
    switch node.op {
    case is Unary, is LeakyReLU: sink(index, op: node.op, graph, &patch)
    case let op as Binary where !op.kind.isComparison: sinkBinary(index, op, graph, &patch)
    case let op as Concat: sinkConcat(index, op, graph, &patch)
    case var op as Softmax:
      guard let permutation = permutation(node.inputs[0], graph, patch),
        let axis = graph.graph[node.outputs[0]].type.shape.normalized(axis: op.axis)
      else { return }
      op.axis = permutation[axis]
      sink(index, op: op, graph, &patch)
    case var op as AssayGraph.Slice:
      guard let permutation = permutation(node.inputs[0], graph, patch) else { return }
      let (begin, sizes, steps) = (op.begin, op.sizes, op.steps)
      for (to, from) in permutation.enumerated() {
        (op.begin[from], op.sizes[from], op.steps[from]) = (begin[to], sizes[to], steps[to])
      }
      sink(index, op: op, graph, &patch)
    case let op as Conv2D where isPointwise(op, node, graph):
      // A window of one pixel sees no neighbours: pixels may stand in any order.
      guard permutation(node.inputs[0], graph, patch)?.last == 3 else { return }
      sink(index, op: op, graph, &patch)
    case let op as Reshape: sinkReshape(index, op, graph, &patch)
    case var op as Pad:
      // A Transpose of an input stays there, where whoever feeds the network can take it over.
      guard let permutation = permutation(node.inputs[0], graph, patch),
        source(node.inputs[0], graph, patch).map(graph.isInput) == false
      else { return }
      let (before, after) = (op.before, op.after)
      for (to, from) in permutation.enumerated() {
        op.before[from] = before[to]
        op.after[from] = after[to]
      }
      sink(index, op: op, graph, &patch)
    case let op as Reduce: sinkReduce(index, op, graph, &patch)
    default: return
    }
  }

  /// The permutation of the Transpose that makes `id` for one reader.
  private func permutation(_ id: ValueID?, _ graph: GraphIndex, _ patch: GraphPatch) -> [Int]? {
    (graph.soleProducer(of: id, patch)?.node.op as? Transpose)?.permutation
  }

  /// What the Transpose that makes `id` reads.
  private func source(_ id: ValueID?, _ graph: GraphIndex, _ patch: GraphPatch) -> ValueID? {
    guard let id, let index = graph.producer(of: id), !patch.touches(index),
      graph.graph.nodes[index].op is Transpose
    else { return nil }
    return graph.graph.nodes[index].inputs[0]
  }

  private func isPointwise(_ op: Conv2D, _ node: Node, _ graph: GraphIndex) -> Bool {
    guard let filter = node.inputs[1], let image = node.inputs[0] else { return false }
    let shape = graph.graph[filter].type.shape
    return op.strides == .one && shape[1] == 1 && shape[2] == 1
      && shape[3] == graph.graph[image].type.shape[3]
      && (op.padding == .valid || op.padding == .same)
  }

  private func sinkSplit(
    _ index: Int,
    _ op: Split,
    _ graph: GraphIndex,
    _ patch: inout GraphPatch
  ) {
    let node = graph.graph.nodes[index]
    guard let order = permutation(node.inputs[0], graph, patch),
      let source = source(node.inputs[0], graph, patch), graph.isFloat(source),
      let axis = graph.graph[source].type.shape.normalized(axis: op.axis)
    else { return }
    var parts: [ValueID] = []
    var turns: [Node] = []
    for (number, output) in node.outputs.enumerated() {
      var type = graph.graph[output].type
      guard type.shape.rank == order.count else { return }
      let outer = type.shape.dims
      for (to, from) in order.enumerated() { type.shape.dims[from] = outer[to] }
      let name = "\(node.name)/untransposed_\(number)"
      let part = patch.add(Value(name: name, type: type))
      parts.append(part)
      turns.append(
        Node(
          name: "\(node.name)/transpose_\(number)",
          op: Transpose(order),
          inputs: [part],
          outputs: [output]
        )
      )
    }
    var moved = node
    moved.op = Split(axis: order[axis], sizes: op.sizes)
    moved.inputs = [source]
    moved.outputs = parts
    patch.replace(index, with: [moved] + turns)
  }

  /// A Reshape that joins axes which are neighbours before the Transpose too, or cuts axes, may come
  /// first.
  private func sinkReshape(
    _ index: Int,
    _ op: Reshape,
    _ graph: GraphIndex,
    _ patch: inout GraphPatch
  ) {
    let node = graph.graph.nodes[index]
    guard let input = node.inputs[0], let order = permutation(input, graph, patch),
      let source = source(input, graph, patch)
    else { return }
    let before = graph.graph[input].type.shape
    let after = graph.graph[node.outputs[0]].type.shape
    guard before.isStatic, after.isStatic, before.dims.allSatisfy({ $0 > 0 }),
      let groups = AxisGroups(before.dims, after.dims)
    else { return }
    // Each group's axes, as the source has them: side by side and in order, but for those of one.
    var starts: [(from: Int, outer: Range<Int>)] = []
    for (inner, outer) in groups.pairs {
      let axes = inner.map { order[$0] }.filter { graph.graph[source].type.shape[$0] != 1 }
      if axes.isEmpty {
        guard outer.isEmpty || outer.allSatisfy({ after[$0] == 1 }) else { return }
        // Axes of one may stand anywhere: behind their neighbour.
        starts.append((inner.map { order[$0] }.min() ?? Int.max, outer))
        continue
      }
      guard axes == axes.sorted() else { return }
      let span = axes[0]...axes[axes.count - 1]
      guard
        span.allSatisfy({ axes.contains($0) || graph.graph[source].type.shape[$0] == 1 })
      else { return }
      starts.append((axes[0], outer))
    }
    let sorted = starts.enumerated().sorted {
      ($0.element.from, $0.offset) < ($1.element.from, $1.offset)
    }
    let arranged = sorted.flatMap { Array($0.element.outer) }
    guard arranged.count == after.rank, arranged != Array(arranged.indices) else { return }
    var type = graph.graph[node.outputs[0]].type
    type.shape = Shape(arranged.map { after[$0] })
    let inner = patch.add(Value(name: node.name + "/untransposed", type: type))
    let back = (0..<after.rank).compactMap { axis in arranged.firstIndex(of: axis) }
    patch.replace(
      index,
      with: [
        Node(
          name: node.name,
          op: Reshape(type.shape.dims),
          inputs: [source],
          outputs: [inner]
        ),
        Node(
          name: node.name + "/transpose",
          op: Transpose(back),
          inputs: [inner],
          outputs: node.outputs
        ),
      ]
    )
  }

  private func sink(
    _ index: Int,
    op: any Operator,
    _ graph: GraphIndex,
    _ patch: inout GraphPatch
  ) {
    let node = graph.graph.nodes[index]
    guard let order = permutation(node.inputs[0], graph, patch),
      let source = source(node.inputs[0], graph, patch)
    else { return }
    finish(index, op, [source] + node.inputs.dropFirst(), order, graph, &patch)
  }

  private func sinkBinary(
    _ index: Int,
    _ op: Binary,
    _ graph: GraphIndex,
    _ patch: inout GraphPatch
  ) {
    let node = graph.graph.nodes[index]
    let orders = node.inputs.map { id in
      id.flatMap { graph.producer(of: $0) }
        .flatMap { (graph.graph.nodes[$0].op as? Transpose)?.permutation }
    }
    let sources = node.inputs.map { source($0, graph, patch) }
    if let order = orders[0], order == orders[1], let a = sources[0], let b = sources[1] {
      finish(index, op, [a, b], order, graph, &patch)
      return
    }
    for (side, other) in [(0, 1), (1, 0)] {
      guard let order = permutation(node.inputs[side], graph, patch), let source = sources[side],
        let id = node.inputs[other], let tensor = graph.graph[id].constant,
        tensor.dtype == .float32, tensor.shape.rank <= order.count
      else { continue }
      let lead = [Int](repeating: 1, count: order.count - tensor.shape.rank)
      let full = tensor.reshaped(Shape(lead + tensor.shape.dims))
      let inverse = order.indices.compactMap { axis in order.firstIndex(of: axis) }
      guard let moved = full.permuted(inverse) else { continue }
      let constant = patch.add(
        Value(name: graph.graph[id].name, type: moved.type, constant: moved)
      )
      finish(index, op, side == 0 ? [source, constant] : [constant, source], order, graph, &patch)
      return
    }
  }

  private func sinkConcat(
    _ index: Int,
    _ op: Concat,
    _ graph: GraphIndex,
    _ patch: inout GraphPatch
  ) {
    let node = graph.graph.nodes[index]
    let orders = node.inputs.map { id in
      id.flatMap { graph.producer(of: $0) }
        .flatMap { (graph.graph.nodes[$0].op as? Transpose)?.permutation }
    }
    let sources = node.inputs.compactMap { source($0, graph, patch) }
    guard let order = orders.first ?? nil, orders.allSatisfy({ $0 == order }),
      sources.count == node.inputs.count,
      let axis = graph.graph[node.outputs[0]].type.shape.normalized(axis: op.axis)
    else { return }
    finish(index, Concat(axis: order[axis]), sources, order, graph, &patch)
  }

  private func sinkReduce(
    _ index: Int,
    _ op: Reduce,
    _ graph: GraphIndex,
    _ patch: inout GraphPatch
  ) {
    let node = graph.graph.nodes[index]
    guard let order = permutation(node.inputs[0], graph, patch),
      let source = source(node.inputs[0], graph, patch)
    else { return }
    let shape = graph.graph[source].type.shape
    var moved = op
    let axes = op.axes.compactMap { shape.normalized(axis: $0) }.map { order[$0] }
    moved.axes = axes.sorted()
    if op.keepsAxes {
      finish(index, moved, [source], order, graph, &patch)
      return
    }
    // The order of the axes that stay, counted among themselves.
    let staying = order.filter { !axes.contains($0) }
    let sorted = staying.sorted()
    let rest = staying.compactMap { sorted.firstIndex(of: $0) }
    if rest == rest.sorted() {
      var direct = node
      direct.op = moved
      direct.inputs = [source]
      patch.replace(index, with: [direct])
    } else {
      finish(index, moved, [source], rest, graph, &patch)
    }
  }

  /// Puts `op` on the sources and the Transpose after it.
  private func finish(
    _ index: Int,
    _ op: any Operator,
    _ sources: [ValueID?],
    _ order: [Int],
    _ graph: GraphIndex,
    _ patch: inout GraphPatch
  ) {
    let node = graph.graph.nodes[index]
    let output = node.outputs[0]
    var type = graph.graph[output].type
    guard type.shape.rank == order.count else { return }
    let outer = type.shape.dims
    for (to, from) in order.enumerated() { type.shape.dims[from] = outer[to] }
    let inner = patch.add(Value(name: node.name + "/untransposed", type: type))
    patch.replace(
      index,
      with: [
        Node(name: node.name, op: op, inputs: sources, outputs: [inner]),
        Node(
          name: node.name + "/transpose",
          op: Transpose(order),
          inputs: [inner],
          outputs: [output]
        ),
      ]
    )
  }
}

/// The axes of two shapes of as many elements, cut into the smallest runs that have as many each.
struct AxisGroups {
  /// Runs of the first shape and of the second.
  var pairs: [(Range<Int>, Range<Int>)] = []

  /// `nil` when the shapes do not have as many elements.
  ///
  /// - Precondition: no extent is less than one.
  init?(_ a: [Int], _ b: [Int]) {
    var (i, j) = (0, 0)
    while i < a.count || j < b.count {
      let (firstA, firstB) = (i, j)
      var (x, y) = (1, 1)
      if i < a.count {
        x = a[i]
        i += 1
      }
      if j < b.count {
        y = b[j]
        j += 1
      }
      while x != y {
        if x < y, i < a.count {
          x = x &* a[i]
          i += 1
        } else if y < x, j < b.count {
          y = y &* b[j]
          j += 1
        } else {
          return nil
        }
      }
      pairs.append((firstA..<i, firstB..<j))
    }
  }
}
