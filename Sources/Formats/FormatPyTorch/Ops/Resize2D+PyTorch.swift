import AssayBase
import AssayFormat
import AssayGraph
import AssayTensor

let resizeReaders: [String: ATenReader] = [
  "upsample_nearest2d": { try readResize($0, .nearest, &$1) },
  "_upsample_nearest_exact2d": { try readResize($0, .nearest, isExact: true, &$1) },
  "upsample_bilinear2d": { try readResize($0, .bilinear, &$1) },
  "upsample_nearest1d": { call, into in
    let row = try into.row(call, try call.tensor(call.has("input") ? "input" : "self"))
    let inner = into.open(call)
    var changes: [String: Argument] = ["input": .tensor(row), "self": .tensor(row)]
    if let size = try call.ints("output_size")?.first {
      changes["output_size"] = .scalars([.int(1), .int(size)])
    }
    if let factor = try call.doubles("scale_factors")?.first {
      changes["scale_factors"] = .scalars([.float(1), .float(factor)])
    }
    try readResize(call.with(changes, outputs: [inner]), .nearest, &into)
    try into.finishRow(call, inner)
  },
  "pad": { call, into in
    let mode = call.string("mode") ?? "constant"
    let value = try call.double("value", default: 0)
    try readPad(call, mode, value, &into)
  },
  "constant_pad_nd": { try readPad($0, "constant", $0.double("value", default: 0), &$1) },
  "reflection_pad1d": { try readPad($0, "reflect", 0, &$1) },
  "reflection_pad2d": { try readPad($0, "reflect", 0, &$1) },
  "replication_pad1d": { try readPad($0, "replicate", 0, &$1) },
  "replication_pad2d": { try readPad($0, "replicate", 0, &$1) },
]

private func readResize(
  _ call: ATenCall,
  _ kind: Resize2D.Kind,
  isExact: Bool = false,
  _ into: inout ProgramImporter
) throws {
  let input = try call.tensor(call.has("input") ? "input" : "self")
  let shape = try into.type(input).shape
  guard shape.rank == 4 else { throw call.unsupported("an image \(shape)") }
  let factors = try factors(call)
  var size = try call.ints("output_size") ?? []
  if size.isEmpty, factors.count == 2 {
    size = [0, 1].map { Int(clamped: Double(shape[2 + $0]) * factors[$0]) }
  }
  guard size.count == 2, size.allSatisfy({ $0 > 0 && $0 < 1 << 20 }) else {
    throw call.unsupported("\(shape) to \(size)")
  }
  let alignsCorners = try call.bool("align_corners")
  // Pixels are found with the factor that was given, a Graph finds them with the extents.
  let isWhole = zip(zip(shape.dims.dropFirst(2), factors), size).allSatisfy { pair, extent in
    (Double(pair.0) * pair.1 - Double(extent)).magnitude < 1e-6
  }
  guard alignsCorners || isWhole else {
    throw call.unsupported(
      "a factor of \(factors) for \(shape)",
      remedy: "give the size, or recompute_scale_factor=True"
    )
  }
  let op = Resize2D(
    kind,
    size: Size2D(size[0], size[1]),
    alignsCorners: alignsCorners,
    usesHalfPixels: isExact || kind == .bilinear && !alignsCorners
  )
  try into.defineImage(call, op, [try into.image(input)])
}

/// The factors of height and width, or none.
private func factors(_ call: ATenCall) throws -> [Double] {
  if let both = try call.doubles("scale_factors") { return both.count == 2 ? both : [] }
  guard call.has("scales_h"), call.has("scales_w") else { return [] }
  return [try call.double("scales_h"), try call.double("scales_w")]
}

extension Int {
  fileprivate init(clamped value: Double) {
    self = value.isFinite && value >= 0 && value < 1e9 ? Int(value) : 0
  }
}

/// Amounts come in pairs from the last axis on; negative ones cut.
private func readPad(
  _ call: ATenCall,
  _ mode: String,
  _ value: Double,
  _ into: inout ProgramImporter
) throws {
  let input = try call.tensor("self")
  let shape = try into.type(input).shape
  let amounts = try call.ints(call.has("padding") ? "padding" : "pad") ?? []
  guard amounts.count % 2 == 0, amounts.count <= 2 * shape.rank,
    amounts.allSatisfy({ abs($0) < 1 << 30 })
  else { throw call.unsupported("\(amounts) around \(shape)") }
  let modes: [String: Pad.Mode] = ["constant": .constant, "reflect": .reflect, "replicate": .edge]
  guard let padMode = modes[mode] else { throw call.unsupported("mode '\(mode)'") }
  var (before, after) = (
    [Int](repeating: 0, count: shape.rank), [Int](repeating: 0, count: shape.rank)
  )
  for pair in 0..<amounts.count / 2 {
    before[shape.rank - 1 - pair] = amounts[2 * pair]
    after[shape.rank - 1 - pair] = amounts[2 * pair + 1]
  }
  let image = into.knownImage(input)
  var id = try image ?? into.plain(input)
  before = ProgramImporter.arranged(before, isImage: image != nil)
  after = ProgramImporter.arranged(after, isImage: image != nil)
  if amounts.contains(where: { $0 < 0 }) {
    let dims = into.graph[id].type.shape.dims
    let begin = before.map { max(-$0, 0) }
    let sizes = dims.indices.map { dims[$0] - begin[$0] - max(-after[$0], 0) }
    guard sizes.allSatisfy({ $0 >= 0 }) else {
      throw call.unsupported("\(amounts) around \(shape)")
    }
    let cut = Slice(begin: begin, sizes: sizes)
    (before, after) = (before.map { max($0, 0) }, after.map { max($0, 0) })
    if (before + after).allSatisfy({ $0 == 0 }) {
      try into.define(call, cut, [id], areImages: image != nil)
      return
    }
    id = try into.step(call, "cut", cut, [id])
  }
  let op = Pad(before: before, after: after, mode: padMode, value: Float(value))
  try into.define(call, op, [id], areImages: image != nil)
}
