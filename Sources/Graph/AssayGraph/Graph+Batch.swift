import AssayBase
import AssayTensor

extension Graph {
  /// The network for `count` items at once; values and nodes keep their IDs.
  ///
  /// The first axis of every input is taken for that of the items, which an open extent may stand
  /// for. Every value that follows from an input keeps the items outermost: its first axis holds them,
  /// or them times something where a reshape has joined axes. That holds for networks of images and
  /// sequences; where an operator mixes the items or moves their axis, the network is refused by that
  /// operator's name. An operator that has the number of items among its attributes (a reshape, a
  /// slice) gets the new one, and a constant that stands beside items (a class token, a first state)
  /// is repeated for each of them.
  ///
  /// - Throws: `Diagnostic` GRF030 that names the input or the operator.
  public func batched(_ count: Int) throws -> Graph {
    guard count > 0 else {
      throw Diagnostic("GRF030", "a batch of \(count) items is none", remedy: "use at least 1")
    }
    guard let first = inputs.first, let items = self[first].type.shape.dims.first, items != 0,
      inputs.allSatisfy({ self[$0].type.shape.dims.first == items })
    else {
      throw Diagnostic(
        "GRF030",
        "the inputs have no first axis for the items of a batch: "
          + inputs.map { "'\(self[$0].name)' is \(self[$0].type)" }.joined(separator: ", ")
      )
    }
    guard count != items else { return self }
    var batching = Batching(self, from: items, to: count)
    for node in nodes { try batching.widen(node) }
    return batching.result
  }
}

/// One walk through a graph that makes room for another number of items.
private struct Batching {
  /// The graph as it was.
  let source: Graph
  /// Items so far; negative where they are open.
  let before: Int
  let after: Int
  /// The graph for the other number of items.
  var result: Graph
  /// The values that hold items.
  private var touched: Set<ValueID>

  init(_ graph: Graph, from before: Int, to after: Int) {
    source = graph
    self.before = before
    self.after = after
    result = graph
    result.nodes = []
    touched = Set(graph.inputs)
    for id in graph.inputs { result[id].type.shape.dims[0] = after }
  }

  /// Adds a node as it is for the new number of items.
  mutating func widen(_ node: Node) throws {
    var node = node
    defer { result.nodes.append(node) }
    guard node.inputs.contains(where: { $0.map(touched.contains) ?? false }) else { return }
    let place = "operator '\(node.name)' (\(node.op.name))"
    guard keepsItemsApart(node), let op = widened(node.op, of: node) else {
      throw fault("\(place) mixes the items of a batch, or moves their axis")
    }
    node.op = op
    try repeatConstants(of: &node)
    let types: [TensorType]
    do {
      types = try op.inferTypes(node.inputs.map { $0.map { result[$0].type } })
    } catch {
      throw fault("\(place) has the batch written into it", cause: "\(error)")
    }
    for (id, type) in zip(node.outputs, types) {
      guard isWidened(source[id].type.shape, type.shape) else {
        throw fault("\(place) mixes the items of a batch, or moves their axis")
      }
      result[id].type.shape = type.shape
      touched.insert(id)
    }
  }

  /// A first extent for the new number of items; `nil` when it holds no whole number of the old ones.
  private func widened(_ extent: Int) -> Int? {
    guard before > 0, extent >= 0 else { return extent < 0 ? extent : nil }
    let (result, overflow) = (extent / before).multipliedReportingOverflow(by: after)
    return extent % before == 0 && !overflow ? result : nil
  }

  /// Whether a shape is another one but for the number of items.
  private func isWidened(_ old: Shape, _ new: Shape) -> Bool {
    guard let first = new.dims.first, let known = old.dims.first, new.rank == old.rank,
      zip(old.dims, new.dims).dropFirst().allSatisfy({ $0 == $1 || $0 < 0 })
    else { return false }
    return before > 0 && known >= 0 ? first == widened(known) : first % after == 0
  }

  /// The operator with the new number of items among its attributes; `nil` where that cannot be.
  private func widened(_ op: any Operator, of node: Node) -> (any Operator)? {
    let shape = (node.inputs.first ?? nil).map { source[$0].type.shape } ?? []
    switch op {
    case var reshape as Reshape:
      guard let first = reshape.shape.first else { return nil }
      // An open extent takes what is left: the items, where it comes first.
      guard first >= 0 else { return reshape }
      if before > 0 {
        guard let extent = widened(first) else { return nil }
        reshape.shape[0] = extent
      } else if !reshape.shape.contains(-1) {
        reshape.shape[0] = -1
      }
      return reshape
    case var slice as Slice:
      guard slice.begin.first == 0, slice.steps.first == 1, slice.sizes.first == shape.dims.first,
        let extent = slice.sizes.first.flatMap(widened)
      else { return nil }
      slice.sizes[0] = extent
      return slice
    case var spread as BroadcastTo:
      guard spread.shape.count == shape.rank, spread.shape.first == shape.dims.first,
        let extent = spread.shape.first.flatMap(widened)
      else { return nil }
      spread.shape[0] = extent
      return spread
    default: return op
    }
  }

  /// Whether an operator leaves the first axis to the items, though its shapes might allow another
  /// reading.
  private func keepsItemsApart(_ node: Node) -> Bool {
    func isTouched(_ position: Int) -> Bool {
      node.inputs.indices.contains(position) && node.inputs[position].map(touched.contains) ?? false
    }
    let shape = (node.inputs.first ?? nil).map { source[$0].type.shape } ?? []
    func isFirst(_ axis: Int) -> Bool { isTouched(0) && shape.normalized(axis: axis) == 0 }
    switch node.op {
    case is SpaceToBatch, is BatchToSpace, is SegmentReduce, is ScatterND, is NonMaxSuppression,
      is RoIAlign:
      return false
    case let op as Transpose: return op.permutation.first == 0
    case let op as Tile: return op.repeats.first == 1
    case let op as ArgReduce: return !isFirst(op.axis)
    case let op as Concat: return shape.normalized(axis: op.axis) != 0
    case let op as CumulativeSum: return !isFirst(op.axis)
    case let op as Gather: return !isFirst(op.axis)
    case let op as GatherElements: return !isFirst(op.axis)
    case let op as GatherND: return !isTouched(0) || op.batchAxes > 0
    case let op as LogSoftmax: return !isFirst(op.axis)
    case let op as Softmax: return !isFirst(op.axis)
    case let op as Split: return !isFirst(op.axis)
    case let op as ScatterElements: return !isFirst(op.axis)
    case let op as Reduce: return !op.axes.contains(where: isFirst)
    case let op as Reverse: return !op.axes.contains(where: isFirst)
    case let op as ReverseSequence: return !isFirst(op.timeAxis)
    case is TopK, is LayerNorm: return shape.rank > 1
    case is BandPart: return shape.rank > 2
    case is FullyConnected, is Conv2D, is DepthwiseConv2D, is TransposeConv2D: return !isTouched(1)
    case is Recurrent: return true
    case is MatMul:
      guard !isTouched(1) || (node.inputs[1].map { source[$0].type.shape.rank } ?? 0) > 2 else {
        return false
      }
    default: break
    }
    // Broadcast against one another, items of another rank would meet what is none.
    let ranks = node.inputs.compactMap { $0 }.filter(touched.contains).map {
      source[$0].type.shape.rank
    }
    return ranks.allSatisfy { $0 == ranks.first }
  }

  /// Repeats the constants that stand beside single items.
  private mutating func repeatConstants(of node: inout Node) throws {
    guard before == 1 else { return }
    let positions =
      switch node.op {
      case is Concat: Array(node.inputs.indices)
      case is Recurrent:
        [Recurrent.Input.initialOutput, .initialCell, .mask].map(\.rawValue)
          .filter(node.inputs.indices.contains)
      default: [Int]()
      }
    for position in positions {
      guard let id = node.inputs[position], !touched.contains(id),
        result[id].type.shape.dims.first == 1
      else { continue }
      var dims = result[id].type.shape.dims
      dims[0] = after
      let name = "\(node.name)/each\(position)"
      node.inputs[position] = try result.addNode(name, BroadcastTo(dims), [id])[0]
    }
  }

  private func fault(_ reason: String, cause: String? = nil) -> Diagnostic {
    Diagnostic(
      "GRF030",
      "this network cannot be written for another batch: \(reason)",
      remedy: "export it from its source for that batch",
      cause: cause
    )
  }
}
