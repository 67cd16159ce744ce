import AssayBase
import AssayGraph
import AssayTensor

extension KerasLayerKind {
  /// Embedding.
  static let embedding: [String: KerasLayerKind] = [
    "Embedding": KerasLayerKind(
      weights: { _ in KerasWeightNames(trained: ["embeddings"]) },
      check: { layer in
        try layer.require("mask_zero", toBe: false)
        try layer.require("lora_rank", toBe: .null)
        try layer.require("quantization_mode", toBe: .null)
      },
      emit: { context, inputs in
        let x = try context.only(inputs)
        let indices =
          context.type(x).dtype.isInteger ? x : try context.node("cast", Cast(.int32), [x])
        let table = try context.weight("embeddings")
        return try context.node("gather", Gather(axis: 0), [table, indices])
      }
    )
  ]
}
