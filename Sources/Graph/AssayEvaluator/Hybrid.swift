import AssayGraph
import AssayKernels
import AssayTensor

/// Whose kernels for weights in 8 bits under float values are followed: they differ in how they round
/// the values.
public enum HybridKernels: Sendable {
  /// LiteRT: convolutions round each image, dense layers each row, to asymmetric int8 over its own
  /// range.
  case liteRT
  /// ONNX Runtime and OpenVINO, for the .onnx files that are written here: dense layers round all of
  /// their input together (DynamicQuantizeLinear), convolutions compute in floats.
  case onnx
  /// Values stay as they are; weights alone are rounded.
  case none

  /// How a node's input is rounded before its kernel; `nil` where it is not.
  func rounding(_ node: Node, _ types: [TensorType], isConstant: [Bool]) -> HybridRounding? {
    guard self != .none, node.inputs.count > 1, let input = node.inputs[0],
      let filter = node.inputs[1], types[input.index].dtype == .float32,
      !isConstant[input.index], types[filter.index].quantization != nil,
      types[filter.index].dtype.isInteger, types[filter.index].dtype.bitWidth <= 8
    else { return nil }
    let shape = types[input.index].shape
    let count = shape.count
    guard count > 0 else { return nil }
    switch node.op {
    case is Conv2D, is DepthwiseConv2D:
      guard self == .liteRT else { return nil }
      return HybridRounding(input: input, count: count, part: count / max(shape[0], 1))
    case is FullyConnected:
      let row = max(types[filter.index].shape.dims.last ?? 1, 1)
      return HybridRounding(input: input, count: count, part: self == .liteRT ? row : count)
    default: return nil
    }
  }
}

/// The rounding of a node's input to 8 bits while the network runs.
struct HybridRounding {
  /// The value that is rounded.
  var input: ValueID
  /// Its elements.
  var count: Int
  /// How many consecutive elements share a scale.
  var part: Int

  /// Rounds each part to the 256 levels over its own range, which includes zero.
  func round(_ source: FloatBuffer, into target: FloatBuffer, _ kernels: Kernels) {
    var start = 0
    while start < count {
      let length = min(part, count - start)
      let (from, to) = (source.part(start, length), target.part(start, length))
      start += length
      let seen = kernels.range(from)
      let (low, high) = (min(seen.low, 0), max(seen.high, 0))
      let step = (high - low) / 255
      guard seen.faults == 0, step.isNormal else {
        to.copy(from)
        continue
      }
      // The zero point is the level next to the end of the range that fits it better.
      let (fromLow, fromHigh) = (-128 - low / step, 127 - high / step)
      let isLow = 128 + (low / step).magnitude < 127 + (high / step).magnitude
      let zero = (isLow ? fromLow : fromHigh).rounded()
      kernels.roundTrip(
        from,
        into: to,
        scale: step,
        zeroPoint: Int32(min(max(zero, -128), 127)),
        low: -128,
        high: 127
      )
    }
  }
}
