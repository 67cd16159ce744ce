import AssayBase
import AssayGraph
import AssayTensor

/// Lists of tensors, in which loops read their inputs and gather their results: they live only while a
/// graph is read.
let tensorListReaders: [String: TFReader] = [
  "TensorListReserve": { call, into in
    [.list(TFTensorList(elements: try empty(call, try into.integer(call, 1))))]
  },
  "EmptyTensorList": { _, _ in [.list(TFTensorList(elements: []))] },
  "TensorListFromTensor": { call, into in
    let rows = try into.tensor(call, 0)
    let elements = try into.unstacked(call, rows, axis: 0)
    return [.list(TFTensorList(elements: elements, stacked: rows))]
  },
  "TensorListLength": { call, into in
    let count = try list(call).elements.count
    return [.tensor(into.addIntegers(call.name, [count], [], .int32))]
  },
  "TensorListGetItem": { call, into in
    let elements = try list(call).elements
    let index = try into.integer(call, 1)
    guard elements.indices.contains(index) else {
      throw call.unsupported("element \(index) of \(elements.count)")
    }
    guard let element = elements[index] else {
      if let whole = try list(call).stacked {
        let dims = into.graph[whole].type.shape.dims
        let start = [index] + dims.dropFirst().map { _ in 0 }
        let row = try into.step(
          call,
          "row",
          Slice(begin: start, sizes: [1] + dims.dropFirst()),
          [whole]
        )
        return [.tensor(try into.reshaped(call, row, to: Array(dims.dropFirst())))]
      }
      // An element that was never set is zero.
      guard let dtype = call.dtype("element_dtype") else {
        throw call.unsupported("an element that was not set")
      }
      let zero = Tensor([Float(0)], [])
      let number = into.addConstant("\(call.name)/zero", zero.converted(to: dtype) ?? zero)
      return [.tensor(try into.filled(call, number, try into.integers(call, 2)))]
    }
    return [.tensor(element)]
  },
  "TensorListSetItem": { call, into in
    var list = try list(call)
    let index = try into.integer(call, 1)
    guard (0..<1 << 16).contains(index) else { throw call.unsupported("element \(index)") }
    while list.elements.count <= index { list.elements.append(nil) }
    list.elements[index] = try into.tensor(call, 2)
    list.stacked = nil
    return [.list(list)]
  },
  "TensorListPushBack": { call, into in
    var list = try list(call)
    guard list.elements.count < 1 << 16 else { throw call.unsupported("a list so long") }
    list.elements.append(try into.tensor(call, 1))
    list.stacked = nil
    return [.list(list)]
  },
  "TensorListPopBack": { call, into in
    var list = try list(call)
    guard let last = list.elements.popLast(), let last else {
      throw call.unsupported("an element that was not set")
    }
    list.stacked = nil
    return [.list(list), .tensor(last)]
  },
  "TensorListResize": { call, into in
    var list = try list(call)
    let size = try into.integer(call, 1)
    let added = try empty(call, max(size - list.elements.count, 0))
    list.elements = Array(list.elements.prefix(max(size, 0))) + added
    list.stacked = nil
    return [.list(list)]
  },
  "TensorListStack": { call, into in
    let list = try list(call)
    if let whole = list.stacked { return [.tensor(whole)] }
    let parts = list.elements.compactMap { $0 }
    guard parts.count == list.elements.count else {
      throw call.unsupported("a list with elements that were not set")
    }
    return [.tensor(try into.stacked(call, parts, axis: 0))]
  },
]

private func list(_ call: TFCall) throws -> TFTensorList {
  guard case .list(let list) = call.inputs.first else {
    throw call.unsupported("a list that is no list")
  }
  return list
}

private func empty(_ call: TFCall, _ count: Int) throws -> [ValueID?] {
  guard (0..<1 << 16).contains(count) else { throw call.unsupported("a list of \(count)") }
  return [ValueID?](repeating: nil, count: count)
}
