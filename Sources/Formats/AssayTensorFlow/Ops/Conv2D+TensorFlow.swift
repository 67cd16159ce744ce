import AssayBase
import AssayGraph
import AssayTensor

let convolutionReaders: [String: TFReader] = [
  "Conv2D": readConvolution,
  "_FusedConv2D": readFusedConvolution,
]

/// Conv2D: image and an HWIO filter.
private func readConvolution(_ call: TFCall, _ into: inout TensorFlowImporter) throws -> [TFValue] {
  let image = try into.image(call, 0)
  let filter = try into.transposed(call, try into.filter(call, 1), [3, 0, 1, 2], as: "ohwi")
  let window = try TFWindow(call, image: into.graph[image].type.shape)
  let op = Conv2D(strides: window.strides, dilations: window.dilations, padding: window.padding)
  return [try into.emitImage(call, op, [image, filter])]
}

/// What TensorFlow's own optimizer makes of a convolution, its bias and an activation.
private func readFusedConvolution(
  _ call: TFCall,
  _ into: inout TensorFlowImporter
) throws -> [TFValue] {
  guard case .strings(let parts) = call.node.attributes["fused_ops"], parts.first == "BiasAdd",
    parts.count <= 2
  else { throw call.unsupported("this fusion") }
  let image = try into.image(call, 0)
  let filter = try into.transposed(call, try into.filter(call, 1), [3, 0, 1, 2], as: "ohwi")
  let window = try TFWindow(call, image: into.graph[image].type.shape)
  var op = Conv2D(strides: window.strides, dilations: window.dilations, padding: window.padding)
  switch parts.count == 2 ? parts[1] : "" {
  case "": break
  case "Relu": op.activation = .relu
  case "Relu6": op.activation = .relu6
  default: throw call.unsupported("a fusion of \(parts.joined(separator: " and "))")
  }
  return [try into.emitImage(call, op, [image, filter, try into.tensor(call, 2)])]
}

/// Strides, dilations and border of a call over an image.
struct TFWindow {
  var strides: Size2D
  var dilations: Size2D
  var padding: Padding

  /// Reads a convolution's attributes.
  init(_ call: TFCall, image: Shape) throws {
    guard image.rank == 4 else { throw call.unsupported("an image of shape \(image)") }
    strides = try Self.pair(call, "strides")
    dilations = try Self.pair(call, "dilations")
    padding = try Self.padding(call)
  }

  /// The two spatial numbers of an attribute of four.
  static func pair(_ call: TFCall, _ key: String) throws -> Size2D {
    guard let numbers = call.ints(key) else { return .one }
    let spatial = call.isChannelsFirst ? [2, 3] : [1, 2]
    guard numbers.count == 4, numbers.allSatisfy({ (1..<1 << 20).contains($0) }),
      numbers[0] == 1, numbers[call.isChannelsFirst ? 1 : 3] == 1
    else { throw call.unsupported("\(key) \(numbers)") }
    return Size2D(numbers[spatial[0]], numbers[spatial[1]])
  }

  /// The border of a call.
  static func padding(_ call: TFCall) throws -> Padding {
    switch call.string("padding") {
    case "SAME": return .same
    case "VALID": return .valid
    case "EXPLICIT":
      let numbers = call.ints("explicit_paddings") ?? []
      guard numbers.count == 8, numbers.allSatisfy({ (0..<1 << 20).contains($0) }) else {
        throw call.unsupported("paddings \(numbers)")
      }
      let first = call.isChannelsFirst ? 4 : 2
      return .explicit(
        top: numbers[first],
        bottom: numbers[first + 1],
        left: numbers[first + 2],
        right: numbers[first + 3]
      )
    default: throw call.unsupported("padding '\(call.string("padding"))'")
    }
  }
}

extension TensorFlowImporter {
  /// A filter, which must have `rank` axes.
  func filter(_ call: TFCall, _ index: Int, rank: Int = 4) throws -> ValueID {
    let id = try tensor(call, index)
    guard graph[id].type.shape.rank == rank else {
      throw call.unsupported("a filter of type \(graph[id].type)")
    }
    return id
  }
}

// MARK: - Export

extension Conv2D: TensorFlowExportable {
  func write(_ node: TFNodeView, to file: inout TensorFlowExporter) throws -> [String] {
    let filter = file.weight(node, 1, permutation: [1, 2, 3, 0])
    return file.finish(
      node,
      "Conv2D",
      image: file.input(node, 0),
      filter: filter,
      ConvolutionWindow(strides: strides, dilations: dilations, padding: padding),
      activation: activation
    )
  }
}

/// The attributes that TensorFlow's convolutions share.
struct ConvolutionWindow {
  var strides: Size2D
  var dilations: Size2D
  var padding: Padding

  func attributes(_ type: TFAttribute) -> [String: TFAttribute] {
    [
      "T": type, "strides": .pair(strides), "dilations": .pair(dilations),
      "data_format": .string("NHWC"),
    ].merging(padding.tensorFlow) { $1 }
  }
}

extension TFAttribute {
  /// Two spatial numbers in the order of an image's axes.
  static func pair(_ size: Size2D) -> TFAttribute {
    .ints([1, Int64(size.height), Int64(size.width), 1])
  }
}

extension Padding {
  /// The attributes that say it.
  var tensorFlow: [String: TFAttribute] {
    switch self {
    case .same: ["padding": .string("SAME")]
    case .valid: ["padding": .string("VALID")]
    case .explicit(let top, let bottom, let left, let right):
      [
        "padding": .string("EXPLICIT"),
        "explicit_paddings": .ints([0, 0, top, bottom, left, right, 0, 0].map(Int64.init)),
      ]
    }
  }
}

extension TensorFlowExporter {
  /// Adds a convolution with its bias (input 2) and activation.
  mutating func finish(
    _ view: TFNodeView,
    _ op: String,
    image: String,
    filter: String,
    _ window: ConvolutionWindow,
    activation: Activation
  ) -> [String] {
    let attributes = window.attributes(view.type)
    guard view.has(2) else {
      return finish(view, op, [image, filter], attributes, activation: activation)
    }
    let result = step(view, op, op, [image, filter], attributes)
    return addBias(view, result, activation)
  }

  /// Adds the bias, which is input 2, and the activation.
  mutating func addBias(_ view: TFNodeView, _ value: String, _ activation: Activation) -> [String] {
    let count = view.input(2).shape.count
    let bias = weight(view, 2, shape: view.input(2).shape.rank == 1 ? nil : [count])
    return finish(view, "BiasAdd", [value, bias], ["T": view.type], activation: activation)
  }
}
