import AssayBase
import AssayGraph
import AssayTensor

extension KerasLayerKind {
  /// Masking: steps whose features all have one value do not count, and become zeros.
  static let masking: [String: KerasLayerKind] = [
    "Masking": KerasLayerKind(
      check: { _ = try $0.float("mask_value", default: 0) },
      emit: { context, inputs in
        let x = try context.image(inputs)
        let rank = context.shape(x).rank
        guard rank > 1 else { throw Diagnostic("KER006", "the layer takes sequences") }
        let absent = context.scalar(try context.layer.float("mask_value", default: 0))
        let differs = try context.node("differs", Binary(.notEqual), [x, absent])
        let numbers = try context.node("numbers", Cast(.float32), [differs])
        let any = try context.node(
          "any",
          Reduce(.max, axes: [rank - 1], keepsAxes: true),
          [numbers]
        )
        let y = try context.node("masked", Binary(.multiply), [x, any])
        if rank == 3 {
          let steps = try context.node("steps", Reshape(context.shape(x).dims.dropLast()), [any])
          context.masks[y] = try context.node(
            "mask",
            Binary(.greater),
            [steps, context.scalar(0.5)]
          )
        }
        return y
      }
    )
  ]
}

extension KerasContext {
  /// Where both masks are true; the other one where one is absent.
  mutating func both(_ a: ValueID?, _ b: ValueID?) throws -> ValueID? {
    guard let a, let b else { return a ?? b }
    return a == b ? a : try node("both", Binary(.logicalAnd), [a, b])
  }

  /// Truth values that depend on places alone: `body` of each place of a shape.
  mutating func pattern(
    _ name: String,
    _ shape: Shape,
    _ body: (Int) -> Bool
  ) throws -> ValueID {
    guard let count = shape.elementCount, count < 1 << 26 else {
      throw Diagnostic("KER008", "the sequences are too long for a mask of \(shape)")
    }
    return constant(name) {
      Tensor((0..<shape.count).map { UInt8(body($0) ? 1 : 0) }, shape, dtype: .bool)
    }
  }
}
