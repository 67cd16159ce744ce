import AssayBase
import AssayGraph
import AssayTensor

let constantReaders: [String: TFReader] = [
  "Const": { call, into in
    guard case .tensor(let value) = call.node.attributes["value"] else {
      throw call.unsupported("a constant without a value")
    }
    if value.dtype == .string { return [.texts(try value.texts())] }
    let tensor = try value.tensor()
    // A repeated element is little in the file and much in memory.
    if value.content == nil { try into.charge(tensor.bytes.count) }
    return [.tensor(into.addConstant(call.name, tensor))]
  },
  "Fill": { call, into in
    let dims = try into.integers(call, 0)
    return [.tensor(try into.filled(call, try into.tensor(call, 1), dims))]
  },
  "ZerosLike": { try readLike($0, &$1, 0) },
  "OnesLike": { try readLike($0, &$1, 1) },
  "Range": readRange,
  "LinSpace": readLinSpace,
  "Shape": readShape,
  "ShapeN": readShape,
  "Size": { call, into in
    let count = try into.shape(call, 0).count
    let dtype = call.dtype("out_type") ?? .int32
    return [.tensor(into.addIntegers(call.name, [count], [], dtype))]
  },
  "Rank": { call, into in
    let rank = try into.shape(call, 0).rank
    return [.tensor(into.addIntegers(call.name, [rank], [], .int32))]
  },
  "InvertPermutation": { call, into in
    let order = try into.integers(call, 0)
    guard order.sorted() == Array(order.indices) else { throw call.unsupported("\(order)") }
    var inverse = order
    for (index, axis) in order.enumerated() { inverse[axis] = index }
    let dtype = into.graph[try into.tensor(call, 0)].type.dtype
    return [.tensor(into.addIntegers(call.name, inverse, [order.count], dtype))]
  },
  "BroadcastArgs": { call, into in
    let (a, b) = (try into.integers(call, 0), try into.integers(call, 1))
    guard let both = Shape(a).broadcast(with: Shape(b)) else {
      throw call.unsupported("\(a) with \(b)")
    }
    let dtype = into.graph[try into.tensor(call, 0)].type.dtype
    return [.tensor(into.addIntegers(call.name, both.dims, [both.rank], dtype))]
  },
  "ListDiff": { call, into in
    let (all, without) = (try into.integers(call, 0), Set(try into.integers(call, 1)))
    let kept = all.indices.filter { !without.contains(all[$0]) }
    let dtype = into.graph[try into.tensor(call, 0)].type.dtype
    let values = into.addIntegers(call.name, kept.map { all[$0] }, [kept.count], dtype)
    let places = into.addIntegers("\(call.name):1", kept, [kept.count], .int32)
    return [.tensor(values), .tensor(places)]
  },
]

private func readLike(
  _ call: TFCall,
  _ into: inout TensorFlowImporter,
  _ value: Float
) throws -> [TFValue] {
  let x = try into.tensor(call, 0)
  let number = into.addNumber(value, like: x)
  return [.tensor(try into.filled(call, number, into.graph[x].type.shape.dims))]
}

private func readShape(_ call: TFCall, _ into: inout TensorFlowImporter) throws -> [TFValue] {
  let dtype = call.dtype("out_type") ?? .int32
  return try call.inputs.indices.map { index in
    let dims: [Int]
    if case .variable = call.inputs[index] {
      dims = into.graph[try into.variable(call, index)].type.shape.dims
    } else {
      dims = try into.shape(call, index).dims
    }
    return .tensor(into.addIntegers(call.name, dims, [dims.count], dtype))
  }
}

private func readRange(_ call: TFCall, _ into: inout TensorFlowImporter) throws -> [TFValue] {
  let operands = try (0..<3).map { index in
    guard let tensor = try into.constant(call, index), tensor.count == 1 else {
      throw call.unsupported("a range that is computed while the network runs")
    }
    return tensor
  }
  let dtype = operands[0].dtype
  let limit = 1 << 22
  guard dtype.isFloat else {
    let (start, end, step) = (
      operands[0].integers()[0], operands[1].integers()[0], operands[2].integers()[0]
    )
    let (span, overflow) = end.subtractingReportingOverflow(start)
    guard step != 0, !overflow, span.magnitude / step.magnitude < limit else {
      throw call.unsupported("a range from \(start) to \(end) by \(step)")
    }
    let values = Array(stride(from: start, to: end, by: step))
    return [.tensor(into.addIntegers(call.name, values, [values.count], dtype))]
  }
  let (start, end, step) = (
    Double(operands[0].floats()[0]), Double(operands[1].floats()[0]),
    Double(operands[2].floats()[0])
  )
  let number = ((end - start) / step).rounded(.up)
  guard number.isFinite, number < Double(limit) else {
    throw call.unsupported("a range from \(start) to \(end) by \(step)")
  }
  let count = max(Int(number), 0)
  let values = Tensor((0..<count).map { Float(start + Double($0) * step) }, [count])
  return [.tensor(into.addConstant(call.name, values.converted(to: dtype) ?? values))]
}

private func readLinSpace(_ call: TFCall, _ into: inout TensorFlowImporter) throws -> [TFValue] {
  let (start, end) = (try into.number(call, 0), try into.number(call, 1))
  let count = try into.integer(call, 2)
  guard (1..<1 << 22).contains(count) else { throw call.unsupported("\(count) numbers") }
  let step = count > 1 ? (Double(end) - Double(start)) / Double(count - 1) : 0
  var values = (0..<count).map { Float(Double(start) + Double($0) * step) }
  if count > 1 { values[count - 1] = end }
  return [.tensor(into.addConstant(call.name, Tensor(values, [count])))]
}

extension TensorFlowImporter {
  /// A tensor of one value; a Constant where the value is one.
  mutating func filled(_ call: TFCall, _ value: ValueID, _ dims: [Int]) throws -> ValueID {
    let type = TensorType(graph[value].type.dtype, Shape(dims))
    guard dims.allSatisfy({ $0 >= 0 }), let count = type.shape.elementCount, count < 1 << 26 else {
      throw call.unsupported("a shape of \(dims)")
    }
    guard let constant = graph[value].constant, constant.count == 1 else {
      return try step(call, "filled", BroadcastTo(dims), [value])
    }
    try charge(type.byteCount ?? 0)
    let element = constant.bytes.array
    var bytes: [UInt8] = []
    bytes.reserveCapacity(count * element.count)
    for _ in 0..<count { bytes += element }
    return addConstant(call.name, try Tensor(type, bytes: ByteView(bytes)))
  }
}
