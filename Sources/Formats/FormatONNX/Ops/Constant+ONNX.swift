import AssayBase
import AssayFormat
import AssayGraph
import AssayTensor

/// Operators that leave nothing in a graph but a Constant or another name.
let constantReaders: [String: ONNXReader] = [
  "Constant": readConstant,
  "Identity": { try $1.alias($0, to: $0.input(0)) },
  "Dropout": { call, into in
    // In inference it does nothing; in training it only does nothing when it drops nothing.
    if call.has(2), try into.known(call.input(2), call).integers().first != 0 {
      let ratio = call.has(1) ? try into.number(call.input(1), call) : 0.5
      guard ratio == 0 else { throw call.unsupported("training_mode, which draws at random,") }
    }
    try into.alias(call, to: call.input(0))
    guard into.wants(call, 1) else { return }
    let dims = try into.type(call.input(0)).shape.dims
    let truth = into.scalar(1, .bool)
    into.conclude(call, try into.step(call, "mask", BroadcastTo(dims), [truth]), output: 1)
  },
  "Shape": { call, into in
    let shape = try into.type(call.input(0)).shape
    let rank = shape.rank
    func inside(_ position: Int) -> Int {
      min(max(position < 0 ? position + rank : position, 0), rank)
    }
    let start = inside(call.int("start", default: 0))
    let end = max(inside(call.int("end", default: rank)), start)
    let dims = shape.dims[start..<end].map { Int64($0) }
    into.defineConstant(call, Tensor(dims, [dims.count], dtype: .int64))
  },
  "ConstantOfShape": { call, into in
    let dims = try into.integers(call.input(0), call)
    let value = try call.tensor("value").map { try into.tensor($0) } ?? Tensor([Float(0)], [1])
    let shape = Shape(dims)
    guard value.count == 1, let count = shape.elementCount, count <= 1 << 24,
      value.dtype.bitWidth >= 8
    else { throw call.unsupported("\(shape)") }
    let element = value.bytes.array
    let bytes = ByteView((0..<count).lazy.flatMap { _ in element }.map { $0 })
    let type = TensorType(value.dtype, shape)
    into.defineConstant(call, try Tensor(type, bytes: bytes))
  },
]

private func readConstant(_ call: OperatorCall, _ into: inout GraphImporter) throws {
  if let tensor = call.tensor("value") {
    into.defineConstant(call, try into.tensor(tensor))
  } else if let sparse = call.sparseTensor("sparse_value") {
    into.defineConstant(call, try into.tensor(sparse))
  } else if let value = call.float("value_float") {
    into.defineConstant(call, Tensor([value], []))
  } else if let values = call.floats("value_floats") {
    into.defineConstant(call, Tensor(values, [values.count]))
  } else if let value = call.int("value_int") {
    into.defineConstant(call, Tensor([Int64(value)], [], dtype: .int64))
  } else if let values = call.ints("value_ints") {
    into.defineConstant(
      call,
      Tensor(values.map { Int64($0) }, [values.count], dtype: .int64)
    )
  } else {
    throw call.unsupported("a constant that is no tensor, number or list")
  }
}
