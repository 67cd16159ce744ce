import AssayBase
import AssayGraph
import AssayTensor

let quantizationReaders: [String: TFReader] = [
  "Cast": { call, into in
    guard let dtype = call.dtype("DstT") else { throw call.unsupported("this element type") }
    let x = try into.tensor(call, 0)
    if into.graph[x].type.dtype == dtype { return [.tensor(x)] }
    return try into.emit(call, Cast(dtype), [x])
  },
  "FakeQuantWithMinMaxArgs": { call, into in
    let range = (call.float("min", default: -6), call.float("max", default: 6))
    return try readFakeQuantization(call, &into, [range])
  },
  "FakeQuantWithMinMaxVars": readFakeQuantizationVars,
  "FakeQuantWithMinMaxVarsPerChannel": readFakeQuantizationVars,
]

private func readFakeQuantizationVars(
  _ call: TFCall,
  _ into: inout TensorFlowImporter
) throws -> [TFValue] {
  guard let low = try into.constant(call, 1), let high = try into.constant(call, 2),
    low.count == high.count, low.count > 0
  else { throw call.unsupported("a range that is computed while the network runs") }
  return try readFakeQuantization(call, &into, Array(zip(low.floats(), high.floats())))
}

/// What integers of few bits would make of x, as a pair of Quantize and Dequantize.
///
/// The range is nudged so that zero is an integer, as TensorFlow's documentation of
/// `fake_quant_with_min_max_args` says.
private func readFakeQuantization(
  _ call: TFCall,
  _ into: inout TensorFlowImporter,
  _ ranges: [(low: Float, high: Float)]
) throws -> [TFValue] {
  let x = try into.tensor(call, 0)
  let bits = call.int("num_bits", default: 8)
  guard (2...16).contains(bits) else { throw call.unsupported("a width of \(bits) bits") }
  let least: Float = call.bool("narrow_range") ? 1 : 0
  let most = Float((1 << bits) - 1)
  var scales: [Float] = []
  var zeroPoints: [Int32] = []
  for (low, high) in ranges {
    guard low.isFinite, high.isFinite, low <= 0, high >= 0, high > low else {
      throw call.unsupported("a range from \(low) to \(high)")
    }
    let scale = (high - low) / (most - least)
    let zero = (least - low / scale).rounded(.toNearestOrAwayFromZero)
    scales.append(scale)
    zeroPoints.append(Int32(min(max(zero, least), most)))
  }
  let shape = into.graph[x].type.shape
  guard ranges.count == 1 || shape.rank > 0 && shape[-1] == ranges.count else {
    throw call.unsupported("\(ranges.count) ranges for \(shape)")
  }
  let quantization =
    ranges.count == 1
    ? Quantization(scale: scales[0], zeroPoint: zeroPoints[0])
    : Quantization(scales: scales, zeroPoints: zeroPoints, axis: shape.rank - 1)
  // Integers of fewer values than their type has: what lies outside is clamped first.
  let isWholeType = least == 0 && (bits == 8 || bits == 16)
  var input = x
  if !isWholeType {
    let lows = zip(scales, zeroPoints).map { (least - Float($1)) * $0 }
    let highs = zip(scales, zeroPoints).map { (most - Float($1)) * $0 }
    let axes: Shape = ranges.count == 1 ? [] : [ranges.count]
    let low = into.addConstant("\(call.name)/min", Tensor(lows, axes))
    let high = into.addConstant("\(call.name)/max", Tensor(highs, axes))
    input = try into.step(call, "atLeast", Binary(.maximum), [input, low])
    input = try into.step(call, "atMost", Binary(.minimum), [input, high])
  }
  let integers = try into.step(
    call,
    "quantized",
    Quantize(bits <= 8 ? .uint8 : .uint16, quantization),
    [input]
  )
  return try into.emit(call, Dequantize(), [integers])
}

// MARK: - Export

extension Cast: TensorFlowExportable {
  func write(_ node: TFNodeView, to file: inout TensorFlowExporter) throws -> [String] {
    guard node.inputs[0]?.dtype != dtype else {
      return [file.add("Identity", node.name, [file.input(node, 0)], ["T": node.type])]
    }
    return [
      file.add(
        "Cast",
        node.name,
        [file.input(node, 0)],
        ["SrcT": node.type(0), "DstT": node.type]
      )
    ]
  }
}

extension Dequantize: TensorFlowExportable {
  /// Halves are cast; what quantized integers stand for was written as floats already.
  func write(_ node: TFNodeView, to file: inout TensorFlowExporter) throws -> [String] {
    guard node.input(0).quantization == nil else {
      let id = node.node.inputs[0]
      guard let constant = id.flatMap({ file.graph[$0].constant }) else {
        return [file.add("Identity", node.name, [file.input(node, 0)], ["T": node.type])]
      }
      return [file.constant(node, "value", Tensor(constant.floats(), constant.shape))]
    }
    return [
      file.add(
        "Cast",
        node.name,
        [file.input(node, 0)],
        ["SrcT": node.type(0), "DstT": node.type]
      )
    ]
  }
}

extension Quantize: TensorFlowExportable {
  /// The real numbers that the integers would stand for: FakeQuant with the range of the integers.
  func write(_ node: TFNodeView, to file: inout TensorFlowExporter) throws -> [String] {
    guard let range = dtype.integerRange, [.int8, .uint8].contains(dtype) else {
      throw node.unsupported("type \(dtype.rawValue)")
    }
    let channels = quantization.scales.indices
    let lows = channels.map { quantization.dequantize(range.lowerBound, channel: $0) }
    let highs = channels.map { quantization.dequantize(range.upperBound, channel: $0) }
    guard let low = lows.first, let high = highs.first, lows.allSatisfy({ $0 <= 0 }),
      highs.allSatisfy({ $0 >= 0 })
    else { throw node.unsupported("a range without zero") }
    if quantization.isPerChannel {
      let rank = node.input(0).shape.rank
      guard let axis = quantization.axis, node.input(0).shape.normalized(axis: axis) == rank - 1
      else { throw node.unsupported("scales along another axis than the last") }
      return [
        file.add(
          "FakeQuantWithMinMaxVarsPerChannel",
          node.name,
          [
            file.input(node, 0), file.constant(node, "min", Tensor(lows, [lows.count])),
            file.constant(node, "max", Tensor(highs, [highs.count])),
          ],
          ["num_bits": .int(8), "narrow_range": .bool(false)]
        )
      ]
    }
    return [
      file.add(
        "FakeQuantWithMinMaxArgs",
        node.name,
        [file.input(node, 0)],
        [
          "min": .float(low), "max": .float(high), "num_bits": .int(8),
          "narrow_range": .bool(false),
        ]
      )
    ]
  }
}
