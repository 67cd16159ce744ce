import AssayBase
import AssayFormat
import AssayGraph
import AssayTensor

let irWindowReaders: [String: IRReader] = [
  "Convolution": { try readConvolution($0, &$1, isGrouped: false) },
  "GroupConvolution": { try readConvolution($0, &$1, isGrouped: true) },
  "ConvolutionBackpropData": readTransposed,
  "MaxPool": { try readPool($0, &$1, .max) },
  "AvgPool": { try readPool($0, &$1, .average) },
  "BatchNormInference": readBatchNorm,
  "Interpolate": readInterpolate,
  "DepthToSpace": { call, into in
    let op = DepthToSpace(blockSize: try blockSize(call))
    try into.defineImage(call, op, [into.image(call.input(0))])
  },
  "SpaceToDepth": { call, into in
    let op = SpaceToDepth(blockSize: try blockSize(call))
    try into.defineImage(call, op, [into.image(call.input(0))])
  },
  "LRN": readLocalResponseNorm,
]

private func blockSize(_ call: IRCall) throws -> Int {
  guard call.string("mode", default: "") == "blocks_first" else {
    throw call.unsupported("mode \(call.string("mode", default: "?"))")
  }
  return try call.int("block_size", default: 1)
}

/// The window of a layer over images.
private struct CallWindow {
  var strides: Size2D
  var dilations: Size2D
  var padding: Padding

  init(_ call: IRCall, image: Shape, kernel: Size2D) throws {
    func pair(_ name: String, _ value: Int) throws -> [Int] {
      let numbers = try call.ints(name) ?? [value, value]
      guard numbers.count == 2, numbers.allSatisfy({ (0..<1 << 20).contains($0) }) else {
        throw call.unsupported("\(name) \(numbers)")
      }
      return numbers
    }
    let (steps, gaps) = (try pair("strides", 1), try pair("dilations", 1))
    guard (steps + gaps).allSatisfy({ $0 > 0 }) else { throw call.unsupported("strides \(steps)") }
    strides = Size2D(steps[0], steps[1])
    dilations = Size2D(gaps[0], gaps[1])
    switch call.string("auto_pad", default: "explicit") {
    case "same_upper": padding = .same
    case "valid": padding = .valid
    case "explicit", "notset", "":
      let (before, after) = (try pair("pads_begin", 0), try pair("pads_end", 0))
      padding = .explicit(top: before[0], bottom: after[0], left: before[1], right: after[1])
      // The plain names, where they say the same.
      let extents: Shape = [image[0], image[2], image[3], image[1]]
      for named in [Padding.valid, .same] {
        if pads(named, extents, kernel) == pads(padding, extents, kernel) {
          padding = named
          break
        }
      }
    case let other: throw call.unsupported("auto_pad \(other)")
    }
  }

  private func pads(_ padding: Padding, _ image: Shape, _ kernel: Size2D) -> [Int] {
    let height = padding.amounts(
      extent: image[1],
      window: kernel.height,
      stride: strides.height,
      dilation: dilations.height,
      isHeight: true
    )
    let width = padding.amounts(
      extent: image[2],
      window: kernel.width,
      stride: strides.width,
      dilation: dilations.width,
      isHeight: false
    )
    return [height.before, height.after, width.before, width.after]
  }
}

private func readConvolution(
  _ call: IRCall,
  _ into: inout IRImporter,
  isGrouped: Bool
) throws {
  let image = try into.type(call.input(0)).shape
  let filter = try into.type(call.input(1)).shape
  guard image.rank == 4, filter.rank == (isGrouped ? 5 : 4) else {
    throw call.unsupported("an image \(image) with a filter \(filter)")
  }
  let kernel = Size2D(filter[-2], filter[-1])
  let window = try CallWindow(call, image: image, kernel: kernel)
  let x = try into.image(call.input(0))
  guard isGrouped else {
    let weights = try into.twins.parameter(call.input(1), [0, 2, 3, 1], result: call.output)
    let op = Conv2D(
      strides: window.strides,
      dilations: window.dilations,
      padding: window.padding
    )
    try into.defineImage(call, op, [x, weights])
    return
  }
  // [groups, outputs, inputs, height, width]: the outputs of all groups follow one another.
  let flat = [filter[0] * filter[1], filter[2], filter[3], filter[4]]
  guard filter[0] * filter[2] == image[1] else {
    throw call.unsupported("a filter \(filter) for \(image)")
  }
  let stored = try into.plain(call.input(1))
  let isDepthwise = filter[2] == 1
  let order = isDepthwise ? [1, 2, 3, 0] : [0, 2, 3, 1]
  let weights: ValueID
  if let tensor = into.graph[stored].constant {
    let turned = tensor.reshapedKeepingAxis(flat).rearranged(order)
    weights = into.addConstant(into.valueName("\(call.input(1))/turned"), turned)
  } else {
    let joined = try into.step(call, "joined", Reshape(flat), [stored])
    weights = try into.step(call, "turned", Transpose(order), [joined])
  }
  let op: any Operator =
    isDepthwise
    ? DepthwiseConv2D(
      strides: window.strides,
      dilations: window.dilations,
      padding: window.padding
    )
    : Conv2D(strides: window.strides, dilations: window.dilations, padding: window.padding)
  try into.defineImage(call, op, [x, weights])
}

private func readTransposed(_ call: IRCall, _ into: inout IRImporter) throws {
  let image = try into.type(call.input(0)).shape
  let filter = try into.type(call.input(1)).shape
  let extra = try call.ints("output_padding") ?? [0, 0]
  guard image.rank == 4, filter.rank == 4, extra.count == 2, !call.has(2),
    (try call.ints("dilations") ?? [1, 1]).allSatisfy({ $0 == 1 }),
    extra.allSatisfy({ (0..<1 << 20).contains($0) }),
    ["explicit", "valid", "notset"].contains(call.string("auto_pad", default: "explicit"))
  else {
    throw call.unsupported("an image \(image) with a filter \(filter), dilations or auto_pad")
  }
  let window = try CallWindow(call, image: image, kernel: .one)
  var pads = [0, 0, 0, 0]
  if call.string("auto_pad", default: "explicit") != "valid" {
    pads = (try call.ints("pads_begin") ?? [0, 0]) + (try call.ints("pads_end") ?? [0, 0])
  }
  let size = Size2D(
    (image[2] - 1) * window.strides.height + filter[2] - pads[0] - pads[2] + extra[0],
    (image[3] - 1) * window.strides.width + filter[3] - pads[1] - pads[3] + extra[1]
  )
  let op = TransposeConv2D(
    strides: window.strides,
    padding: .explicit(top: pads[0], bottom: pads[2], left: pads[1], right: pads[3]),
    outputSize: size
  )
  let weights = try into.twins.parameter(call.input(1), [1, 2, 3, 0], result: call.output)
  try into.defineImage(call, op, [into.image(call.input(0)), weights])
}

private func readPool(
  _ call: IRCall,
  _ into: inout IRImporter,
  _ kind: Pool2D.Kind
) throws {
  let image = try into.type(call.input(0)).shape
  let kernel = try call.ints("kernel") ?? []
  guard image.rank == 4, kernel.count == 2, kernel.allSatisfy({ (1..<1 << 20).contains($0) }),
    call.outputs.count == 1
  else { throw call.unsupported("an image \(image) under a window \(kernel)") }
  let size = Size2D(kernel[0], kernel[1])
  let window = try CallWindow(call, image: image, kernel: size)
  guard window.dilations == .one, call.string("rounding_type", default: "floor") == "floor" else {
    throw call.unsupported("rounding_type or dilations")
  }
  let op = Pool2D(kind, window: size, strides: window.strides, padding: window.padding)
  let isPlain = kind == .max || call.bool("exclude-pad", default: true)
  let image4 = try into.image(call.input(0))
  let hasBorder = ((try call.ints("pads_begin") ?? []) + (try call.ints("pads_end") ?? []))
    .contains { $0 != 0 }
  guard isPlain || !hasBorder && window.padding != .same else {
    throw call.unsupported("an average over the border")
  }
  try into.defineImage(call, op, [image4])
}

private func readBatchNorm(_ call: IRCall, _ into: inout IRImporter) throws {
  // The first form of the operation had gamma and beta before the data.
  let order = call.layer.set < 5 ? [2, 0, 1, 3, 4] : [0, 1, 2, 3, 4]
  let op = BatchNorm(epsilon: try call.float("epsilon", default: 1e-5))
  let parameters = try order.dropFirst().map { try into.plain(call.input($0)) }
  let data = call.input(order[0])
  switch try into.type(data).shape.rank {
  case 2: try into.define(call, op, [into.plain(data)] + parameters)
  case 4: try into.defineImage(call, op, [into.image(data)] + parameters)
  case let rank: throw call.unsupported("data of \(rank) axes")
  }
}

private func readInterpolate(_ call: IRCall, _ into: inout IRImporter) throws {
  let image = try into.type(call.input(0)).shape
  guard call.layer.set == 4, image.rank == 4 else {
    throw call.unsupported("the form of \(call.layer.opset) for \(image)")
  }
  let axes =
    call.has(3) ? try into.integers(call, 3).map { $0 < 0 ? $0 + 4 : $0 } : [0, 1, 2, 3]
  var size = [image[2], image[3]]
  let isBySizes = call.string("shape_calculation_mode", default: "sizes") == "sizes"
  let scales = into.constant(call.input(2))?.floats() ?? []
  let sizes = isBySizes ? try into.integers(call, 1) : []
  for (index, axis) in axes.enumerated() {
    guard index < (isBySizes ? sizes.count : scales.count), (0..<4).contains(axis) else {
      throw call.unsupported("sizes \(sizes)")
    }
    let scaled = isBySizes ? Float(sizes[index]) : (Float(image[axis]) * scales[index] + 1e-4)
    guard scaled.isFinite, scaled >= 0, scaled < 0x1p20 else {
      throw call.unsupported("a size of \(scaled)")
    }
    if axis >= 2 {
      size[axis - 2] = Int(scaled)
    } else if Int(scaled) != image[axis] {
      throw call.unsupported("another batch or number of channels")
    }
  }
  let pads = ((try call.ints("pads_begin") ?? []) + (try call.ints("pads_end") ?? []))
  let mode = call.string("mode", default: "")
  let grid = call.string("coordinate_transformation_mode", default: "half_pixel")
  let rounding = call.string("nearest_mode", default: "round_prefer_floor")
  let isNearest = mode == "nearest"
  let isExact =
    grid == "asymmetric" ? rounding == "floor" : rounding == "round_prefer_ceil"
  guard ["nearest", "linear", "linear_onnx"].contains(mode),
    ["asymmetric", "half_pixel", "align_corners"].contains(grid), !isNearest || isExact,
    !call.bool("antialias", default: false), pads.allSatisfy({ $0 == 0 })
  else { throw call.unsupported("\(mode), \(grid), \(rounding)") }
  let op = Resize2D(
    isNearest ? .nearest : .bilinear,
    size: Size2D(size[0], size[1]),
    alignsCorners: grid == "align_corners",
    usesHalfPixels: grid == "half_pixel"
  )
  try into.defineImage(call, op, [into.image(call.input(0))])
}

private func readLocalResponseNorm(_ call: IRCall, _ into: inout IRImporter) throws {
  let rank = try into.type(call.input(0)).shape.rank
  let size = try call.int("size", default: 5)
  guard try into.integers(call, 1) == [rank == 4 ? 1 : rank - 1], (1..<1 << 20).contains(size)
  else {
    throw call.unsupported("a sum over other axes")
  }
  let op = LocalResponseNorm(
    size: size,
    alpha: try call.float("alpha", default: 1e-4) / Float(size),
    beta: try call.float("beta", default: 0.75),
    bias: try call.float("bias", default: 1)
  )
  if rank == 4 {
    try into.defineImage(call, op, [into.image(call.input(0))])
  } else {
    try into.define(call, op, [into.plain(call.input(0))])
  }
}
