import AssayBase
import AssayGraph
import AssayTensor

extension KerasLayerKind {
  /// Dense.
  static let dense: [String: KerasLayerKind] = [
    "Dense": KerasLayerKind(
      weights: { KerasWeightNames(trained: try ["kernel"] + $0.biasNames) },
      check: { layer in
        try layer.checkActivation()
        try layer.require("lora_rank", toBe: .null)
        try layer.require("quantization_mode", toBe: .null)
      },
      emit: { context, inputs in
        let x = try context.image(inputs)
        // Keras: [inputs, outputs]; the graph: outputs first.
        let weights = try context.weight("kernel") { try $0.permutedWeight([1, 0]) }
        let op = FullyConnected(activation: context.layer.fusedActivation)
        return try context.activated(
          context.node("matmul", op, [x, weights, context.bias()])
        )
      }
    )
  ]
}
