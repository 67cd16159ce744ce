import AssayBase
import AssayFormat
import AssayGraph
import AssayTensor

extension Slice: ONNXExportable {
  func write(_ node: NodeView, to file: inout GraphExporter) throws {
    let layout = file.inputLayout(node)
    // Backwards to the first element the end lies before the axis: any number below minus its
    // extent says so, whereas -1 would be the last element.
    let ends = begin.indices.map { axis in
      let end = begin[axis] + sizes[axis] * steps[axis]
      return end < 0 ? Int(Int32.min) : end
    }
    let lists = [begin, ends, Array(begin.indices), steps].enumerated().map { index, list in
      index == 2 ? list : layout.arrange(list)
    }
    let inputs = [file.real(node, 0)] + lists.map { file.constant(ints: $0) }
    file.finish(node, "Slice", inputs)
  }
}

extension Split: ONNXExportable {
  func write(_ node: NodeView, to file: inout GraphExporter) throws {
    let inputs = [file.real(node, 0), file.constant(ints: sizes)]
    let attributes = [ONNXAttribute.int("axis", file.axis(axis, node))]
    guard node.isQuantized else {
      let outputs = sizes.indices.map { file.define(node, output: $0) }
      file.add("Split", inputs, to: outputs, attributes)
      return
    }
    let parts = sizes.indices.map { file.unique("\(node.node.name)/real_\($0)") }
    file.add("Split", inputs, to: parts, attributes)
    for index in sizes.indices {
      let name = file.define(node, output: index)
      file.quantize(parts[index], to: node.outputs[index], name: name)
    }
  }
}

// MARK: - Import

let sliceReaders: [String: ONNXReader] = ["Slice": readSlice, "Split": readSplit]

/// Slice: bounds are attributes before operator set 10, inputs since.
private func readSlice(_ call: OperatorCall, _ into: inout GraphImporter) throws {
  let shape = try into.type(call.input(0)).shape
  var (starts, ends) = (call.ints("starts") ?? [], call.ints("ends") ?? [])
  var (axes, steps) = (call.ints("axes"), [Int]?.none)
  if call.opset >= 10 {
    starts = try into.integers(call.input(1), call)
    ends = try into.integers(call.input(2), call)
    axes = call.has(3) ? try into.integers(call.input(3), call) : nil
    steps = call.has(4) ? try into.integers(call.input(4), call) : nil
  }
  let named = axes ?? Array(starts.indices)
  guard ends.count == starts.count, named.count == starts.count,
    steps?.count ?? starts.count == starts.count
  else { throw call.unsupported("lists of different lengths") }
  var slice = AssayGraph.Slice(begin: shape.dims.map { _ in 0 }, sizes: shape.dims)
  for (index, given) in named.enumerated() {
    guard let axis = shape.normalized(axis: given) else {
      throw call.unsupported("axis \(given) of \(shape)")
    }
    let extent = shape[axis]
    let step = steps?[index] ?? 1
    guard step != 0, step > -1 << 31, step < 1 << 31 else { throw call.unsupported("step \(step)") }
    // Counted from the end if negative, then brought inside, as NumPy does.
    func inside(_ position: Int, _ range: ClosedRange<Int>) -> Int {
      let counted = position < 0 ? position.addingReportingOverflow(extent).partialValue : position
      return min(max(counted, range.lowerBound), range.upperBound)
    }
    let range = step > 0 ? 0...extent : -1...max(extent - 1, -1)
    let (begin, end) = (inside(starts[index], range), inside(ends[index], range))
    let reach = step > 0 ? end - begin : begin - end
    let count = reach <= 0 ? 0 : (reach + abs(step) - 1) / abs(step)
    slice.begin[axis] = count == 0 ? 0 : begin
    slice.sizes[axis] = count
    slice.steps[axis] = step
  }
  if let tensor = into.constant(call.input(0)), tensor.dtype == .int64, shape.rank == 1 {
    let values = tensor.elements(as: Int64.self)
    let picked = (0..<slice.sizes[0]).map { values[slice.begin[0] + $0 * slice.steps[0]] }
    into.defineConstant(call, Tensor(picked, [picked.count], dtype: .int64))
    return
  }
  if shape.rank == 4, let image = into.knownImage(call.input(0)) {
    func turn(_ list: [Int]) -> [Int] { [0, 2, 3, 1].map { list[$0] } }
    let op = AssayGraph.Slice(
      begin: turn(slice.begin),
      sizes: turn(slice.sizes),
      steps: turn(slice.steps)
    )
    try into.defineImage(call, op, [image])
    return
  }
  try into.define(call, slice, [try into.plain(call.input(0))])
}

/// Split: sizes are an attribute before operator set 13, an input since; without them the parts are
/// equal (the last one smaller).
private func readSplit(_ call: OperatorCall, _ into: inout GraphImporter) throws {
  let shape = try into.type(call.input(0)).shape
  guard let axis = shape.normalized(axis: call.int("axis", default: 0)) else {
    throw call.unsupported("axis \(call.int("axis", default: 0)) of \(shape)")
  }
  let count = max(call.node.outputs.count, 1)
  var sizes = call.ints("split")
  if call.opset >= 13, call.has(1) { sizes = try into.integers(call.input(1), call) }
  let part = (shape[axis] + count - 1) / count
  let even = (0..<count).map { max(min(part, shape[axis] - $0 * part), 0) }
  let op = Split(axis: axis, sizes: sizes ?? even)
  guard op.sizes.count == count, op.sizes.allSatisfy({ $0 >= 0 }) else {
    throw call.unsupported("sizes \(op.sizes)")
  }
  try into.define(call, op, [try into.plain(call.input(0))])
}
