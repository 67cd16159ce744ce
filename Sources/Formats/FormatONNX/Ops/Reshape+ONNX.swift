import AssayFormat
import AssayGraph
import AssayTensor

extension Reshape: ONNXExportable {
  func write(_ node: NodeView, to file: inout GraphExporter) throws {
    file.finishReshape(node, file.real(node, 0))
  }
}

extension GraphExporter {
  /// Ends a node with the reshape of a result to the extents and layout of its output.
  mutating func finishReshape(_ view: NodeView, _ source: String) {
    let dims = outputLayout(view).arrange(view.outputs[0].shape.dims)
    finish(view, "Reshape", [source, constant(ints: dims)], reshapeAttributes(dims))
  }

  /// Adds the reshape of a value to a matrix whose rows are its last axis.
  mutating func addRows(of source: String, _ shape: Shape, for view: NodeView) -> String {
    let dims = [Shape(Array(shape.dims.dropLast())).count, shape[-1]]
    return add("Reshape", [source, constant(ints: dims)], reshapeAttributes(dims), for: view)
  }

  /// Without this attribute an extent of 0 stands for that of the input.
  func reshapeAttributes(_ dims: [Int]) -> [ONNXAttribute] {
    dims.contains(0) ? [.int("allowzero", 1)] : []
  }
}

// MARK: - Import

let reshapeReaders: [String: ONNXReader] = [
  "Reshape": readReshape,
  "Flatten": { call, into in
    let shape = try into.type(call.input(0)).shape
    let given = call.int("axis", default: 1)
    let axis = given < 0 ? given + shape.rank : given
    guard (0...shape.rank).contains(axis) else { throw call.unsupported("axis \(given)") }
    let dims = [
      Shape(Array(shape.dims.prefix(axis))).count, Shape(Array(shape.dims.dropFirst(axis))).count,
    ]
    try into.defineReshape(call, dims)
  },
  "Squeeze": { call, into in
    let shape = try into.type(call.input(0)).shape
    let given = try into.axes(call, since: 13)
    let axes = given.map { $0.compactMap { shape.normalized(axis: $0) } }
    guard axes?.count == given?.count, axes?.allSatisfy({ shape[$0] == 1 }) ?? true else {
      throw call.unsupported("axes \(given ?? []) of \(shape)")
    }
    let dims = shape.dims.enumerated().filter { axis, dim in
      axes.map { !$0.contains(axis) } ?? (dim != 1)
    }
    try into.defineReshape(call, dims.map(\.element))
  },
  "Unsqueeze": { call, into in
    let shape = try into.type(call.input(0)).shape
    let given = try into.axes(call, since: 13) ?? []
    let rank = shape.rank + given.count
    let axes = Set(given.map { $0 < 0 ? $0 + rank : $0 })
    guard axes.count == given.count, axes.allSatisfy({ (0..<rank).contains($0) }) else {
      throw call.unsupported("axes \(given) of \(shape)")
    }
    var rest = shape.dims[...]
    let dims = (0..<rank).map { axes.contains($0) ? 1 : rest.popFirst() ?? 1 }
    try into.defineReshape(call, dims)
  },
]

private func readReshape(_ call: OperatorCall, _ into: inout GraphImporter) throws {
  let shape = try into.type(call.input(0)).shape
  var dims = try into.integers(call.input(1), call)
  if call.int("allowzero", default: 0) == 0 {
    for index in dims.indices where dims[index] == 0 { dims[index] = shape[index] }
  }
  guard dims.allSatisfy({ $0 >= -1 && $0 < 1 << 31 }) else { throw call.unsupported("\(dims)") }
  try into.defineReshape(call, dims)
}

extension GraphImporter {
  /// A list of axes: an attribute at first, an input since an operator set.
  func axes(_ call: OperatorCall, since opset: Int64) throws -> [Int]? {
    guard call.opset >= opset else { return call.ints("axes") }
    return call.has(1) ? try integers(call.input(1), call) : nil
  }

  /// The input in another shape: a Constant at once, anything else by a node.
  mutating func defineReshape(_ call: OperatorCall, _ dims: [Int]) throws {
    let op = Reshape(dims)
    let inferred = try op.inferTypes([try type(call.input(0))])[0].shape
    if let tensor = constant(call.input(0)) {
      defineConstant(call, tensor.reshapedKeepingAxis(inferred.dims))
      return
    }
    // Between the two orders of an image in which both are one, nothing needs to be done.
    let (before, after) = (try type(call.input(0)).shape, inferred)
    if before.isLayoutFree, after.dims == Layout.channelsFirst.arrange(before.dims) {
      alias(call, image: try plain(call.input(0)))
      return
    }
    // An image in which the file's order of elements is also ours needs no turning back.
    if let image = knownImage(call.input(0)), graph[image].type.shape.isLayoutFree {
      try define(call, Reshape(inferred.dims), [image])
      return
    }
    try define(call, Reshape(inferred.dims), [try plain(call.input(0))])
  }
}
