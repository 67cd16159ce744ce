import AssayBase
import AssayFormat
import AssayGraph
import AssayTensor

// Normalizations over statistics of the network's own values, composed of means and products.

extension GraphImporter {
  /// Mean, the value less its mean, and the variance (of the population) over axes, which stay with
  /// extent 1.
  mutating func moments(
    _ call: OperatorCall,
    _ x: ValueID,
    _ axes: [Int]
  ) throws -> (mean: ValueID, centered: ValueID, variance: ValueID) {
    let mean = try reduced(call, .mean, x, axes)
    let centered = try binary(call, .subtract, x, mean)
    let variance = try reduced(call, .mean, try unary(call, .square, centered), axes)
    return (mean, centered, variance)
  }

  /// The value with mean 0 and variance 1 over axes.
  fileprivate mutating func normalized(
    _ call: OperatorCall,
    _ x: ValueID,
    _ axes: [Int],
    epsilon: Double
  ) throws -> (result: ValueID, mean: ValueID, inverse: ValueID) {
    let (mean, centered, variance) = try moments(call, x, axes)
    let inverse = try unary(call, .rsqrt, try binary(call, .add, variance, epsilon))
    return (try binary(call, .multiply, centered, inverse), mean, inverse)
  }

  /// The value in the type of statistics (`stash_type`): float32 for narrower floats.
  fileprivate mutating func stashed(_ call: OperatorCall, _ x: ValueID) throws -> ValueID {
    let isNarrow = dtype(x).bitWidth < 32 && call.int("stash_type", default: 1) == 1
    return isNarrow ? try cast(call, x, .float32) : x
  }
}

let normalizationReaders: [String: ONNXReader] = [
  "LayerNormalization": { call, into in try readLayerNormalization(call, &into) },
  "RMSNormalization": readRMSNormalization, "SimplifiedLayerNormalization": readRMSNormalization,
  "InstanceNormalization": { call, into in
    let x = try into.plain(call.input(0))
    let shape = into.shape(x)
    guard shape.rank >= 3 else { throw call.unsupported("\(shape)") }
    let epsilon = Double(call.float("epsilon") ?? 1e-5)
    let made = try into.normalized(call, x, Array(2..<shape.rank), epsilon: epsilon)
    try concludeChannels(call, made.result, &into)
  },
  "GroupNormalization": readGroupNormalization,
  "MeanVarianceNormalization": { call, into in
    let x = try into.plain(call.input(0))
    let axes = call.ints("axes") ?? [0, 2, 3]
    let (_, centered, variance) = try into.moments(call, x, axes)
    let deviation = try into.unary(call, .sqrt, variance)
    let guarded = try into.binary(call, .add, deviation, 1e-9)
    into.conclude(call, try into.binary(call, .divide, centered, guarded))
  },
  "LpNormalization": { call, into in
    let x = try into.plain(call.input(0))
    let axis = try into.axis(call, into.shape(x), default: -1)
    let isFirst = call.int("p", default: 2) == 1
    let sum = try into.reduced(call, .sum, into.unary(call, isFirst ? .abs : .square, x), [axis])
    let norm = isFirst ? sum : try into.unary(call, .sqrt, sum)
    into.conclude(call, try into.binary(call, .divide, x, norm))
  },
]

/// Scale and bias (inputs 1 and 2) of each channel, then the end of the call.
private func concludeChannels(
  _ call: OperatorCall,
  _ x: ValueID,
  _ into: inout GraphImporter
) throws {
  let shape = into.shape(x)
  let dims = shape.dims.indices.map { $0 == 1 ? shape[1] : 1 }
  let scale = try into.reshaped(call, into.plain(call.input(1)), dims)
  let offset = try into.reshaped(call, into.plain(call.input(2)), dims)
  let scaled = try into.binary(call, .multiply, x, scale)
  into.conclude(call, try into.binary(call, .add, scaled, offset))
}

/// LayerNormalization; further outputs are the mean and the inverse deviation.
///
/// - Parameters:
///   - x: what is normalized; the call's input 0, if `nil`.
///   - parameters: the positions of scale and bias among the call's inputs.
func readLayerNormalization(
  _ call: OperatorCall,
  _ into: inout GraphImporter,
  of given: ValueID? = nil,
  parameters: (scale: Int, bias: Int) = (1, 2)
) throws {
  let source = try given ?? into.plain(call.input(0))
  let shape = into.shape(source)
  let axis = try into.axis(call, shape, default: -1)
  if given == nil, try readWholly(call, source, axis, &into) { return }
  let x = try into.stashed(call, source)
  let epsilon = Double(call.float("epsilon") ?? 1e-5)
  let made = try into.normalized(call, x, Array(axis..<shape.rank), epsilon: epsilon)
  var result = try into.cast(call, made.result, into.dtype(source))
  let scale = try into.plain(call.input(parameters.scale))
  result = try into.binary(call, .multiply, result, scale)
  if call.has(parameters.bias) {
    let offset = try into.plain(call.input(parameters.bias))
    result = try into.binary(call, .add, result, offset)
  }
  into.conclude(call, result)
  into.conclude(call, made.mean, output: 1)
  into.conclude(call, made.inverse, output: 2)
}

/// As one operator, where rows lie along the last axis and nothing but the result is asked for.
///
/// - Returns: whether that was so.
private func readWholly(
  _ call: OperatorCall,
  _ x: ValueID,
  _ axis: Int,
  _ into: inout GraphImporter
) throws -> Bool {
  let shape = into.shape(x)
  guard axis == shape.rank - 1, into.dtype(x) == .float32, call.node.outputs.count == 1 else {
    return false
  }
  let scale = try into.plain(call.input(1))
  let offset = try call.has(2) ? into.plain(call.input(2)) : nil
  guard [scale, offset].allSatisfy({ $0.map { into.shape($0).dims == [shape[-1]] } ?? true }) else {
    return false
  }
  let op = LayerNorm(epsilon: call.float("epsilon") ?? 1e-5)
  try into.define(call, op, [x, scale, offset])
  return true
}

private func readRMSNormalization(_ call: OperatorCall, _ into: inout GraphImporter) throws {
  let source = try into.plain(call.input(0))
  let shape = into.shape(source)
  let axis = try into.axis(call, shape, default: -1)
  let x = try into.stashed(call, source)
  let squares = try into.unary(call, .square, x)
  let mean = try into.reduced(call, .mean, squares, Array(axis..<shape.rank))
  let epsilon = Double(call.float("epsilon") ?? 1e-5)
  let inverse = try into.unary(call, .rsqrt, into.binary(call, .add, mean, epsilon))
  let made = try into.cast(call, into.binary(call, .multiply, x, inverse), into.dtype(source))
  let scale = try into.plain(call.input(1))
  into.conclude(call, try into.binary(call, .multiply, made, scale))
  into.conclude(call, inverse, output: 1)
}

/// GroupNormalization: scale and bias belong to groups before operator set 21, to channels since.
private func readGroupNormalization(_ call: OperatorCall, _ into: inout GraphImporter) throws {
  let source = try into.plain(call.input(0))
  let shape = into.shape(source)
  let groups = call.int("num_groups", default: 0)
  guard shape.rank >= 2, groups > 0, shape[1] % groups == 0 else {
    throw call.unsupported("\(groups) groups of \(shape)")
  }
  let rest = Array(shape.dims.dropFirst(2))
  let dims = [shape[0], groups, shape[1] / groups] + rest
  let x = try into.reshaped(call, into.stashed(call, source), dims)
  let epsilon = Double(call.float("epsilon") ?? 1e-5)
  let made = try into.normalized(call, x, Array(2..<dims.count), epsilon: epsilon)
  let result = try into.cast(call, made.result, into.dtype(source))
  guard call.opset < 21 else {
    try concludeChannels(call, try into.reshaped(call, result, shape.dims), &into)
    return
  }
  let spread = [1, groups] + [Int](repeating: 1, count: dims.count - 2)
  let scale = try into.reshaped(call, into.plain(call.input(1)), spread)
  let offset = try into.reshaped(call, into.plain(call.input(2)), spread)
  let scaled = try into.binary(call, .multiply, result, scale)
  let moved = try into.binary(call, .add, scaled, offset)
  into.conclude(call, try into.reshaped(call, moved, shape.dims))
}
