import AssayBase
import AssayFormat
import AssayGraph
import AssayTensor

let convolutionReaders: [String: ATenReader] = [
  "conv1d": { try readConvolution($0, transposed: false, &$1) },
  "conv2d": { try readConvolution($0, transposed: false, &$1) },
  "conv_transpose1d": { try readConvolution($0, transposed: true, &$1) },
  "conv_transpose2d": { try readConvolution($0, transposed: true, &$1) },
  "convolution": { try readConvolution($0, transposed: $0.bool("transposed"), &$1) },
  "_convolution": { try readConvolution($0, transposed: $0.bool("transposed"), &$1) },
]

/// Window, strides, dilations and border of a call over NCHW images.
struct TorchWindow {
  var kernel: Size2D
  var strides: Size2D
  var dilations: Size2D
  var top: Int
  var bottom: Int
  var left: Int
  var right: Int

  /// - Parameter isRow: whether the call is over rows, which stand as images one element high.
  init(_ call: ATenCall, kernel: [Int], isRow: Bool) throws {
    func pair(_ key: String, _ fallback: Int, empty: [Int]? = nil) throws -> [Int] {
      var values = try call.ints(key) ?? []
      if values.isEmpty { values = empty ?? [fallback] }
      if isRow, values.count == 1 { values = [fallback] + values }
      if values.count == 1 { values += values }
      guard values.count == 2, values.allSatisfy({ (0..<1 << 20).contains($0) }) else {
        throw call.unsupported("\(key) \(values)")
      }
      return values
    }
    self.kernel = Size2D(kernel[0], kernel[1])
    let strides = try pair("stride", 1, empty: call.name.contains("pool") ? kernel : nil)
    let dilations = try pair("dilation", 1)
    guard (strides + dilations + kernel).allSatisfy({ $0 > 0 }) else {
      throw call.unsupported("a window of \(kernel) with strides \(strides)")
    }
    self.strides = Size2D(strides[0], strides[1])
    self.dilations = Size2D(dilations[0], dilations[1])
    switch call.string("padding") {
    case "same":
      // PyTorch puts the odd element at the end; strides are one.
      let total = [0, 1].map { dilations[$0] &* (kernel[$0] - 1) }
      (top, left) = (total[0] / 2, total[1] / 2)
      (bottom, right) = (total[0] - top, total[1] - left)
    case "valid": (top, bottom, left, right) = (0, 0, 0, 0)
    case nil:
      let pads = try pair("padding", 0)
      (top, bottom, left, right) = (pads[0], pads[0], pads[1], pads[1])
    case let other?: throw call.unsupported("padding '\(other)'")
    }
  }

  /// The border by name where it is one of those that have one.
  func padding(_ image: Shape) -> Padding {
    if [top, bottom, left, right] == [0, 0, 0, 0] { return .valid }
    let rows = Padding.same.amounts(
      extent: image[2],
      window: kernel.height,
      stride: strides.height,
      dilation: dilations.height,
      isHeight: true
    )
    let columns = Padding.same.amounts(
      extent: image[3],
      window: kernel.width,
      stride: strides.width,
      dilation: dilations.width,
      isHeight: false
    )
    if rows == (top, bottom), columns == (left, right) { return .same }
    return .explicit(top: top, bottom: bottom, left: left, right: right)
  }
}

private func readConvolution(
  _ call: ATenCall,
  transposed: Bool,
  _ into: inout ProgramImporter
) throws {
  let input = try call.tensor(call.has("input") ? "input" : "self")
  let weight = try call.tensor("weight")
  let (image, filter) = (try into.type(input).shape, try into.type(weight).shape)
  if image.rank == 3, filter.rank == 3 {
    try into.inTwoDimensions(call, input, weight) { row, filter, inner, into in
      try readImage(row.with([:], outputs: [inner]), filter.0, filter.1, transposed, true, &into)
    }
    return
  }
  if image.rank == 5, filter.rank == 5 {
    try readVolume(call, transposed: transposed, &into)
    return
  }
  guard image.rank == 4, filter.rank == 4 else {
    throw call.unsupported("an image \(image) with a filter \(filter)")
  }
  try readImage(call, input, weight, transposed, false, &into)
}

private func readImage(
  _ call: ATenCall,
  _ input: String,
  _ weight: String,
  _ transposed: Bool,
  _ isRow: Bool,
  _ into: inout ProgramImporter
) throws {
  let (image, filter) = (try into.type(input).shape, try into.type(weight).shape)
  let window = try TorchWindow(call, kernel: [filter[2], filter[3]], isRow: isRow)
  let groups = try call.int("groups", default: 1)
  let bias = try into.optional(call, "bias")
  let channels = transposed ? filter[0] : filter[1] &* groups
  guard groups > 0, image[1] == channels, filter[0] % groups == 0 else {
    throw call.unsupported("a filter \(filter) in \(groups) groups for \(image)")
  }
  if transposed {
    try readTransposed(call, input, weight, window, groups, bias, isRow, &into)
    return
  }
  let source = try into.image(input)
  if groups == image[1], groups > 1 {
    let turned = try into.parameter(weight, [1, 2, 3, 0], call)
    let op = DepthwiseConv2D(
      strides: window.strides,
      dilations: window.dilations,
      padding: window.padding(image)
    )
    try into.defineImage(call, op, [source, turned, bias])
    return
  }
  let turned = try into.parameter(weight, [0, 2, 3, 1], call)
  let op = Conv2D(
    strides: window.strides,
    dilations: window.dilations,
    padding: window.padding(image)
  )
  try into.defineImage(call, op, [source, turned, bias])
}

/// The filter is `[I, O/groups, KH, KW]`; groups are convolutions side by side.
private func readTransposed(
  _ call: ATenCall,
  _ input: String,
  _ weight: String,
  _ window: TorchWindow,
  _ groups: Int,
  _ bias: ValueID?,
  _ isRow: Bool,
  _ into: inout ProgramImporter
) throws {
  let (image, filter) = (try into.type(input).shape, try into.type(weight).shape)
  var extra = try call.ints("output_padding") ?? [0]
  if isRow, extra.count == 1 { extra = [0] + extra }
  if extra.count == 1 { extra += extra }
  guard extra.count == 2, extra.allSatisfy({ (0..<1 << 16).contains($0) }) else {
    throw call.unsupported("output_padding \(extra)")
  }
  let (strides, dilations) = (window.strides, window.dilations)
  let size = Size2D(
    (image[2] - 1) &* strides.height - window.top - window.bottom + dilations.height
      &* (filter[2] - 1) + extra[0] + 1,
    (image[3] - 1) &* strides.width - window.left - window.right + dilations.width
      &* (filter[3] - 1) + extra[1] + 1
  )
  var turned = try into.parameter(weight, [1, 2, 3, 0], call)
  if dilations != .one {
    guard let tensor = into.graph[turned].constant else {
      throw call.unsupported("a dilation of a computed filter")
    }
    turned = into.addConstant(
      into.valueName("\(weight)/dilated"),
      dilated(tensor, dilations)
    )
  }
  let op = TransposeConv2D(
    strides: strides,
    padding: .explicit(
      top: window.top,
      bottom: window.bottom,
      left: window.left,
      right: window.right
    ).plain,
    outputSize: size
  )
  let source = try into.image(input)
  guard groups > 1 else {
    try into.defineImage(call, op, [source, turned, bias])
    return
  }
  let inside = filter[0] / groups
  var parts: [ValueID?] = []
  for group in 0..<groups {
    let shape = into.graph[source].type.shape
    let cut = Slice(
      begin: [0, 0, 0, group * inside],
      sizes: [shape[0], shape[1], shape[2], inside]
    )
    let part = try into.step(call, "group\(group)", cut, [source])
    let kernel = into.graph[turned].type.shape
    let rows = Slice(
      begin: [0, 0, 0, group * inside],
      sizes: [kernel[0], kernel[1], kernel[2], inside]
    )
    let weights = try into.step(call, "filter\(group)", rows, [turned])
    parts.append(try into.step(call, "part\(group)", op, [part, weights]))
  }
  guard let bias else {
    try into.defineImage(call, Concat(axis: 3), parts)
    return
  }
  let joined = try into.step(call, "joined", Concat(axis: 3), parts)
  try into.defineImage(call, Binary(.add), [joined, bias])
}

/// A filter `[O, KH, KW, C]` with zeros between its taps.
private func dilated(_ filter: Tensor, _ dilations: Size2D) -> Tensor {
  let shape = filter.shape
  let height = (shape[1] - 1) * dilations.height + 1
  let width = (shape[2] - 1) * dilations.width + 1
  let source = filter.floats()
  var result = [Float](repeating: 0, count: shape[0] * height * width * shape[3])
  for o in 0..<shape[0] {
    for y in 0..<shape[1] {
      for x in 0..<shape[2] {
        let from = ((o * shape[1] + y) * shape[2] + x) * shape[3]
        let to = ((o * height + y * dilations.height) * width + x * dilations.width) * shape[3]
        for c in 0..<shape[3] { result[to + c] = source[from + c] }
      }
    }
  }
  return Tensor(result, [shape[0], height, width, shape[3]])
}

extension Padding {
  /// `valid` where nothing is added.
  fileprivate var plain: Padding {
    self == .explicit(top: 0, bottom: 0, left: 0, right: 0) ? .valid : self
  }
}

extension ProgramImporter {
  /// Reads a window operator over rows as one over images that are one element high.
  mutating func inTwoDimensions(
    _ call: ATenCall,
    _ input: String,
    _ weight: String,
    _ body: (ATenCall, (String, String), String, inout ProgramImporter) throws -> Void
  ) throws {
    let filter = try type(weight).shape.dims
    let flat = try step(
      call,
      "filter",
      Reshape([filter[0], filter[1], 1, filter[2]]),
      [try plain(weight)]
    )
    let row = try self.row(call, input)
    let inner = open(call)
    try body(call, (row, twins.bind(flat)), inner, &self)
    try finishRow(call, inner)
  }

  /// A row `[N, C, L]` as an image that is one element high, under a name of its own.
  mutating func row(_ call: ATenCall, _ input: String) throws -> String {
    let shape = try type(input).shape
    let id = try step(
      call,
      "row",
      Reshape([shape[0], shape[1], 1, shape[2]]),
      [try plain(input)]
    )
    return twins.bind(id)
  }

  /// Declares a value for a call inside this call.
  mutating func open(_ call: ATenCall) -> String {
    let name = valueName("\(call.output)/2d")
    twins.open(name)
    return name
  }

  /// Makes the call's output the row that an image of one element's height is.
  mutating func finishRow(_ call: ATenCall, _ inner: String) throws {
    let shape = try type(inner).shape
    try define(call, Reshape([shape[0], shape[1], shape[3]]), [try plain(inner)])
  }
}
