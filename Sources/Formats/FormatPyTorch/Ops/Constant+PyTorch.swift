import AssayBase
import AssayFormat
import AssayGraph
import AssayTensor

/// Operators that leave nothing in a graph but a Constant, another name or another element type.
let constantReaders: [String: ATenReader] = {
  var table: [String: ATenReader] = [
    "full": { call, into in
      try into.defineFilled(call, call.ints("size") ?? [], call.fill("fill_value"))
    },
    "full_like": { try $1.defineLike($0, $0.fill("fill_value")) },
    "new_full": { try $1.defineFilled($0, $0.ints("size") ?? [], $0.fill("fill_value")) },
    "fill": { try $1.defineLike($0, $0.fill("value")) },
    "zero": { try $1.defineLike($0, .int(0)) },
    "zeros": { try $1.defineFilled($0, $0.ints("size") ?? [], .int(0)) },
    "ones": { try $1.defineFilled($0, $0.ints("size") ?? [], .int(1)) },
    "empty": { try $1.defineFilled($0, $0.ints("size") ?? [], .int(0)) },
    "new_zeros": { try $1.defineFilled($0, $0.ints("size") ?? [], .int(0)) },
    "new_ones": { try $1.defineFilled($0, $0.ints("size") ?? [], .int(1)) },
    "new_empty": { try $1.defineFilled($0, $0.ints("size") ?? [], .int(0)) },
    "zeros_like": { try $1.defineLike($0, .int(0)) },
    "ones_like": { try $1.defineLike($0, .int(1)) },
    "empty_like": { try $1.defineLike($0, .int(0)) },
    "scalar_tensor": { try $1.defineFilled($0, [], $0.fill("s")) },
    "arange": { call, into in
      let start = try call.double("start", default: 0)
      let (end, step) = (try call.double("end"), try call.double("step", default: 1))
      let count = ((end - start) / step).rounded(.up)
      guard step != 0, count.isFinite, count < 0x1p24 else {
        throw call.unsupported("from \(start) to \(end)")
      }
      let values = (0..<max(Int(count), 0)).map { start + Double($0) * step }
      try into.define(call, values: values, [values.count])
    },
    "linspace": { call, into in
      let (start, end) = (try call.double("start"), try call.double("end"))
      let count = try call.int("steps")
      guard (0..<1 << 24).contains(count) else { throw call.unsupported("\(count) steps") }
      let values = (0..<count).map {
        count == 1 ? start : start + (end - start) * Double($0) / Double(count - 1)
      }
      try into.define(call, values: values, [count])
    },
    "eye": { call, into in
      let rows = try call.int("n")
      let columns = try call.int("m", default: rows)
      guard (0..<1 << 12).contains(rows), (0..<1 << 12).contains(columns) else {
        throw call.unsupported("\(rows) by \(columns)")
      }
      let values = (0..<rows * columns).map { $0 / columns == $0 % columns ? 1.0 : 0 }
      try into.define(call, values: values, [rows, columns])
    },
    "tril": { call, into in
      let op = BandPart(lowest: nil, highest: try call.int("diagonal", default: 0))
      try into.define(call, op, [try into.plain(call.tensor("self"))])
    },
    "triu": { call, into in
      let op = BandPart(lowest: try call.int("diagonal", default: 0), highest: nil)
      try into.define(call, op, [try into.plain(call.tensor("self"))])
    },
    "meshgrid": { call, into in
      let names = try call.tensors("tensors")
      let extents = try names.map { try into.type($0).shape.count }
      guard names.count == call.outputs.count, call.string("indexing") ?? "ij" == "ij" else {
        throw call.unsupported("this indexing")
      }
      for (axis, (name, output)) in zip(names, call.outputs).enumerated() {
        var dims = [Int](repeating: 1, count: names.count)
        dims[axis] = extents[axis]
        let part = call.with([:], outputs: [output])
        let line = try into.step(part, "line", Reshape(dims), [into.plain(name)])
        try into.define(part, BroadcastTo(extents), [line])
      }
    },
    "to": { try $1.defineConverted($0) }, "_to_copy": { try $1.defineConverted($0) },
    "type_as": { try $1.defineConverted($0) }, "float": { try $1.defineConverted($0) },
    "copy": { call, into in
      let shape = try into.type(call.tensor("self")).shape
      let source = try into.plain(call.tensor("src"))
      let dtype = try into.declaredType(call.output) ?? .float32
      let same = try into.cast(source, to: dtype, call)
      try into.define(call, BroadcastTo(shape.dims), [same])
    },
    "resolve_conj": readSame, "resolve_neg": readSame,
  ]
  for name in [
    "clone", "detach", "alias", "contiguous", "dropout", "feature_dropout", "alpha_dropout",
    "lift_fresh", "lift_fresh_copy", "lift", "identity", "requires_grad", "_conj", "positive",
    "native_dropout", "real", "pin_memory", "cpu", "cuda", "detach_copy", "view_copy_same",
  ] { table[name] = readSame }
  return table
}()

private func readSame(_ call: ATenCall, _ into: inout ProgramImporter) throws {
  if call.name.contains("dropout"), try call.bool("train") || call.bool("training") {
    throw call.unsupported("training", remedy: "call model.eval() before torch.export.export")
  }
  try into.alias(call, to: call.tensor(call.has("input") ? "input" : "self"))
}

extension ATenCall {
  /// The number that a tensor is filled with.
  fileprivate func fill(_ key: String) throws -> ProgramImporter.Operand {
    if case .tensor(let name)? = self[key] { return .tensor(name) }
    if case .scalar(let value)? = self[key] { return .scalar(value) }
    return .scalar(.float(try double(key)))
  }
}

extension ProgramImporter.Operand {
  fileprivate static func int(_ value: Int) -> Self { .scalar(.int(value)) }
}

extension ProgramImporter {
  /// Makes the call's output a Constant of these numbers, in the type that the program declares.
  fileprivate mutating func define(_ call: ATenCall, values: [Double], _ shape: Shape) throws {
    let dtype = try declaredType(call.output) ?? .float32
    switch dtype {
    case .float32: define(call, constant: Tensor(values.map { Float($0) }, shape))
    default:
      let whole = values.map { Int64(exactly: $0.rounded(.towardZero)) ?? 0 }
      let tensor = Tensor(whole, shape, dtype: .int64)
      define(call, constant: dtype == .int64 ? tensor : tensor.converted(to: dtype) ?? tensor)
    }
  }

  fileprivate mutating func defineLike(_ call: ATenCall, _ value: Operand) throws {
    try defineFilled(call, type(call.tensor("self")).shape.dims, value)
  }

  fileprivate mutating func defineFilled(
    _ call: ATenCall,
    _ dims: [Int],
    _ value: Operand
  ) throws {
    let shape = Shape(dims)
    guard dims.allSatisfy({ $0 >= 0 }), let count = shape.elementCount, count <= 1 << 24 else {
      throw call.unsupported("\(dims)")
    }
    let dtype = try declaredType(call.output) ?? .float32
    switch value {
    case .tensor(let name):
      let id = try cast(plain(name), to: dtype, call)
      try define(call, BroadcastTo(dims), [id])
    case .scalar(let number):
      let element = scalar(number, dtype)
      guard let tensor = graph[element].constant else { return }
      let bytes = tensor.bytes.array
      var all: [UInt8] = []
      all.reserveCapacity(bytes.count * count)
      for _ in 0..<count { all += bytes }
      define(call, constant: try Tensor(TensorType(tensor.dtype, shape), bytes: ByteView(all)))
    }
  }

  /// The input in the element type that the program declares for the output.
  fileprivate mutating func defineConverted(_ call: ATenCall) throws {
    let input = try call.tensor("self")
    let dtype = try declaredType(call.output)
    guard let dtype, try type(input).dtype != dtype else {
      try alias(call, to: input)
      return
    }
    let (ids, areImages) = try operands(call, [.tensor(input)], as: [nil])
    try define(call, Cast(dtype), ids, areImages: areImages)
  }
}
