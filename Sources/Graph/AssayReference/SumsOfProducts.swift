import AssayBase
import AssayGraph
import AssayTensor

/// Computes an operator whose outputs are sums of products of an input and weights, plus a bias for
/// each output channel (the last axis of the output), in the arithmetic that its types ask for.
///
/// - Real: input and weights are floats (or are dequantized); sums in double precision.
/// - Integer: input, weights and output are quantized. Sums of `(x - zero) * (w - zero)` are exact,
///   the bias is an integer of scale `input scale * weight scale`, the result is scaled by a
///   `FixedPointMultiplier` for each channel and clamped to the activation's bounds.
/// - Hybrid: floats meet weights quantized to 8 or 4 bits. Each of `groups` equal parts of the input
///   (an image, a row) is quantized to asymmetric int8 over its own range, which includes zero, as
///   TFLite's dynamic range kernels do; the bias is a float.
///
/// - Parameters:
///   - groups: parts of the input that are quantized on their own in hybrid arithmetic.
///   - accumulate: the sums for inputs and weights from which zero points have been taken.
func sumsOfProducts(
  _ arguments: Arguments,
  activation: Activation,
  groups: Int,
  accumulate: (_ x: [Double], _ weights: [Double]) -> [Double]
) throws -> [Tensor] {
  let x = try arguments.input(0)
  let weights = try arguments.input(1)
  let bias = arguments.optional(2)
  let type = arguments.output
  let channels = max(type.shape[-1], 1)

  if let input = x.quantization, let scales = weights.quantization, let output = type.quantization,
    x.dtype.isInteger, weights.dtype.isInteger, type.dtype.isInteger
  {
    let sums = accumulate(centered(x), centered(weights))
    let addends = bias?.integers() ?? [Int](repeating: 0, count: channels)
    let multipliers = (0..<channels).map { channel in
      FixedPointMultiplier(
        Double(input.scale) * Double(scale(scales, channel)) / Double(output.scale)
      )
    }
    let bounds = integerBounds(activation, type)
    let integers = sums.enumerated().map { index, sum in
      let channel = index % channels
      let scaled = multipliers[channel].apply(truncated(sum) + addends[channel])
      return clamp(scaled + Int(output.zeroPoint), to: bounds)
    }
    return [try tensor(integers: integers, type)]
  }

  let addends = bias?.reals ?? [Double](repeating: 0, count: channels)
  var sums: [Double]
  if x.dtype.isFloat, let scales = weights.quantization, weights.dtype.isInteger,
    weights.dtype.bitWidth <= 8
  {
    let (levels, steps) = dynamicallyQuantized(x.reals, groups: groups)
    // With a scale for each block the weights' sum is no integer times one scale.
    if scales.isBlockwise {
      let part = max(levels.count / max(groups, 1), 1)
      let rounded = levels.enumerated().map { $1 * steps[$0 / part] }
      return try finished(accumulate(rounded, weights.reals), addends, activation, type)
    }
    sums = accumulate(levels, centered(weights))
    let part = max(sums.count / max(groups, 1), 1)
    for index in sums.indices {
      sums[index] *= steps[index / part] * Double(scale(scales, index % channels))
    }
  } else {
    sums = accumulate(x.reals, weights.reals)
  }
  return try finished(sums, addends, activation, type)
}

/// Sums with the bias of their channel and the activation.
private func finished(
  _ sums: [Double],
  _ addends: [Double],
  _ activation: Activation,
  _ type: TensorType
) throws -> [Tensor] {
  let results = sums.enumerated().map { index, sum in
    activation.apply(sum + addends[index % max(addends.count, 1)])
  }
  return [try tensor(results, type)]
}

/// `value` brought into `bounds`.
func clamp(_ value: Int, to bounds: ClosedRange<Int>) -> Int {
  min(max(value, bounds.lowerBound), bounds.upperBound)
}

private func scale(_ quantization: Quantization, _ channel: Int) -> Float {
  quantization.scales.indices.contains(channel) && quantization.isPerChannel
    ? quantization.scales[channel] : quantization.scale
}

/// Quantized integers less their zero points.
private func centered(_ x: Tensor) -> [Double] {
  guard let quantization = x.quantization else { return x.integers().map { Double($0) } }
  guard quantization.isPerChannel, let axis = x.shape.normalized(axis: quantization.axis ?? 0)
  else { return x.integers().map { Double($0 - Int(quantization.zeroPoint)) } }
  let (inner, extent) = (x.shape.strides[axis], x.shape.dims[axis])
  return x.integers().enumerated().map { index, value in
    let channel = index / inner % extent
    let zero =
      quantization.zeroPoints.indices.contains(channel)
      ? quantization.zeroPoints[channel] : quantization.zeroPoint
    return Double(value - Int(zero))
  }
}

/// Each of `groups` parts as int8 levels (less their zero point) and the step between levels.
private func dynamicallyQuantized(
  _ x: [Double],
  groups: Int
) -> (levels: [Double], steps: [Double]) {
  let part = x.count / max(groups, 1)
  var levels: [Double] = []
  var steps: [Double] = []
  for group in 0..<max(groups, 1) {
    let values = x[group * part..<(group + 1) * part]
    let low = min(values.min() ?? 0, 0)
    let high = max(values.max() ?? 0, 0)
    let step = high > low ? (high - low) / 255 : 1
    // The zero point is the level next to the end of the range that fits it better.
    let fromLow = -128 - low / step
    let fromHigh = 127 - high / step
    let errorOfLow = 128 + abs(low / step)
    let errorOfHigh = 127 + abs(high / step)
    let zero = min(max((errorOfLow < errorOfHigh ? fromLow : fromHigh).rounded(), -128), 127)
    for value in values {
      let level = (value / step).rounded() + zero
      levels.append((level.isNaN ? zero : min(max(level, -128), 127)) - zero)
    }
    steps.append(step)
  }
  return (levels, steps)
}
