import AssayBase
import AssayFormat
import AssayGraph
import AssayTensor

let poolReaders: [String: ATenReader] = [
  "max_pool2d": { try readPool($0, .max, &$1) },
  "max_pool2d_with_indices": { try readPool($0, .max, &$1) },
  "avg_pool2d": { try readPool($0, .average, &$1) },
  "max_pool1d": { try readRowPool($0, .max, &$1) },
  "avg_pool1d": { try readRowPool($0, .average, &$1) },
  "adaptive_avg_pool2d": { try readAdaptive($0, .average, &$1) },
  "_adaptive_avg_pool2d": { try readAdaptive($0, .average, &$1) },
  "adaptive_max_pool2d": { try readAdaptive($0, .max, &$1) },
  "adaptive_avg_pool1d": { call, into in
    let size = try call.ints("output_size") ?? []
    let row = try into.row(call, try call.tensor("self"))
    let inner = into.open(call)
    let changes: [String: Argument] = [
      "self": .tensor(row), "output_size": .scalars([.int(1), .int(size.first ?? 0)]),
    ]
    try readAdaptive(call.with(changes, outputs: [inner]), .average, &into)
    try into.finishRow(call, inner)
  },
]

private func readRowPool(
  _ call: ATenCall,
  _ kind: Pool2D.Kind,
  _ into: inout ProgramImporter
) throws {
  let row = try into.row(call, try call.tensor("self"))
  let inner = into.open(call)
  let kernel = try call.ints("kernel_size") ?? []
  let changes: [String: Argument] = [
    "self": .tensor(row), "kernel_size": .scalars([.int(1), .int(kernel.first ?? 0)]),
  ]
  try readPool(call.with(changes, outputs: [inner]), kind, isRow: true, &into)
  try into.finishRow(call, inner)
}

private func readPool(
  _ call: ATenCall,
  _ kind: Pool2D.Kind,
  isRow: Bool = false,
  _ into: inout ProgramImporter
) throws {
  let input = try call.tensor("self")
  let image = try into.type(input).shape
  guard image.rank == 4 else { throw call.unsupported("an image \(image)") }
  var kernel = try call.ints("kernel_size") ?? []
  if kernel.count == 1 { kernel += kernel }
  guard kernel.count == 2, kernel.allSatisfy({ (1..<1 << 20).contains($0) }) else {
    throw call.unsupported("a window of \(kernel)")
  }
  var window = try TorchWindow(call, kernel: kernel, isRow: isRow)
  guard window.dilations == .one else { throw call.unsupported("a dilated pooling") }
  var source = try into.image(input)
  let padsCount = try call.bool("count_include_pad", default: true)
  let pads = [window.top, window.left]
  if try call.bool("ceil_mode") {
    let (rows, columns) = (window.ceilExtra(image[2], true), window.ceilExtra(image[3], false))
    if kind == .average, padsCount, rows + columns > 0, pads != [0, 0] {
      throw call.unsupported("ceil_mode with count_include_pad over a border")
    }
    window.bottom += rows
    window.right += columns
  }
  if kind == .average, padsCount, pads != [0, 0] {
    // The zeros of the border count: they become part of the image.
    let pad = Pad(before: [0, pads[0], pads[1], 0], after: [0, pads[0], pads[1], 0])
    source = try into.step(call, "padded", pad, [source])
    (window.top, window.bottom, window.left, window.right) = (0, 0, 0, 0)
  }
  let shape = into.graph[source].type.shape
  let op = Pool2D(
    kind,
    window: window.kernel,
    strides: window.strides,
    padding: window.padding([shape[0], shape[3], shape[1], shape[2]])
  )
  let divisor =
    kind == .average && call.has("divisor_override") ? try call.int("divisor_override") : 0
  guard divisor != 0 else {
    try into.define(first: call, op, source)
    return
  }
  guard pads == [0, 0], !(try call.bool("ceil_mode")) else {
    throw call.unsupported("divisor_override over a border")
  }
  let average = try into.step(call, "average", op, [source])
  let factor = into.addConstant(Float(kernel[0] * kernel[1]) / Float(divisor))
  try into.defineImage(call, Binary(.multiply), [average, factor])
}

extension ProgramImporter {
  /// Makes the first output of a call; the positions of maxima have no operator.
  fileprivate mutating func define(
    first call: ATenCall,
    _ op: any Operator,
    _ source: ValueID
  ) throws {
    let single = call.with([:], outputs: [call.output])
    try defineImage(single, op, [source])
  }
}

extension TorchWindow {
  /// Elements by which the border must grow at the end for PyTorch's ceil_mode: a window more, if it
  /// begins inside the image or the border before it.
  fileprivate func ceilExtra(_ extent: Int, _ isHeight: Bool) -> Int {
    let (size, stride) = isHeight ? (kernel.height, strides.height) : (kernel.width, strides.width)
    let pad = isHeight ? top : left
    let span = extent + 2 * pad - size
    guard span >= 0 else { return 0 }
    var count = (span + stride - 1) / stride + 1
    if (count - 1) * stride >= extent + pad { count -= 1 }
    return max((count - 1) * stride - span, 0)
  }
}

private func readAdaptive(
  _ call: ATenCall,
  _ kind: Pool2D.Kind,
  _ into: inout ProgramImporter
) throws {
  let input = try call.tensor("self")
  let image = try into.type(input).shape
  var size = try call.ints("output_size") ?? []
  if size.count == 1 { size += size }
  guard image.rank == 4, size.count == 2, size.allSatisfy({ $0 > 0 && $0 < 1 << 20 }) else {
    throw call.unsupported("\(image) to \(size)")
  }
  if size == [image[2], image[3]] {
    try into.alias(call, to: input)
    return
  }
  let source = try into.image(input)
  if size == [1, 1] {
    let op = Reduce(kind == .max ? .max : .mean, axes: [1, 2], keepsAxes: true)
    try into.define(first: call, op, source)
    return
  }
  if image[2] % size[0] == 0, image[3] % size[1] == 0 {
    let window = Size2D(image[2] / size[0], image[3] / size[1])
    try into.define(first: call, Pool2D(kind, window: window, strides: window), source)
    return
  }
  guard kind == .average else { throw call.unsupported("\(image) to \(size)") }
  // Windows of different sizes: averaging is a product with a matrix along each axis.
  let plain = try into.plain(input)
  let columns = into.addConstant(
    into.valueName("\(call.output)/columns"),
    averages(image[3], size[1])
  )
  let narrow = try into.step(call, "narrow", MatMul(transposesB: true), [plain, columns])
  let rows = into.addConstant(into.valueName("\(call.output)/rows"), averages(image[2], size[0]))
  try into.define(call, MatMul(), [rows, narrow])
}

/// The matrix `[out, in]` that averages over PyTorch's adaptive windows.
private func averages(_ extent: Int, _ count: Int) -> Tensor {
  var elements = [Float](repeating: 0, count: extent * count)
  for row in 0..<count {
    let (start, end) = (row * extent / count, ((row + 1) * extent + count - 1) / count)
    for column in start..<end { elements[row * extent + column] = 1 / Float(end - start) }
  }
  return Tensor(elements, [count, extent])
}
