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

  /// The graph for `batch` samples at once, with every extent known; IDs stay.
  ///
  /// - Throws: `Diagnostic` TRN003 for a node that mixes the samples, or an extent that is open.
  func forTraining(batch: Int) throws -> Graph {
    let result: Graph
    do {
      result = try batched(batch)
    } catch let fault as Diagnostic {
      throw Diagnostic(
        "TRN003",
        "the network cannot be trained on \(batch) samples at once",
        remedy:
          "train on as many at once as its inputs hold (\(samplesText)), or import it from its "
          + "source",
        cause: [fault.summary, fault.cause].compactMap { $0 }.joined(separator: ": ")
      )
    }
    for node in result.nodes {
      for id in node.outputs where result[id].type.shape.elementCount == nil {
        throw Diagnostic(
          "TRN003",
          "the extents \(result[id].type.shape) are not known",
          at: ["node '\(node.name)' (\(node.op.name))"],
          remedy: "give the model's open extents when it is imported"
        )
      }
    }
    return result
  }

  private var samplesText: String {
    inputs.first.flatMap { self[$0].type.shape.dims.first }.map { $0 < 0 ? "any" : "\($0)" } ?? "1"
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
