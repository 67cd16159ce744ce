import AssayBase
import AssayFormat
import AssayGraph
import AssayTensor

let normalizationReaders: [String: ATenReader] = [
  "batch_norm": readBatchNorm, "_native_batch_norm_legit_no_training": readBatchNorm,
  "native_batch_norm": readBatchNorm, "cudnn_batch_norm": readBatchNorm,
  "_native_batch_norm_legit": readBatchNorm,
  "layer_norm": readLayerNorm, "native_layer_norm": readLayerNorm,
  "group_norm": { call, into in
    try readGroups(call, groups: call.int("num_groups"), &into)
  },
  "native_group_norm": { call, into in try readGroups(call, groups: call.int("group"), &into) },
  "instance_norm": { call, into in
    guard try call.bool("use_input_stats", default: true) else {
      try readBatchNorm(call, &into)
      return
    }
    let shape = try into.type(call.tensor("input")).shape
    guard shape.rank > 1 else { throw call.unsupported("\(shape)") }
    try readGroups(call, groups: shape[1], &into)
  },
  "rms_norm": { call, into in
    let (ids, areImages) = try into.lastAxes(call)
    let epsilon = into.addConstant(Float(try call.double("eps", default: 1.1920929e-07)))
    let squares = try into.step(call, "squares", Unary(.square), [ids])
    let average = Reduce(.mean, axes: [-1], keepsAxes: true)
    let mean = try into.step(call, "mean", average, [squares])
    let shifted = try into.step(call, "shifted", Binary(.add), [mean, epsilon])
    let factor = try into.step(call, "factor", Unary(.rsqrt), [shifted])
    guard let weight = try into.optional(call, "weight") else {
      try into.define(call, Binary(.multiply), [ids, factor], areImages: areImages)
      return
    }
    let scaled = try into.step(call, "scaled", Binary(.multiply), [ids, factor])
    try into.define(call, Binary(.multiply), [scaled, weight], areImages: areImages)
  },
  "softmax": { try readSoftmax($0, &$1) }, "_softmax": { try readSoftmax($0, &$1) },
  "_safe_softmax": { try readSoftmax($0, &$1) },
  "log_softmax": { try readLogSoftmax($0, &$1) }, "_log_softmax": { try readLogSoftmax($0, &$1) },
]

private func readBatchNorm(_ call: ATenCall, _ into: inout ProgramImporter) throws {
  if !call.has("running_mean"), try call.bool("training", default: true) {
    try readBatchStatistics(call, &into)
    return
  }
  guard !(try call.bool("training")) else {
    throw call.unsupported(
      "training",
      remedy: "call model.eval() before torch.export.export"
    )
  }
  let input = try call.tensor("input")
  let shape = try into.type(input).shape
  guard let mean = try into.optional(call, "running_mean"),
    let variance = try into.optional(call, "running_var"), shape.rank >= 2
  else { throw call.unsupported("statistics of the batch") }
  let first = call.with([:], outputs: [call.output])
  let op = BatchNorm(epsilon: Float(try call.double("eps", default: 1e-5)))
  let parameters = [
    try into.optional(call, "weight"), try into.optional(call, "bias"), mean, variance,
  ]
  if shape.rank == 4 {
    try into.defineImage(first, op, [try into.image(input)] + parameters)
    return
  }
  if shape.rank == 2 {
    try into.define(first, op, [try into.plain(input)] + parameters)
    return
  }
  // The channels become the last axis.
  let order = [0] + Array(2..<shape.rank) + [1]
  let back = [0, shape.rank - 1] + Array(1..<shape.rank - 1)
  let turned = try into.step(call, "turned", Transpose(order), [into.plain(input)])
  let normal = try into.step(call, "normal", op, [turned] + parameters)
  try into.define(first, Transpose(back), [normal])
}

/// Normalization by the statistics of what comes in (instance normalization, as it is decomposed).
private func readBatchStatistics(_ call: ATenCall, _ into: inout ProgramImporter) throws {
  let input = try call.tensor("input")
  let shape = try into.type(input).shape
  guard shape.rank >= 2 else { throw call.unsupported("\(shape)") }
  let x = try into.plain(input)
  let axes = [0] + Array(2..<shape.rank)
  let average = Reduce(.mean, axes: axes, keepsAxes: true)
  let epsilon = into.addConstant(Float(try call.double("eps", default: 1e-5)))
  let mean = try into.step(call, "mean", average, [x])
  let squares = try into.step(call, "squares", Binary(.squaredDifference), [x, mean])
  let variance = try into.step(call, "variance", average, [squares])
  let shifted = try into.step(call, "shifted", Binary(.add), [variance, epsilon])
  let factor = try into.step(call, "factor", Unary(.rsqrt), [shifted])
  let centred = try into.step(call, "centred", Binary(.subtract), [x, mean])
  var result = try into.step(call, "scaled", Binary(.multiply), [centred, factor])
  let column = Reshape([shape[1]] + [Int](repeating: 1, count: shape.rank - 2))
  for (key, kind) in [("weight", Binary.Kind.multiply), ("bias", .add)] {
    guard let id = try into.optional(call, key) else { continue }
    let parameter = try into.step(call, "\(key)/column", column, [id])
    result = try into.step(call, key, Binary(kind), [result, parameter])
  }
  try into.finish(call.with([:], outputs: [call.output]), result)
}

extension ProgramImporter {
  /// The input of a normalization over the last axes, which are one axis.
  fileprivate mutating func lastAxes(_ call: ATenCall) throws -> (ValueID, areImages: Bool) {
    let input = try call.tensor("input")
    let shape = try type(input).shape
    let normal = try call.ints("normalized_shape") ?? []
    guard normal.count == 1, shape.rank >= 1, normal == [shape[-1]] else {
      throw call.unsupported("normalized_shape \(normal) of \(shape)")
    }
    return (try plain(input), false)
  }
}

private func readLayerNorm(_ call: ATenCall, _ into: inout ProgramImporter) throws {
  let input = try call.tensor("input")
  let shape = try into.type(input).shape
  let normal = try call.ints("normalized_shape") ?? []
  guard !normal.isEmpty, shape.dims.suffix(normal.count) == normal[...] else {
    throw call.unsupported("normalized_shape \(normal) of \(shape)")
  }
  let op = LayerNorm(epsilon: Float(try call.double("eps", default: 1e-5)))
  let first = call.with([:], outputs: [call.output])
  var parameters = [try into.optional(call, "weight"), try into.optional(call, "bias")]
  let source = try into.plain(input)
  guard normal.count > 1 else {
    try into.define(first, op, [source] + parameters)
    return
  }
  let row = Shape(normal).count
  for index in parameters.indices {
    guard let id = parameters[index] else { continue }
    parameters[index] = try into.step(call, "row\(index)", Reshape([row]), [id])
  }
  let lead = Array(shape.dims.dropLast(normal.count))
  let rows = try into.step(call, "rows", Reshape(lead + [row]), [source])
  let result = try into.step(call, "normal", op, [rows] + parameters)
  try into.define(first, Reshape(shape.dims), [result])
}

/// Group normalization (Wu and He, 2018) over an image with its channels last: groups of neighbouring
/// channels and all pixels share mean and variance.
private func readGroups(
  _ call: ATenCall,
  groups: Int,
  _ into: inout ProgramImporter
) throws {
  let input = try call.tensor("input")
  let shape = try into.type(input).shape
  guard shape.rank >= 2, groups > 0, shape[1] % groups == 0 else {
    throw call.unsupported("\(groups) groups of \(shape)")
  }
  let first = call.with([:], outputs: [call.output])
  let channels = shape[1]
  let weight = try into.optional(call, "weight")
  let bias = try into.optional(call, "bias")
  let epsilon = into.addConstant(Float(try call.double("eps", default: 1e-5)))
  let isImage = shape.rank == 4
  var source = isImage ? try into.image(input) : try into.plain(input)
  if !isImage, shape.rank > 2 {
    let order = [0] + Array(2..<shape.rank) + [1]
    source = try into.step(call, "turned", Transpose(order), [source])
  }
  let last = into.graph[source].type.shape.dims
  let pixels = Shape(Array(last.dropFirst().dropLast())).count
  let grouped = Reshape([shape[0], pixels, groups, channels / groups])
  let x = try into.step(call, "grouped", grouped, [source])
  let average = Reduce(.mean, axes: [1, 3], keepsAxes: true)
  let mean = try into.step(call, "mean", average, [x])
  let squares = try into.step(call, "squares", Binary(.squaredDifference), [x, mean])
  let variance = try into.step(call, "variance", average, [squares])
  let shifted = try into.step(call, "shifted", Binary(.add), [variance, epsilon])
  let factor = try into.step(call, "factor", Unary(.rsqrt), [shifted])
  let centred = try into.step(call, "centred", Binary(.subtract), [x, mean])
  let scaled = try into.step(call, "scaled", Binary(.multiply), [centred, factor])
  var result = try into.step(call, "channels", Reshape(last), [scaled])
  if let weight { result = try into.step(call, "gamma", Binary(.multiply), [result, weight]) }
  if let bias { result = try into.step(call, "beta", Binary(.add), [result, bias]) }
  if isImage {
    try into.finish(first, result, isImage: true)
  } else if shape.rank > 2 {
    let back = [0, shape.rank - 1] + Array(1..<shape.rank - 1)
    try into.define(first, Transpose(back), [result])
  } else {
    try into.finish(first, result)
  }
}

private func readSoftmax(_ call: ATenCall, _ into: inout ProgramImporter) throws {
  let input = try call.tensor("self")
  let axis = try into.axis(call, "dim", of: input)
  let (id, along, isImage) = try into.alongAxis(input, axis)
  let float = try into.cast(id, to: .float32, call)
  try into.define(call, Softmax(axis: along), [float], areImages: isImage)
}

/// `x - max - log(sum(exp(x - max)))`.
private func readLogSoftmax(_ call: ATenCall, _ into: inout ProgramImporter) throws {
  let input = try call.tensor("self")
  let axis = try into.axis(call, "dim", of: input)
  let (id, along, isImage) = try into.alongAxis(input, axis)
  let most = try into.step(call, "max", Reduce(.max, axes: [along], keepsAxes: true), [id])
  let low = try into.step(call, "low", Binary(.subtract), [id, most])
  let power = try into.step(call, "exp", Unary(.exp), [low])
  let sum = try into.step(call, "sum", Reduce(.sum, axes: [along], keepsAxes: true), [power])
  let log = try into.step(call, "log", Unary(.log), [sum])
  try into.define(call, Binary(.subtract), [low, log], areImages: isImage)
}
