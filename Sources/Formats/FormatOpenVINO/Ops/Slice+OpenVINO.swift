import AssayFormat
import AssayGraph
import AssayTensor

extension Slice: OpenVINOExportable {
  var keepsQuantizedElements: Bool { true }

  func write(_ node: NodeView, to file: inout IRExporter) throws {
    let layout = file.inputLayout(node)
    let x = node.input(0).shape
    // Backwards to the first element the end lies before the axis: minus its extent, and one more,
    // says so, whereas -1 would be the last element.
    let ends = begin.indices.map { axis in
      let end = begin[axis] + sizes[axis] * steps[axis]
      return end < 0 ? -x[axis] - 1 : end
    }
    let lists = [begin, ends, steps].map { file.constant(ints: layout.arrange($0)) }
    // Bounds that are to be taken as they stand: no bit is set in any mask.
    let zeros = ir([Int](repeating: 0, count: begin.count))
    let result = file.result(
      "StridedSlice",
      [file.real(node, 0)] + lists,
      [
        ("begin_mask", zeros), ("end_mask", zeros), ("new_axis_mask", zeros),
        ("shrink_axis_mask", zeros), ("ellipsis_mask", zeros),
      ],
      for: node
    )
    file.finish(node, result)
  }
}

extension Split: OpenVINOExportable {
  var keepsQuantizedElements: Bool { true }

  func write(_ node: NodeView, to file: inout IRExporter) throws {
    let axis = file.constant(int: file.axis(axis, node))
    let parts = file.add(
      "VariadicSplit",
      [file.real(node, 0), axis, file.constant(ints: sizes)],
      outputs: sizes.indices.map { file.realOutput(node, $0) },
      for: node
    )
    for index in sizes.indices {
      file.finish(node, output: index, IRValue(layer: parts.layer, output: index))
    }
  }
}
