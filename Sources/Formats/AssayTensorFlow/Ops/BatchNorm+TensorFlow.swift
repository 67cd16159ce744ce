import AssayBase
import AssayGraph
import AssayTensor

let batchNormReaders: [String: TFReader] = [
  "FusedBatchNorm": readFusedBatchNorm,
  "FusedBatchNormV2": readFusedBatchNorm,
  "FusedBatchNormV3": readFusedBatchNorm,
  "BatchNormWithGlobalNormalization": readGlobalBatchNorm,
]

/// FusedBatchNorm: x, scale, offset, mean, variance.
private func readFusedBatchNorm(
  _ call: TFCall,
  _ into: inout TensorFlowImporter
) throws -> [TFValue] {
  guard !call.bool("is_training", default: true) else {
    throw call.unsupported(
      "normalization by the statistics of a batch",
      remedy: "save the network for inference: with training or is_training set to False"
    )
  }
  let image = try into.image(call, 0)
  let parameters = try (1...4).map { try into.tensor(call, $0) }
  let op = BatchNorm(epsilon: call.float("epsilon", default: 1e-4))
  let result = try into.emitImage(call, op, [image] + parameters)
  return [result] + [TFValue](repeating: .unused, count: 5)
}

/// BatchNormWithGlobalNormalization: x, mean, variance, beta, gamma.
private func readGlobalBatchNorm(
  _ call: TFCall,
  _ into: inout TensorFlowImporter
) throws -> [TFValue] {
  let ids = try into.tensors(call)
  guard ids.count == 5 else { throw call.missingInput(ids.count) }
  let gamma = call.bool("scale_after_normalization") ? ids[4] : nil
  let op = BatchNorm(epsilon: call.float("variance_epsilon", default: 1e-3))
  return try into.emit(call, op, [ids[0], gamma, ids[3], ids[1], ids[2]])
}
