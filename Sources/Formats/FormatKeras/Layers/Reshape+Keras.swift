import AssayBase
import AssayGraph
import AssayTensor

extension KerasLayerKind {
  /// Layers that arrange elements anew.
  static let shapes: [String: KerasLayerKind] = [
    "Flatten": KerasLayerKind(
      emit: { context, inputs in
        var x = try context.only(inputs)
        // Channels come last in what is flattened.
        if try context.hasChannelsFirst() { x = try context.channelsLast(x) }
        let shape = context.shape(x)
        let rest = Shape(Array(shape.dims.dropFirst()))
        // Without elements, -1 could not be found.
        return try context.node("flatten", Reshape([shape[0], rest.count]), [x])
      }
    ),
    "Reshape": KerasLayerKind(
      check: { _ = try $0.ints("target_shape") },
      emit: { context, inputs in
        let x = try context.only(inputs)
        let target = try context.layer.ints("target_shape")
        return try context.node("reshape", Reshape([context.shape(x)[0]] + target), [x])
      }
    ),
    "Permute": KerasLayerKind(
      check: { _ = try $0.ints("dims") },
      emit: { context, inputs in
        let x = try context.only(inputs)
        return try context.node("permute", Transpose([0] + context.layer.ints("dims")), [x])
      }
    ),
    "RepeatVector": KerasLayerKind(
      check: { layer in
        guard (1..<1 << 16).contains(try layer.int("n")) else {
          throw layer.unsupported("n", "the number of repetitions")
        }
      },
      emit: { context, inputs in
        let x = try context.image(inputs, rank: 2)
        let dims = context.shape(x).dims
        let count = try context.layer.int("n")
        let row = try context.node("expand", Reshape([dims[0], 1, dims[1]]), [x])
        let ones = context.constant("ones") {
          Tensor([Float](repeating: 1, count: count), [1, count, 1])
        }
        return try context.node("repeat", Binary(.multiply), [row, ones])
      }
    ),
  ]
}
