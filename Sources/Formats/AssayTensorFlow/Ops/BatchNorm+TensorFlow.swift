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
  if call.bool("is_training", default: true) { return try readBatchStatistics(call, &into) }
  let image = try into.image(call, 0)
  let parameters = try (1...4).map { try into.tensor(call, $0) }
  let op = BatchNorm(epsilon: call.float("epsilon", default: 1e-4))
  let result = try into.emitImage(call, op, [image] + parameters)
  return [result] + [TFValue](repeating: .unused, count: 5)
}

/// FusedBatchNorm by the statistics of what it gets: how Keras 2 normalizes the rows of a layer
/// normalization, which become channels for it.
private func readBatchStatistics(
  _ call: TFCall,
  _ into: inout TensorFlowImporter
) throws -> [TFValue] {
  let ids = try into.tensors(call)
  guard ids.count >= 3 else { throw call.missingInput(ids.count) }
  let shape = into.graph[ids[0]].type.shape
  guard shape.rank == 4 else { throw call.unsupported("an image of shape \(shape)") }
  let channels = call.isChannelsFirst ? 1 : 3
  let axes = (0..<4).filter { $0 != channels }
  let mean = try into.step(call, "mean", Reduce(.mean, axes: axes, keepsAxes: true), [ids[0]])
  let centered = try into.step(call, "centered", Binary(.subtract), [ids[0], mean])
  let squares = try into.step(call, "squares", Unary(.square), [centered])
  let variance = try into.step(
    call,
    "variance",
    Reduce(.mean, axes: axes, keepsAxes: true),
    [squares]
  )
  let epsilon = into.addNumber(call.float("epsilon", default: 1e-4), like: ids[0])
  let sum = try into.step(call, "sum", Binary(.add), [variance, epsilon])
  let inverse = try into.step(call, "inverse", Unary(.rsqrt), [sum])
  var result = try into.step(call, "normalized", Binary(.multiply), [centered, inverse])
  for (index, neutral, kind) in [(1, Float(1), Binary.Kind.multiply), (2, 0, .add)] {
    let parameter = ids[index]
    let constant = into.graph[parameter].constant
    if let constant, constant.floats().allSatisfy({ $0 == neutral }) { continue }
    var dims = [1, 1, 1, 1]
    dims[channels] = shape[channels]
    let row = try into.reshaped(call, parameter, to: dims, as: "parameter\(index)")
    result = try into.step(call, kind.rawValue, Binary(kind), [result, row])
  }
  return [.tensor(result)] + [TFValue](repeating: .unused, count: 5)
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

// MARK: - Export

extension BatchNorm: TensorFlowExportable {
  func write(_ node: TFNodeView, to file: inout TensorFlowExporter) throws -> [String] {
    let channels = node.input(0).shape[-1]
    let dtype = node.outputs[0].dtype
    func ones(_ value: Float, _ suffix: String) -> String {
      let row = Tensor([Float](repeating: value, count: channels), [channels])
      return file.constant(node, suffix, row.converted(to: dtype) ?? row)
    }
    let x = file.input(node, 0)
    let gamma = node.has(1) ? file.weight(node, 1, shape: [channels]) : ones(1, "gamma")
    let beta = node.has(2) ? file.weight(node, 2, shape: [channels]) : ones(0, "beta")
    let mean = file.weight(node, 3, shape: [channels])
    let variance = file.weight(node, 4, shape: [channels])
    if node.input(0).shape.rank == 4, dtype == .float32 {
      return [
        file.add(
          "FusedBatchNormV3",
          node.name,
          [x, gamma, beta, mean, variance],
          [
            "T": node.type, "U": .type(.float), "epsilon": .float(epsilon),
            "is_training": .bool(false), "data_format": .string("NHWC"),
          ]
        )
      ]
    }
    let type = ["T": node.type]
    let sum = file.step(node, "sum", "AddV2", [variance, file.scalar(epsilon, dtype)], type)
    let inverse = file.step(node, "inverse", "Rsqrt", [sum], type)
    let factor = file.step(node, "factor", "Mul", [inverse, gamma], type)
    let centered = file.step(node, "centered", "Sub", [x, mean], type)
    let scaled = file.step(node, "scaled", "Mul", [centered, factor], type)
    return [file.add("AddV2", node.name, [scaled, beta], type)]
  }
}
