import AssayBase
import AssayFormat
import AssayGraph
import AssayTensor

let reduceReaders: [String: ATenReader] = [
  "mean": reduce(.mean), "sum": reduce(.sum), "prod": reduce(.product), "amax": reduce(.max),
  "amin": reduce(.min),
  "any": { call, into in try truth(call, .any, &into) },
  "all": { call, into in try truth(call, .all, &into) },
  "max": { try extreme($0, .max, .maximum, &$1) }, "min": { try extreme($0, .min, .minimum, &$1) },
  "argmax": { try position($0, .max, &$1) }, "argmin": { try position($0, .min, &$1) },
  "var": { try variance($0, isRoot: false, &$1) }, "std": { try variance($0, isRoot: true, &$1) },
  "linalg_vector_norm": { try norm($0, order: $0.double("ord", default: 2), &$1) },
  "norm": { try norm($0, order: $0.double("p", default: 2), &$1) },
  "logsumexp": { call, into in
    let source = try into.reduced(call)
    let most = try into.step(
      call,
      "max",
      Reduce(.max, axes: source.axes, keepsAxes: true),
      [source.id]
    )
    let low = try into.step(call, "low", Binary(.subtract), [source.id, most])
    let power = try into.step(call, "exp", Unary(.exp), [low])
    let kept = Reduce(.sum, axes: source.axes, keepsAxes: source.keepsAxes)
    let sum = try into.step(call, "sum", kept, [power])
    let log = try into.step(call, "log", Unary(.log), [sum])
    let peak = try into.step(
      call,
      "peak",
      Reduce(.max, axes: source.axes, keepsAxes: source.keepsAxes),
      [source.id]
    )
    try into.define(call, Binary(.add), [log, peak], areImages: source.isImage)
  },
  "cumsum": { call, into in
    let input = try call.tensor("self")
    let axis = try into.axis(call, "dim", of: input)
    let dtype = try into.declaredType(call.output)
    var id = try into.plain(input)
    if let dtype { id = try into.cast(id, to: dtype, call) }
    try into.define(call, CumulativeSum(axis: axis), [id])
  },
]

extension ProgramImporter {
  /// What a reduction reads, and along which axes of it.
  struct Reduced {
    var id: ValueID
    var axes: [Int]
    var keepsAxes: Bool
    /// Whether the result stands as an image.
    var isImage: Bool
  }

  /// What a reduction reads: an image where that leaves the order of the remaining axes as it is.
  mutating func reduced(_ call: ATenCall, keys: String = "dim") throws -> Reduced {
    let input = try call.tensor("self")
    let shape = try type(input).shape
    let given = try call.ints(keys) ?? []
    var axes = try given.map { try axis($0, rank: shape.rank, call) }
    if axes.isEmpty { axes = Array(0..<shape.rank) }
    let keeps = try call.bool("keepdim")
    if let image = knownImage(input) {
      let turned = axes.map { Self.imageAxis($0) }
      if keeps { return Reduced(id: image, axes: turned, keepsAxes: true, isImage: true) }
      if axes.contains(1) || axes.contains(2) && axes.contains(3) {
        return Reduced(id: image, axes: turned, keepsAxes: false, isImage: false)
      }
    }
    return Reduced(id: try plain(input), axes: axes, keepsAxes: keeps, isImage: false)
  }
}

private func reduce(_ kind: Reduce.Kind) -> ATenReader {
  { call, into in
    var source = try into.reduced(call)
    if let dtype = try into.declaredType(call.output) {
      source.id = try into.cast(source.id, to: dtype, call)
    }
    let op = Reduce(kind, axes: source.axes, keepsAxes: source.keepsAxes)
    try into.define(call, op, [source.id], areImages: source.isImage)
  }
}

private func truth(_ call: ATenCall, _ kind: Reduce.Kind, _ into: inout ProgramImporter) throws {
  let source = try into.reduced(call)
  let id = try into.cast(source.id, to: .bool, call)
  let op = Reduce(kind, axes: source.axes, keepsAxes: source.keepsAxes)
  try into.define(call, op, [id], areImages: source.isImage)
}

/// `max(x)`, `max(x, y)`, or `max(x, dim)` with the positions.
private func extreme(
  _ call: ATenCall,
  _ kind: Reduce.Kind,
  _ binary: Binary.Kind,
  _ into: inout ProgramImporter
) throws {
  if call.has("other") {
    let list = [try into.operand(call, "self"), try into.operand(call, "other")]
    let (ids, areImages) = try into.operands(call, list, as: [nil, nil])
    try into.define(call, Binary(binary), ids, areImages: areImages)
    return
  }
  let source = try into.reduced(call)
  let op = Reduce(kind, axes: source.axes, keepsAxes: source.keepsAxes)
  let values = call.with([:], outputs: [call.output])
  try into.define(values, op, [source.id], areImages: source.isImage)
  guard call.outputs.count == 2, source.axes.count == 1 else { return }
  let positions = call.with([:], outputs: [call.outputs[1]])
  try into.define(
    positions,
    ArgReduce(
      kind == .max ? .max : .min,
      axis: source.axes[0],
      keepsAxis: source.keepsAxes,
      dtype: .int64
    ),
    [source.id],
    areImages: source.isImage
  )
}

private func position(
  _ call: ATenCall,
  _ kind: ArgReduce.Kind,
  _ into: inout ProgramImporter
) throws {
  guard call.has("dim") else {
    let flat = try into.step(call, "flat", Reshape([-1]), [into.plain(call.tensor("self"))])
    try into.define(call, ArgReduce(kind, axis: 0, keepsAxis: false, dtype: .int64), [flat])
    return
  }
  let source = try into.reduced(call)
  let op = ArgReduce(kind, axis: source.axes[0], keepsAxis: source.keepsAxes, dtype: .int64)
  try into.define(call, op, [source.id], areImages: source.isImage)
}

private func variance(_ call: ATenCall, isRoot: Bool, _ into: inout ProgramImporter) throws {
  let source = try into.reduced(call)
  let shape = into.graph[source.id].type.shape
  let count = source.axes.reduce(1) { $0 &* shape[$1] }
  var correction = try call.double("correction", default: 1)
  if call.has("unbiased"), !(try call.bool("unbiased")) { correction = 0 }
  let average = Reduce(.mean, axes: source.axes, keepsAxes: true)
  let mean = try into.step(call, "mean", average, [source.id])
  let squares = try into.step(call, "squares", Binary(.squaredDifference), [source.id, mean])
  let op = Reduce(.mean, axes: source.axes, keepsAxes: source.keepsAxes)
  guard correction != 0 || isRoot else {
    try into.define(call, op, [squares], areImages: source.isImage)
    return
  }
  var result = try into.step(call, "variance", op, [squares])
  if correction != 0 {
    let factor = into.addConstant(Float(Double(count) / (Double(count) - correction)))
    guard isRoot else {
      try into.define(call, Binary(.multiply), [result, factor], areImages: source.isImage)
      return
    }
    result = try into.step(call, "corrected", Binary(.multiply), [result, factor])
  }
  try into.define(call, Unary(.sqrt), [result], areImages: source.isImage)
}

private func norm(_ call: ATenCall, order: Double, _ into: inout ProgramImporter) throws {
  let source = try into.reduced(call)
  func op(_ kind: Reduce.Kind) -> Reduce {
    Reduce(kind, axes: source.axes, keepsAxes: source.keepsAxes)
  }
  switch order {
  case 2:
    let squares = try into.step(call, "squares", Unary(.square), [source.id])
    let sum = try into.step(call, "sum", op(.sum), [squares])
    try into.define(call, Unary(.sqrt), [sum], areImages: source.isImage)
  case 1, .infinity, -.infinity:
    let size = try into.step(call, "abs", Unary(.abs), [source.id])
    let kind: Reduce.Kind = order == 1 ? .sum : order > 0 ? .max : .min
    try into.define(call, op(kind), [size], areImages: source.isImage)
  default: throw call.unsupported("a norm of order \(order)")
  }
}
