import AssayBase
import AssayFormat
import AssayGraph
import AssayTensor

let gatherReaders: [String: ATenReader] = [
  "embedding": { call, into in
    let ids = [try into.plain(call.tensor("weight")), try into.plain(call.tensor("indices"))]
    try into.define(call, Gather(axis: 0), ids)
  },
  "index_select": { call, into in
    let input = try call.tensor("self")
    let axis = try into.axis(call, "dim", of: input)
    let indices = try into.plain(call.tensor("index"))
    let (id, along, isImage) = try into.alongAxis(input, axis)
    try into.define(call, Gather(axis: along), [id, indices], areImages: isImage)
  },
  "gather": { call, into in
    let input = try call.tensor("self")
    let axis = try into.axis(call, "dim", of: input)
    let data = try into.plain(input)
    let indices = try into.plain(call.tensor("index"))
    // Only the elements in the box of the indices can be meant.
    let (shape, box) = (into.graph[data].type.shape, into.graph[indices].type.shape)
    guard shape.rank == box.rank else { throw call.unsupported("\(box) of \(shape)") }
    var sizes = box.dims
    sizes[axis] = shape[axis]
    var source = data
    if sizes != shape.dims {
      let cut = Slice(begin: [Int](repeating: 0, count: sizes.count), sizes: sizes)
      source = try into.step(call, "box", cut, [data])
    }
    try into.define(call, GatherElements(axis: axis), [source, indices])
  },
  "index": readIndex, "_unsafe_index": readIndex,
  "index_put": readIndexPut,
  "scatter": { call, into in
    let input = try call.tensor("self")
    guard call.has("src"), !call.has("reduce") else { throw call.unsupported("a number") }
    let axis = try into.axis(call, "dim", of: input)
    let inputs = try ["self", "index", "src"].map { try into.plain(call.tensor($0)) }
    try into.define(call, ScatterElements(axis: axis), inputs)
  },
  "topk": { call, into in
    let input = try call.tensor("self")
    let axis = try into.axis(call, "dim", of: input, default: -1)
    let op = TopK(
      try call.int("k"),
      axis: axis,
      takesLargest: try call.bool("largest", default: true)
    )
    try into.define(call, op, [try into.plain(input)])
  },
  "sort": { call, into in
    let input = try call.tensor("self")
    let axis = try into.axis(call, "dim", of: input, default: -1)
    let op = TopK(
      try into.type(input).shape[axis],
      axis: axis,
      takesLargest: try call.bool("descending")
    )
    try into.define(call, op, [try into.plain(input)])
  },
  "argsort": { call, into in
    let input = try call.tensor("self")
    let axis = try into.axis(call, "dim", of: input, default: -1)
    let op = TopK(
      try into.type(input).shape[axis],
      axis: axis,
      takesLargest: try call.bool("descending")
    )
    let names = [into.valueName("\(call.output)/values"), into.valueName(call.output)]
    let ids = try into.emit(call.output, op, [try into.plain(input)], names)
    into.twins.place(call.output, plain: ids[1])
  },
  "one_hot": { call, into in
    let depth = try call.int("num_classes", default: -1)
    guard depth > 0 else { throw call.unsupported("a number of classes that is not given") }
    let name = into.valueName("\(call.output)/on")
    let on = into.addConstant(name, Tensor([Int64(1)], [], dtype: .int64))
    let other = into.valueName("\(call.output)/off")
    let off = into.addConstant(other, Tensor([Int64(0)], [], dtype: .int64))
    try into.define(call, OneHot(depth: depth), [try into.plain(call.tensor("self")), on, off])
  },
]

/// The tensors in a list of indices, by axis.
private func indices(_ call: ATenCall) throws -> [(axis: Int, name: String)] {
  guard case .tensors(let list)? = call["indices"] else { throw call.unsupported("these indices") }
  return list.enumerated().compactMap { axis, name in name.map { (axis, $0) } }
}

/// Advanced indexing: integers along one axis, or along axes that follow one another.
private func readIndex(_ call: ATenCall, _ into: inout ProgramImporter) throws {
  let input = try call.tensor("self")
  let given = try indices(call)
  let shape = try into.type(input).shape
  for item in given {
    guard try into.type(item.name).dtype != .bool else {
      throw call.unsupported("a mask", remedy: "use torch.where with fixed shapes")
    }
  }
  guard let first = given.first, given.count <= shape.rank else {
    throw call.unsupported("no index")
  }
  if given.count == 1 {
    let axis = first.axis
    let data = try into.plain(input)
    let index = try into.counted(call, first.name, shape[axis])
    try into.define(call, Gather(axis: axis), [data, index])
    return
  }
  guard given.map(\.axis) == Array(first.axis..<first.axis + given.count) else {
    throw call.unsupported("indices along axes that lie apart")
  }
  let coordinates = try into.coordinates(call, given.map(\.name))
  var data = try into.plain(input)
  guard first.axis > 0 else {
    try into.define(call, GatherND(), [data, coordinates])
    return
  }
  // The axes before become the last ones and come back.
  let order = Array(first.axis..<shape.rank) + Array(0..<first.axis)
  data = try into.step(call, "turned", Transpose(order), [data])
  let picked = try into.step(call, "picked", GatherND(), [data, coordinates])
  let rank = into.graph[picked].type.shape.rank
  let lead = Array(rank - first.axis..<rank)
  try into.define(call, Transpose(lead + Array(0..<rank - first.axis)), [picked])
}

private func readIndexPut(_ call: ATenCall, _ into: inout ProgramImporter) throws {
  let input = try call.tensor("self")
  let given = try indices(call)
  for item in given where try into.type(item.name).dtype == .bool {
    throw call.unsupported("a mask", remedy: "use torch.where with fixed shapes")
  }
  guard !given.isEmpty, given.map(\.axis) == Array(0..<given.count) else {
    throw call.unsupported("indices that do not begin at the first axis")
  }
  let coordinates = try into.coordinates(call, given.map(\.name))
  let box = into.graph[coordinates].type.shape.dims.dropLast()
  let shape = try into.type(input).shape
  let dims = Array(box) + shape.dims.dropFirst(given.count)
  var values = try into.plain(call.tensor("values"))
  if into.graph[values].type.shape.dims != dims {
    values = try into.step(call, "values", BroadcastTo(dims), [values])
  }
  let reduction: ScatterReduction = try call.bool("accumulate") ? .add : .replace
  try into.define(call, ScatterND(reduction), [try into.plain(input), coordinates, values])
}

extension ProgramImporter {
  /// Indices without negative ones.
  fileprivate mutating func counted(
    _ call: ATenCall,
    _ name: String,
    _ extent: Int
  ) throws -> ValueID {
    let id = try plain(name)
    guard let tensor = graph[id].constant else { return id }
    let values = tensor.integers()
    guard values.allSatisfy({ $0 >= -extent && $0 < extent }) else {
      throw call.unsupported("an index outside \(extent) elements")
    }
    guard values.contains(where: { $0 < 0 }) else { return id }
    let positive = values.map { Int64($0 < 0 ? $0 + extent : $0) }
    return addConstant(
      valueName("\(call.output)/counted"),
      Tensor(positive, tensor.shape, dtype: .int64)
    )
  }

  /// Several index tensors, broadcast, as coordinates in a last axis.
  fileprivate mutating func coordinates(_ call: ATenCall, _ names: [String]) throws -> ValueID {
    var shape: Shape? = []
    for name in names { shape = shape?.broadcast(with: try type(name).shape) }
    guard let shape else { throw call.unsupported("indices that do not broadcast") }
    var columns: [ValueID?] = []
    for (index, name) in names.enumerated() {
      var id = try cast(plain(name), to: .int64, call)
      if graph[id].type.shape != shape {
        id = try step(call, "index\(index)", BroadcastTo(shape.dims), [id])
      }
      columns.append(try step(call, "column\(index)", Reshape(shape.dims + [1]), [id]))
    }
    if columns.count == 1, let only = columns[0] { return only }
    return try step(call, "coordinates", Concat(axis: shape.rank), columns)
  }
}
