import AssayBase
import AssayFormat
import AssayGraph
import AssayTensor

extension Conv2D: ONNXExportable {
  func write(_ node: NodeView, to file: inout GraphExporter) throws {
    let filter = node.input(1).shape
    let window = ConvolutionWindow(
      kernel: Size2D(filter[1], filter[2]),
      strides: strides,
      dilations: dilations,
      padding: padding,
      groups: node.input(0).shape[3] / max(filter[3], 1)
    )
    var inputs = [file.real(node, 0), file.filter(node, 1, permutation: [0, 3, 1, 2])]
    if node.has(2) { inputs.append(file.bias(node, 2)) }
    file.finish(
      node,
      "Conv",
      inputs,
      window.attributes(image: node.input(0).shape),
      activation: activation
    )
  }
}

/// The attributes that ONNX's convolutions share.
struct ConvolutionWindow {
  var kernel: Size2D
  var strides: Size2D
  var dilations: Size2D
  var padding: Padding
  var groups: Int

  func attributes(image: Shape) -> [ONNXAttribute] {
    [
      .ints("kernel_shape", [kernel.height, kernel.width]),
      .ints("strides", [strides.height, strides.width]),
      .ints("dilations", [dilations.height, dilations.width]),
      .ints("pads", padding.onnxPads(image, kernel, strides, dilations)),
      .int("group", groups),
    ]
  }
}

extension Padding {
  /// ONNX's `pads`: top, left, bottom, right.
  func onnxPads(_ image: Shape, _ window: Size2D, _ strides: Size2D, _ dilations: Size2D) -> [Int] {
    let (top, bottom) = amounts(
      extent: image[1],
      window: window.height,
      stride: strides.height,
      dilation: dilations.height,
      isHeight: true
    )
    let (left, right) = amounts(
      extent: image[2],
      window: window.width,
      stride: strides.width,
      dilation: dilations.width,
      isHeight: false
    )
    return [top, left, bottom, right]
  }
}

extension NodeView {
  /// Whether floats meet quantized weights: the weights are stored as integers, the activations
  /// are quantized while the network runs.
  var isHybrid: Bool {
    isParameter.count > 1 && isParameter[1] && input(1).isQuantizedInteger
      && input(0).dtype == .float32 && outputs.first?.dtype == .float32
  }
}

extension GraphExporter {
  /// A filter as floats, its axes in ONNX's order.
  mutating func filter(_ view: NodeView, _ index: Int, permutation: [Int]) -> String {
    guard let id = view.node.inputs[index] else { return "" }
    if view.isHybrid, index == 1 { return widened(id, permutation) }
    if view.isParameter[index] {
      return parameter(
        id,
        permutation: permutation,
        isDequantized: view.input(index).isQuantizedInteger
      )
    }
    var name = name(of: id, in: .channelsLast)
    let type = view.input(index)
    if type.isQuantizedInteger { name = dequantize(name, type, hint: "\(graph[id].name)/real") }
    return add("Transpose", [name], [.ints("perm", permutation)], for: view)
  }

  /// A bias as floats; one of int32 without a quantization has the scales of input times weights.
  mutating func bias(_ view: NodeView, _ index: Int) -> String {
    guard let id = view.node.inputs[index], view.isParameter[index],
      view.input(index).dtype == .int32, view.input(index).quantization == nil,
      let input = view.input(0).quantization, let weights = view.input(1).quantization,
      let tensor = graph[id].constant
    else { return real(view, index) }
    let scales = weights.scales.map { $0 * input.scale }
    let quantization =
      scales.count > 1
      ? Quantization(scales: scales, axis: 0) : Quantization(scale: scales[0], zeroPoint: 0)
    let name = constant(tensor, of: view, "bias")
    return dequantize(
      name,
      TensorType(.int32, tensor.shape, quantization: quantization),
      hint: "\(graph[id].name)/float"
    )
  }
}

// MARK: - Import

let convolutionReaders: [String: ONNXReader] = ["Conv": readConvolution]

/// Conv in one or two dimensions; a row of one channel each becomes a DepthwiseConv2D.
private func readConvolution(_ call: OperatorCall, _ into: inout GraphImporter) throws {
  let image = try into.type(call.input(0)).shape
  let filter = try into.type(call.input(1)).shape
  if image.rank == 3, filter.rank == 3 {
    try into.inTwoDimensions(call, readConvolution)
    return
  }
  if image.rank == 5, filter.rank == 5 {
    try readVolumeConvolution(call, &into)
    return
  }
  guard image.rank == 4, filter.rank == 4 else {
    throw call.unsupported("an image of type \(image)")
  }
  let window = try CallWindow(call, image: image, kernel: [filter[2], filter[3]])
  let groups = call.int("group", default: 1)
  let bias = call.has(2) ? try into.plain(call.input(2)) : nil
  guard groups > 0, image[1] == filter[1] &* groups else {
    throw call.unsupported("a filter \(filter) in \(groups) groups for \(image)")
  }
  if groups == image[1], groups > 1 {
    let turned = try into.parameter(call.input(1), [1, 2, 3, 0], call)
    let op = DepthwiseConv2D(
      strides: window.strides,
      dilations: window.dilations,
      padding: window.padding
    )
    try into.defineImage(call, op, [try into.image(call.input(0)), turned, bias])
    return
  }
  let turned = try into.parameter(call.input(1), [0, 2, 3, 1], call)
  let op = Conv2D(strides: window.strides, dilations: window.dilations, padding: window.padding)
  try into.defineImage(call, op, [try into.image(call.input(0)), turned, bias])
}

/// Window, strides, dilations and border of a call over an NCHW image.
struct CallWindow {
  var kernel: Size2D
  var strides: Size2D
  var dilations: Size2D
  var padding: Padding

  init(_ call: OperatorCall, image: Shape, kernel: [Int]? = nil) throws {
    func pair(_ name: String, _ values: [Int]?) throws -> Size2D {
      let values = values ?? [1, 1]
      guard values.count == 2, values.allSatisfy({ (1..<1 << 20).contains($0) }) else {
        throw call.unsupported("\(name) \(values)")
      }
      return Size2D(values[0], values[1])
    }
    guard let kernel = kernel ?? call.ints("kernel_shape") else {
      throw call.unsupported("a window without kernel_shape")
    }
    self.kernel = try pair("kernel_shape", kernel)
    strides = try pair("strides", call.ints("strides"))
    dilations = try pair("dilations", call.ints("dilations"))
    let pads = call.ints("pads") ?? [0, 0, 0, 0]
    guard pads.count == 4, pads.allSatisfy({ (0..<1 << 20).contains($0) }) else {
      throw call.unsupported("pads \(pads)")
    }
    let autoPad = call.string("auto_pad", default: "NOTSET")
    switch autoPad {
    case "VALID": padding = .valid
    case "SAME_UPPER": padding = .same
    case "SAME_LOWER":
      let same = Padding.same.onnxPads(
        [image[0], image[2], image[3], image[1]],
        self.kernel,
        strides,
        dilations
      )
      padding = .explicit(top: same[2], bottom: same[0], left: same[3], right: same[1])
    case "NOTSET", "":
      padding = .explicit(top: pads[0], bottom: pads[2], left: pads[1], right: pads[3])
    default: throw call.unsupported("auto_pad \(autoPad)")
    }
    padding = named(padding, [image[0], image[2], image[3], image[1]])
  }

  /// `valid` or `same` where the explicit border is just that.
  func named(_ padding: Padding, _ image: Shape) -> Padding {
    let pads = padding.onnxPads(image, kernel, strides, dilations)
    if pads == [0, 0, 0, 0] { return .valid }
    let same = Padding.same.onnxPads(image, kernel, strides, dilations)
    return pads == same ? .same : padding
  }
}

extension GraphImporter {
  /// Reads a window operator in one dimension as one in two whose images are one element high.
  mutating func inTwoDimensions(
    _ call: OperatorCall,
    _ reader: (OperatorCall, inout GraphImporter) throws -> Void
  ) throws {
    var node = call.node
    var image = try type(call.input(0)).shape.dims
    image.insert(1, at: 2)
    let row = try step(call, "row", Reshape(image), [try plain(call.input(0))])
    node.inputs[0] = bind(row)
    if node.inputs.count > 1, try type(call.input(1)).shape.rank == 3 {
      var filter = try type(call.input(1)).shape.dims
      filter.insert(1, at: 2)
      let id = try plain(call.input(1))
      if let constant = graph[id].constant {
        let name = valueName("\(call.input(1))/2d")
        node.inputs[1] = bind(addConstant(name, constant.reshapedKeepingAxis(filter)))
      } else {
        node.inputs[1] = bind(try step(call, "filter", Reshape(filter), [id]))
      }
    }
    func widened(_ name: String, _ first: Int) {
      guard let values = call.ints(name), values.count == 1 else { return }
      node.attributes.removeAll { $0.name == name }
      node.attributes.append(.ints(name, [first] + values))
    }
    for name in ["kernel_shape", "strides", "dilations", "output_shape"] { widened(name, 1) }
    widened("output_padding", 0)
    if let pads = call.ints("pads"), pads.count == 2 {
      node.attributes.removeAll { $0.name == "pads" }
      node.attributes.append(.ints("pads", [0, pads[0], 0, pads[1]]))
    }
    let inner = valueName("\(call.output)/2d")
    node.outputs = [inner]
    open(inner)
    try reader(OperatorCall(node: node, opset: call.opset, scope: call.scope), &self)
    let result = try type(inner).shape.dims
    let rows = try plain(inner)
    try define(call, Reshape([result[0], result[1], result[3]]), [rows])
  }
}
