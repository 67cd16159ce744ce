import AssayBase
import AssayGraph
import AssayReference
import AssayTensor

extension Graph {
  /// The graph with every node that reads constants alone replaced by its result; IDs stay.
  ///
  /// Weights that a file keeps in 16 bits, or in another order, become plain float32 constants, which
  /// can be trained. Training operators stay.
  func folded() throws -> Graph {
    var result = self
    result.nodes.removeAll()
    for node in nodes {
      let isKnown = node.inputs.allSatisfy { id in id.map { result[$0].constant != nil } ?? true }
      guard isKnown, !node.inputs.isEmpty, !(node.op is any TrainingOperator),
        ReferenceEvaluator.canEvaluate(node.op)
      else {
        result.nodes.append(node)
        continue
      }
      let operands = node.inputs.map { $0.flatMap { result[$0].constant } }
      let tensors = try locating("node '\(node.name)' (\(node.op.name))") {
        try ReferenceEvaluator.evaluate(node.op, operands)
      }
      for (id, tensor) in zip(node.outputs, tensors) {
        result[id].constant = tensor
        result[id].type = tensor.type
      }
    }
    return result
  }

  /// The graph for `batch` samples at once; IDs stay.
  ///
  /// The first extents of the inputs are set, and all types are inferred anew. Where a node names the
  /// batch in its attributes (the shape of a reshape, the extents of a slice) it is replaced there.
  ///
  /// - Throws: `Diagnostic` TRN003 for a node whose outputs do not keep the batch in front.
  func rebatched(to batch: Int) throws -> Graph {
    guard batch > 0 else {
      throw Diagnostic("TRN003", "a batch of \(batch) samples is none", remedy: "use at least 1")
    }
    var result = self
    for id in inputs {
      guard !self[id].type.shape.dims.isEmpty else {
        throw Diagnostic(
          "TRN003",
          "the input has no axis for samples",
          at: ["input '\(self[id].name)'"]
        )
      }
      result[id].type.shape.dims[0] = batch
    }
    for (index, node) in nodes.enumerated() {
      try locating("node '\(node.name)' (\(node.op.name))") {
        let types = node.inputs.map { $0.map { result[$0].type } }
        let first = node.inputs.first.flatMap { $0 }
        let op = node.op.rebatched(
          from: first.map { self[$0].type.shape } ?? [],
          to: first.map { result[$0].type.shape } ?? [],
          output: node.outputs.first.map { self[$0].type.shape } ?? []
        )
        result.nodes[index].op = op
        for (id, type) in zip(node.outputs, try op.inferTypes(types)) {
          guard type.shape.isStatic, type.shape.elementCount != nil else {
            throw Diagnostic(
              "TRN003",
              "the extents \(type.shape) are not known",
              remedy: "give the model's open extents when it is imported"
            )
          }
          result[id].type.shape = type.shape
          result[id].type.dtype = type.dtype
        }
      }
    }
    return result
  }

  /// The graph without training operators: readers of their outputs read what they read.
  public func withoutTrainingOperators() -> Graph {
    var result = self
    var source: [ValueID: ValueID] = [:]
    func origin(_ id: ValueID) -> ValueID { source[id] ?? id }
    result.nodes = []
    for node in nodes {
      if node.op is any TrainingOperator, let input = node.inputs.first ?? nil,
        let output = node.outputs.first, !outputs.contains(output) || producesAlone(input)
      {
        source[output] = origin(input)
        continue
      }
      var kept = node
      kept.inputs = node.inputs.map { $0.map(origin) }
      result.nodes.append(kept)
    }
    result.outputs = outputs.map(origin)
    for (output, name) in outputNames {
      result.outputNames[output] = nil
      result.outputNames[origin(output)] = name
    }
    for output in outputs where origin(output) != output && outputNames[output] == nil {
      result.outputNames[origin(output)] = self[output].name
    }
    return result.compacted()
  }

  /// Whether a value may leave the graph in place of another: it is made by a node.
  private func producesAlone(_ id: ValueID) -> Bool { !inputs.contains(id) }
}

extension Operator {
  /// The operator for another number of samples; `old` and `new` are the shapes of its first input.
  func rebatched(from old: Shape, to new: Shape, output: Shape) -> any Operator {
    guard old != new, let before = old.dims.first, let after = new.dims.first else { return self }
    func scaled(_ extent: Int) -> Int {
      before > 0 && extent > 0 && extent % before == 0 ? extent / before * after : extent
    }
    switch self {
    case var reshape as Reshape:
      // Only where it names every extent; an open one takes what is left.
      if !reshape.shape.contains(-1), !reshape.shape.isEmpty {
        if before > 0 { reshape.shape[0] = scaled(reshape.shape[0]) } else { reshape.shape[0] = -1 }
      } else if let first = reshape.shape.first, first > 0, first == before, before != after {
        // The open extent must not take what belongs to the batch.
        reshape.shape[0] = after
      }
      return reshape
    case var slice as Slice where !slice.sizes.isEmpty:
      if slice.begin[0] == 0, slice.steps[0] == 1, slice.sizes[0] == before {
        slice.sizes[0] = after
      }
      return slice
    case var spread as BroadcastTo where spread.shape.count == old.rank && !spread.shape.isEmpty:
      if spread.shape[0] == before { spread.shape[0] = after }
      return spread
    default: return self
    }
  }
}
