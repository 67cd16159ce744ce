import AssayBase
import AssayCodec
import AssayGraph
import AssayTensor

/// What a window operator of the format reads in place of its own image and padding.
struct ExportedWindow {
  /// The image, with explicit padding already around it.
  var image: Int32
  /// The image's extents.
  var shape: Shape
  /// The schema's enum Padding.
  var padding: Int8
}

extension TFLiteExporter {
  /// The image of a window operator whose padding the format cannot name: explicit amounts become a
  /// PAD in front, unless they are those of SAME or none at all.
  ///
  /// - Parameter value: the padding's elements as real numbers; 0 takes the zero point of a
  ///   quantized image.
  mutating func window(
    _ node: ExportedNode,
    window: Size2D,
    strides: Size2D,
    dilations: Size2D = .one,
    padding: Padding,
    value: Float = 0
  ) throws -> ExportedWindow {
    let type = try node.type(0)
    let image = tensor(node.input(0))
    guard case .explicit(let top, let bottom, let left, let right) = padding else {
      return ExportedWindow(image: image, shape: type.shape, padding: padding == .same ? 0 : 1)
    }
    if top == 0, bottom == 0, left == 0, right == 0 {
      return ExportedWindow(image: image, shape: type.shape, padding: 1)
    }
    if type.shape[1] > 0, type.shape[2] > 0,
      Padding.same.amounts(
        extent: type.shape[1],
        window: window.height,
        stride: strides.height,
        dilation: dilations.height,
        isHeight: true
      ) == (top, bottom),
      Padding.same.amounts(
        extent: type.shape[2],
        window: window.width,
        stride: strides.width,
        dilation: dilations.width,
        isHeight: false
      ) == (left, right)
    {
      return ExportedWindow(image: image, shape: type.shape, padding: 0)
    }
    let pad = Pad(before: [0, top, left, 0], after: [0, bottom, right, 0], value: value)
    guard var padded = try pad.inferTypes([type]).first else {
      throw Diagnostic("TFL100", "the padding has no result")
    }
    padded.quantization = type.quantization
    let result = temporary("\(node.name)/padded", padded)
    try addPad(pad, name: node.name, of: type, from: image, to: result)
    return ExportedWindow(image: result, shape: padded.shape, padding: 1)
  }

  /// The bias of a convolution: the node's own or, as converters write it, zeros.
  mutating func bias(_ node: ExportedNode, count: Int) throws -> Int32 {
    if let bias = node.input(2) { return tensor(bias) }
    let (image, filter) = (try node.type(0), try node.type(1))
    let name = "\(node.name)\(zeroBiasSuffix)"
    guard let input = image.quantization, let weights = filter.quantization, !image.dtype.isFloat
    else { return constant(name, Tensor([Float](repeating: 0, count: count), [count])) }
    let quantization =
      weights.isPerChannel
      ? Quantization(scales: weights.scales.map { $0 * input.scale }, axis: 0)
      : Quantization(scale: weights.scale * input.scale, zeroPoint: 0)
    let zeros =
      image.dtype == .int16
      ? Tensor(
        [Int64](repeating: 0, count: count),
        [count],
        dtype: .int64,
        quantization: quantization
      )
      : Tensor(
        [Int32](repeating: 0, count: count),
        [count],
        dtype: .int32,
        quantization: quantization
      )
    return constant(name, zeros)
  }
}

/// Marks a bias that the exporter made because the format's convolutions have one.
private let zeroBiasSuffix = "/zero_bias"

extension TFLiteImporter {
  /// The bias of a convolution; `nil` where there is none and for one of zeros that an export made.
  mutating func bias(_ input: Int, of source: ImportedOperator) throws -> ValueID? {
    guard let index = tensorIndex(input, of: source) else { return nil }
    if try record(index).name.hasSuffix(zeroBiasSuffix) { return nil }
    return try optionalInput(input, of: source)
  }
}

/// The distances between taps as the file names them: where a window has one row or one column, the
/// distance across it changes nothing, and is written as the other one.
///
/// The Edge TPU's compiler maps convolutions only when both are equal.
func written(_ dilations: Size2D, window: Size2D) -> Size2D {
  if window.height == 1, window.width > 1 { return Size2D(dilations.width, dilations.width) }
  if window.width == 1, window.height > 1 { return Size2D(dilations.height, dilations.height) }
  return dilations
}

/// Whether weights have a scale for each channel.
func isPerChannel(_ type: TensorType) -> Bool { type.quantization?.isPerChannel ?? false }

/// Whether an operator computes with floats and weights of 8 bits (dynamic range).
func isHybrid(_ node: ExportedNode) throws -> Bool {
  try node.type(0).dtype == .float32 && node.type(1).dtype == .int8
    && node.outputType.dtype == .float32
}
