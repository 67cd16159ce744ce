import AssayBase
import AssayGraph
import AssayTensor

extension KerasLayerKind {
  /// Layers that bring several tensors together.
  static let merging: [String: KerasLayerKind] = {
    func chain(_ kind: Binary.Kind, exactly count: Int? = nil) -> KerasLayerKind {
      KerasLayerKind(emit: { context, inputs in
        guard inputs.count >= 2, count == nil || inputs.count == count else {
          throw Diagnostic("KER006", "the layer is called with \(inputs.count) tensors")
        }
        return try context.chained(kind, inputs)
      })
    }
    let average = KerasLayerKind(emit: { context, inputs in
      guard inputs.count >= 2 else {
        throw Diagnostic("KER006", "the layer is called with \(inputs.count) tensors")
      }
      let sum = try context.chained(.add, inputs)
      let share = context.scalar(1 / Float(inputs.count))
      return try context.node("average", Binary(.multiply), [sum, share])
    })
    let concatenate = KerasLayerKind(emit: { context, inputs in
      let axis = try context.layer.int("axis", default: -1)
      guard let first = inputs.first, axis != 0, axis != -context.shape(first).rank else {
        throw context.layer.unsupported("axis", "the axis of the batch")
      }
      guard inputs.count > 1 else { return first }
      let y = try context.node("concat", Concat(axis: axis), inputs)
      let rank = context.shape(y).rank
      if axis == -1 || axis == rank - 1 { try context.mergeMasks(inputs, into: y) }
      return y
    })
    // Of Keras's own InceptionResNetV2: the first tensor and a share of the second.
    let scaledSum = KerasLayerKind(
      check: { _ = try $0.float("scale") },
      emit: { context, inputs in
        guard inputs.count == 2 else { throw Diagnostic("KER006", "the layer takes two tensors") }
        let share = context.scalar(try context.layer.float("scale"))
        let part = try context.node("scale", Binary(.multiply), [inputs[1], share])
        return try context.node("sum", Binary(.add), [inputs[0], part])
      }
    )
    return [
      "Add": chain(.add), "Subtract": chain(.subtract, exactly: 2), "Multiply": chain(.multiply),
      "Maximum": chain(.maximum), "Minimum": chain(.minimum), "Average": average,
      "Concatenate": concatenate, "CustomScaleLayer": scaledSum,
    ]
  }()
}

extension KerasContext {
  /// `a op b op c …`; tensors of fewer axes get some after the batch, as Keras does it.
  fileprivate mutating func chained(_ kind: Binary.Kind, _ inputs: [ValueID]) throws -> ValueID {
    let rank = inputs.map { shape($0).rank }.max() ?? 0
    let aligned = try inputs.map { input in
      let dims = shape(input).dims
      guard dims.count < rank, let batch = dims.first else { return input }
      let ones = [Int](repeating: 1, count: rank - dims.count)
      return try node("expand", Reshape([batch] + ones + dims.dropFirst()), [input])
    }
    var result = aligned[0]
    for other in aligned.dropFirst() {
      result = try node("merge", Binary(kind), [result, other])
    }
    try mergeMasks(inputs, into: result)
    return result
  }

  /// A step counts where it counts in every input that has a mask.
  fileprivate mutating func mergeMasks(_ inputs: [ValueID], into result: ValueID) throws {
    var mask: ValueID?
    for input in inputs { mask = try both(mask, masks[input]) }
    if let mask { masks[result] = mask }
  }
}
