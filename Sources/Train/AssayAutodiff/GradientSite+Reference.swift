import AssayBase
import AssayGraph
import AssayKernels
import AssayReference
import AssayTensor

extension GradientSite {
  /// The step of an operator through which no gradient has to pass: the reference computes it.
  ///
  /// - Throws: `Diagnostic` TRN005 when the reference does not know it either.
  func referenceStep() throws -> GradientStep {
    let op = node.op
    guard ReferenceEvaluator.canEvaluate(op) else {
      throw Diagnostic("TRN005", "operator '\(op.name)' cannot be computed")
    }
    let operands = zip(inputs, inputTypes).map { buffer, type -> (() -> Tensor)? in
      guard let buffer, let type else { return nil }
      return {
        let floats = Tensor(buffer.array, type.shape)
        return type.dtype == .float32 ? floats : floats.converted(to: type.dtype) ?? floats
      }
    }
    let (outputs, types) = (outputs, outputTypes)
    return GradientStep(forward: {
      let results = try ReferenceEvaluator.evaluate(op, operands.map { $0?() }, as: types)
      for (output, result) in zip(outputs, results) {
        let floats = result.floats()
        for index in 0..<min(floats.count, output.count) { output[index] = floats[index] }
      }
    })
  }
}
