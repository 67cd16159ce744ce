import AssayBase
import AssayFormat
import AssayGraph
import AssayTensor

let volumeReaders: [String: ATenReader] = [
  "conv3d": { try readVolume($0, transposed: false, &$1) },
  "conv_transpose3d": { try readVolume($0, transposed: true, &$1) },
  "max_pool3d": { try readPool($0, .max, &$1) },
  "max_pool3d_with_indices": { try readPool($0, .max, &$1) },
  "avg_pool3d": { try readPool($0, .average, &$1) },
  "adaptive_avg_pool3d": { call, into in
    guard try call.ints("output_size")?.allSatisfy({ $0 == 1 }) ?? false else {
      throw call.unsupported("a size other than one")
    }
    let op = Reduce(.mean, axes: [2, 3, 4], keepsAxes: true)
    try into.define(call, op, [try into.plain(call.tensor("self"))])
  },
]

/// Three numbers for depth, height and width; one counts for all.
private func triple(_ call: ATenCall, _ key: String, default value: Int) throws -> [Int] {
  var values = try call.ints(key) ?? []
  if values.isEmpty { values = [value] }
  if values.count == 1 { values = [values[0], values[0], values[0]] }
  guard values.count == 3, values.allSatisfy({ (0..<1 << 20).contains($0) }) else {
    throw call.unsupported("\(key) \(values)")
  }
  return values
}

extension Size3D {
  fileprivate init(_ values: [Int]) { self.init(values[0], values[1], values[2]) }
}

private func border(_ pads: [Int]) -> Padding3D {
  pads == [0, 0, 0] ? .valid : .explicit(before: Size3D(pads), after: Size3D(pads))
}

extension ProgramImporter {
  /// A volume with its channels last.
  fileprivate mutating func volume(_ call: ATenCall, _ name: String) throws -> ValueID {
    let shape = try type(name).shape
    guard shape.rank == 5 else { throw call.unsupported("a volume \(shape)") }
    return try step(call, "ndhwc", Transpose([0, 2, 3, 4, 1]), [plain(name)])
  }

  /// Makes the call's first output of an operator over a volume with its channels last.
  fileprivate mutating func defineVolume(
    _ call: ATenCall,
    _ op: any Operator,
    _ inputs: [ValueID?]
  ) throws {
    let result = try step(call, "result", op, inputs)
    try define(call.with([:], outputs: [call.output]), Transpose([0, 4, 1, 2, 3]), [result])
  }
}

/// A convolution of volumes; `convolution` comes here by the rank of its filter.
func readVolume(
  _ call: ATenCall,
  transposed: Bool,
  _ into: inout ProgramImporter
) throws {
  let input = try call.tensor(call.has("input") ? "input" : "self")
  let weight = try call.tensor("weight")
  let (volume, filter) = (try into.type(input).shape, try into.type(weight).shape)
  let strides = try triple(call, "stride", default: 1)
  let dilations = try triple(call, "dilation", default: 1)
  let pads = try triple(call, "padding", default: 0)
  let groups = try call.int("groups", default: 1)
  guard volume.rank == 5, filter.rank == 5, (strides + dilations).allSatisfy({ $0 > 0 }) else {
    throw call.unsupported("a filter \(filter) for \(volume)")
  }
  let bias = try into.optional(call, "bias")
  let source = try into.volume(call, input)
  guard transposed else {
    guard groups > 0, volume[1] == filter[1] &* groups else {
      throw call.unsupported("a filter \(filter) in \(groups) groups for \(volume)")
    }
    let turned = try into.parameter(weight, [0, 2, 3, 4, 1], call)
    let op = Conv3D(
      strides: Size3D(strides),
      dilations: Size3D(dilations),
      padding: border(pads)
    )
    try into.defineVolume(call, op, [source, turned, bias])
    return
  }
  guard groups == 1 else { throw call.unsupported("\(groups) groups") }
  let extra = try triple(call, "output_padding", default: 0)
  let size = (0..<3).map { axis in
    (volume[2 + axis] - 1) &* strides[axis] - 2 * pads[axis] + dilations[axis]
      &* (filter[2 + axis] - 1) + extra[axis] + 1
  }
  let op = TransposeConv3D(
    strides: Size3D(strides),
    dilations: Size3D(dilations),
    padding: border(pads),
    outputSize: Size3D(size)
  )
  let turned = try into.parameter(weight, [1, 2, 3, 4, 0], call)
  try into.defineVolume(call, op, [source, turned, bias])
}

private func readPool(
  _ call: ATenCall,
  _ kind: Pool2D.Kind,
  _ into: inout ProgramImporter
) throws {
  let window = try triple(call, "kernel_size", default: 1)
  var strides = window
  if let given = try call.ints("stride"), !given.isEmpty {
    strides = try triple(call, "stride", default: 1)
  }
  let pads = try triple(call, "padding", default: 0)
  let countsPads = kind == .average ? try call.bool("count_include_pad", default: true) : false
  guard try triple(call, "dilation", default: 1) == [1, 1, 1], !(try call.bool("ceil_mode")),
    !call.has("divisor_override"), (strides + window).allSatisfy({ $0 > 0 })
  else { throw call.unsupported("dilation, ceil_mode or divisor_override") }
  var source = try into.volume(call, call.tensor("self"))
  var padding = border(pads)
  if countsPads, pads != [0, 0, 0] {
    // The zeros of the border count: they become part of the volume.
    let pad = Pad(before: [0] + pads + [0], after: [0] + pads + [0])
    source = try into.step(call, "padded", pad, [source])
    padding = .valid
  }
  let op = Pool3D(kind, window: Size3D(window), strides: Size3D(strides), padding: padding)
  try into.defineVolume(call, op, [source])
}
