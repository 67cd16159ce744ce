import AssayBase
import AssayGraph
import AssayReference
import AssayTensor

extension StepBuilder {
  /// The step of an operator that has no kernel here: the reference computes it.
  ///
  /// - Throws: `Diagnostic` EVL011 when the reference does not know it either.
  func referenceStep() throws -> () throws -> Void {
    let op = node.op
    guard ReferenceEvaluator.canEvaluate(op) else {
      throw Diagnostic(
        "EVL011",
        "operator '\(op.name)' cannot be computed",
        remedy: "run the model on a runtime that has this operator"
      )
    }
    let operands = try node.inputs.enumerated().map { index, id -> (() -> Tensor)? in
      guard let id else { return nil }
      if let constant = store.graph[id].constant { return { constant } }
      let value = BoundValue(type: try type(index), buffer: try input(index))
      return { value.tensor() }
    }
    let (outputs, types) = (outputs, outputs.map(\.type))
    return {
      let results = try ReferenceEvaluator.evaluate(op, operands.map { $0?() }, as: types)
      for (output, result) in zip(outputs, results) { try output.fill(result) }
    }
  }
}
