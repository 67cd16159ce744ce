import AssayBase
import FormatTFLite

/// How many bytes the Edge TPU's compiler makes of an operator's parameters.
///
/// The layouts are not published. These were found by comparing files that the compiler made with those
/// that they were made of: channels that go in are filled up to a multiple of four, those that come out
/// to 16, from 64 on to 64; a bias takes four bytes a channel, scales for each channel eight more. A
/// depthwise kernel is one with four channels going in. Convolutions and fully connected layers come out
/// to the byte; of what is rarer (recurrent layers, wide softmax, joined channels) one or two files were
/// there to see.
struct ParameterEstimate {
  let listing: TFLiteListing
  /// The kind of operator that makes each tensor.
  private let makers: [Int: String]

  init(_ listing: TFLiteListing) {
    self.listing = listing
    var makers: [Int: String] = [:]
    for node in listing.nodes { for output in node.outputs { makers[output] = node.kind } }
    self.makers = makers
  }

  /// Bytes of one operator's parameters on the chip.
  func bytes(_ node: TFLiteListing.Node) -> Int {
    switch node.kind {
    case "CONV_2D": convolution(node)
    case "TRANSPOSE_CONV": convolution(node)
    case "DEPTHWISE_CONV_2D": depthwise(node)
    case "FULLY_CONNECTED": fullyConnected(node)
    case "UNIDIRECTIONAL_SEQUENCE_LSTM": recurrent(node)
    case "SOFTMAX": softmax(node)
    case "CONCATENATION": concatenation(node)
    case "ADD", "SUB", "MUL", "MAXIMUM", "MINIMUM", "SQUARED_DIFFERENCE": elementwise(node)
    default: 0
    }
  }

  private func tensor(_ node: TFLiteListing.Node, _ place: Int) -> TFLiteListing.Tensor? {
    guard node.inputs.indices.contains(place), node.inputs[place] >= 0 else { return nil }
    return listing.tensors[node.inputs[place]]
  }

  /// A matrix with its biases; channels are extents of a file, which may be anything.
  private func matrix(_ taps: Int, _ from: Int, _ to: Int, isPerChannel: Bool) -> Int {
    let wide = Self.given(to)
    let weights = taps.multipliedOrZero(by: Self.filled(from, 4)).multipliedOrZero(by: wide)
    return weights + wide * (isPerChannel ? 12 : 4)
  }

  private static func filled(_ count: Int, _ factor: Int) -> Int {
    guard count > 0, count < 1 << 40 else { return 0 }
    return (count + factor - 1) / factor * factor
  }

  /// Channels that come out, as the chip's tiles take them.
  private static func given(_ count: Int) -> Int { filled(count, count < 64 ? 16 : 64) }

  private func convolution(_ node: TFLiteListing.Node) -> Int {
    guard let weights = tensor(node, 1), weights.shape.count == 4 else { return 0 }
    let shape = weights.shape
    return matrix(
      shape[1].multipliedOrZero(by: shape[2]),
      shape[3],
      shape[0],
      isPerChannel: weights.scaleCount > 1
    )
  }

  private func depthwise(_ node: TFLiteListing.Node) -> Int {
    guard let weights = tensor(node, 1), weights.shape.count == 4 else { return 0 }
    let channels = Self.filled(weights.shape[3], 4)
    let taps = weights.shape[1].multipliedOrZero(by: weights.shape[2])
    return channels.multipliedOrZero(
      by: taps.multipliedOrZero(by: 4) + (weights.scaleCount > 1 ? 12 : 4)
    )
  }

  private func fullyConnected(_ node: TFLiteListing.Node) -> Int {
    guard let weights = tensor(node, 1), weights.shape.count == 2 else { return 0 }
    return matrix(1, weights.shape[1], weights.shape[0], isPerChannel: weights.scaleCount > 1)
  }

  /// A recurrent layer, of which one file was there to see.
  ///
  /// Each gate is there twice, for the first step and for the rest; joining and parting the gates takes
  /// matrices that grow with the units.
  private func recurrent(_ node: TFLiteListing.Node) -> Int {
    guard let input = tensor(node, 2), let state = tensor(node, 6), input.shape.count == 2,
      state.shape.count == 2
    else { return 0 }
    let (features, units) = (input.shape[1], state.shape[1])
    let gate =
      matrix(1, features, units, isPerChannel: false) + matrix(1, units, units, isPerChannel: false)
    let selection = Self.filled(units, 4).multipliedOrZero(by: Self.given(units))
    return gate * 8 + selection.multipliedOrZero(by: 331) / 10
  }

  /// A softmax over many classes reduces them by three matrices.
  private func softmax(_ node: TFLiteListing.Node) -> Int {
    guard let classes = tensor(node, 0)?.shape.last, classes > 64 else { return 0 }
    return Self.filled(classes, 4).multipliedOrZero(by: 48) + 64
  }

  /// Joining channels takes a matrix of zeros and ones, unless they are parts of one tensor.
  private func concatenation(_ node: TFLiteListing.Node) -> Int {
    guard let output = node.outputs.first, output >= 0 else { return 0 }
    let shape = listing.tensors[output].shape
    let axis = node.settings["axis"] ?? 0
    guard axis == shape.count - 1 || axis == -1, let channels = shape.last else { return 0 }
    let inputs = node.inputs.filter { $0 >= 0 }
    let widths = inputs.map { listing.tensors[$0].shape.last ?? 0 }
    // Whole tiles are only put side by side.
    if widths.allSatisfy({ $0 % 16 == 0 }) { return 0 }
    if inputs.allSatisfy({ makers[$0] == "SPLIT" }) { return 0 }
    return widths.reduce(0) {
      $0 + Self.filled($1, 4).multipliedOrZero(by: Self.given(channels))
    }
  }

  private func elementwise(_ node: TFLiteListing.Node) -> Int {
    let constants = node.inputs.filter { $0 >= 0 }.compactMap { listing.tensors[$0].constant }
    return constants.reduce(0) { $0 + Self.filled($1.count, 64) + ($1.count > 64 ? 64 : 0) }
  }
}

extension Int {
  /// The product; 0 where it does not fit, which no network has.
  fileprivate func multipliedOrZero(by other: Int) -> Int {
    let (product, isOver) = multipliedReportingOverflow(by: other)
    return isOver || product < 0 || product > 1 << 48 ? 0 : product
  }
}
