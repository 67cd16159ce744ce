import AssayBase
import AssayGraph
import AssayTensor

extension KerasLayerKind {
  /// Embedding.
  static let embedding: [String: KerasLayerKind] = [
    "Embedding": KerasLayerKind(
      weights: { _ in KerasWeightNames(trained: ["embeddings"]) },
      check: { layer in
        try layer.require("lora_rank", toBe: .null)
        try layer.require("quantization_mode", toBe: .null)
      },
      emit: { context, inputs in
        let x = try context.only(inputs)
        let indices =
          context.type(x).dtype.isInteger ? x : try context.node("cast", Cast(.int32), [x])
        let table = try context.weight("embeddings")
        let y = try context.node("gather", Gather(axis: 0), [table, indices])
        if try context.layer.bool("mask_zero", default: false), context.shape(x).rank == 2 {
          let zero = try context.integer(0, like: indices)
          context.masks[y] = try context.node("mask", Binary(.notEqual), [indices, zero])
        }
        return y
      }
    ),
    "ReversibleEmbedding": KerasLayerKind(
      weights: { layer in
        let isTied = try layer.bool("tie_weights", default: true)
        return KerasWeightNames(trained: ["embeddings"] + (isTied ? [] : ["reverse_embeddings"]))
      },
      emit: { context, inputs in
        let x = try context.only(inputs)
        guard context.flag("reverse", at: 1) ?? false else {
          let indices =
            context.type(x).dtype.isInteger ? x : try context.node("cast", Cast(.int32), [x])
          let table = try context.weight("embeddings")
          return try context.node("gather", Gather(axis: 0), [table, indices])
        }
        guard context.layer["logit_soft_cap"] == nil else {
          throw context.layer.unsupported("logit_soft_cap", "a bound on the logits")
        }
        let isTied = try context.layer.bool("tie_weights", default: true)
        // The table is [words, features], what the graph's dense layer takes.
        let weights =
          isTied
          ? try context.weight("embeddings")
          : try context.weight("reverse_embeddings") { try $0.permutedWeight([1, 0]) }
        return try context.node("logits", FullyConnected(), [context.float(x), weights])
      }
    ),
  ]
}

extension KerasContext {
  /// A whole number of the element type of a value.
  mutating func integer(_ number: Int32, like x: ValueID) throws -> ValueID {
    let dtype = type(x).dtype
    return try constant("\(number)/\(dtype.rawValue)") {
      guard let tensor = Tensor([number], []).converted(to: dtype) else {
        throw Diagnostic("KER006", "numbers of type \(dtype.rawValue) are not imported here")
      }
      return tensor
    }
  }
}
