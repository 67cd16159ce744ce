import AssayBase
import AssayFormat
import AssayGraph
import AssayTensor

let irMathReaders: [String: IRReader] = [
  "MatMul": readMatMul,
  "SoftMax": { call, into in
    let axis = try call.int("axis", default: 1)
    try readAlong(call, &into, axis) { Softmax(axis: $0) }
  },
  "Softmax": { call, into in
    let axis = try call.int("axis", default: 1)
    try readAlong(call, &into, axis) { Softmax(axis: $0) }
  },
  "LogSoftmax": { call, into in
    let axis = try call.int("axis", default: -1)
    try readAlong(call, &into, axis) { LogSoftmax(axis: $0) }
  },
  "CumSum": { call, into in
    let (isExclusive, isReversed) = (
      call.bool("exclusive", default: false), call.bool("reverse", default: false)
    )
    let axis = call.has(1) ? try into.axis(call, 1) : 0
    try readAlong(call, &into, axis) {
      CumulativeSum(axis: $0, isExclusive: isExclusive, isReversed: isReversed)
    }
  },
  "ReduceMean": reduce(.mean), "ReduceSum": reduce(.sum), "ReduceMax": reduce(.max),
  "ReduceMin": reduce(.min), "ReduceProd": reduce(.product),
  "ReduceLogicalOr": reduce(.any), "ReduceLogicalAnd": reduce(.all),
  "TopK": readTopK,
]

/// An operator along one axis, as an image where the input stands as one.
private func readAlong(
  _ call: IRCall,
  _ into: inout IRImporter,
  _ axis: Int,
  _ make: (Int) -> any Operator
) throws {
  let shape = try into.type(call.input(0)).shape
  guard let axis = shape.normalized(axis: axis) else { throw call.unsupported("axis \(axis)") }
  let (x, isImage) = try into.operand(call)
  try into.define(call, make(isImage ? [0, 3, 1, 2][axis] : axis), [x], isImage: isImage)
}

private func readMatMul(_ call: IRCall, _ into: inout IRImporter) throws {
  let transposesA = call.bool("transpose_a", default: false)
  let transposesB = call.bool("transpose_b", default: false)
  let (a, b) = (try into.type(call.input(0)).shape, try into.type(call.input(1)).shape)
  if !transposesA, b.rank == 2, a.rank >= 1, into.constant(call.input(1)) != nil || transposesB {
    let order = transposesB ? [0, 1] : [1, 0]
    let weights = try into.twins.parameter(call.input(1), order, result: call.output)
    try into.define(call, FullyConnected(), [into.plain(call.input(0)), weights])
    return
  }
  let op = MatMul(transposesA: transposesA, transposesB: transposesB)
  try into.define(call, op, [into.plain(call.input(0)), into.plain(call.input(1))])
}

private func reduce(_ kind: Reduce.Kind) -> IRReader {
  { call, into in
    let shape = try into.type(call.input(0)).shape
    let given = try into.integers(call, 1)
    let axes = given.compactMap { shape.normalized(axis: $0) }
    guard axes.count == given.count else { throw call.unsupported("axes \(given)") }
    let keeps = call.bool("keep_dims", default: false)
    if let image = into.knownImage(call.input(0)), keeps || Set(axes) == [2, 3] {
      let op = Reduce(kind, axes: axes.map { [0, 3, 1, 2][$0] }.sorted(), keepsAxes: keeps)
      try into.define(call, op, [image], isImage: keeps)
      return
    }
    let op = Reduce(kind, axes: axes.sorted(), keepsAxes: keeps)
    try into.define(call, op, [into.plain(call.input(0))])
  }
}

private func readTopK(_ call: IRCall, _ into: inout IRImporter) throws {
  let count = try into.integers(call, 1)
  let dtype = DType(irElementType: call.string("index_element_type", default: "i32")) ?? .int32
  guard count.count == 1, call.outputs.count == 2, call.string("sort", default: "value") == "value"
  else { throw call.unsupported("sort \(call.string("sort", default: "?"))") }
  let op = TopK(
    count[0],
    axis: try call.int("axis", default: -1),
    takesLargest: call.string("mode", default: "max") == "max",
    dtype: dtype
  )
  try into.define(call, op, [into.plain(call.input(0))])
}
