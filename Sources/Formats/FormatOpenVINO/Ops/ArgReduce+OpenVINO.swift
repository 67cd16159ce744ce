import AssayBase
import AssayFormat
import AssayGraph
import AssayTensor

extension ArgReduce: OpenVINOExportable {
  func write(_ node: NodeView, to file: inout IRExporter) throws {
    guard !selectsLast else {
      throw Diagnostic("OVI114", "OpenVINO finds the first of equal elements only")
    }
    let x = file.real(node, 0)
    let axis = node.input(0).shape.normalized(axis: axis) ?? 0
    var dims = node.input(0).shape.dims
    dims[axis] = 1
    let found = file.best(x, 1, axis: axis, isLargest: kind == .max, dtype, dims, for: node)
    let positions = IRValue(layer: found.layer, output: 1)
    file.finish(node, keepsAxis ? positions : file.reshaped(positions, node.outputs[0].shape.dims))
  }
}

extension TopK: OpenVINOExportable {
  var keepsQuantizedElements: Bool { true }

  func write(_ node: NodeView, to file: inout IRExporter) throws {
    let x = file.real(node, 0)
    let axis = node.input(0).shape.normalized(axis: axis) ?? 0
    let dims = node.outputs[0].shape.dims
    let found = file.best(x, count, axis: axis, isLargest: takesLargest, dtype, dims, for: node)
    file.finish(node, output: 0, found)
    file.finish(node, output: 1, IRValue(layer: found.layer, output: 1))
  }
}

extension IRExporter {
  /// The best elements along an axis, in order, and (output 1) their positions.
  fileprivate mutating func best(
    _ x: IRValue,
    _ count: Int,
    axis: Int,
    isLargest: Bool,
    _ positions: DType,
    _ dims: [Int],
    for view: NodeView
  ) -> IRValue {
    add(
      "TopK",
      set: 3,
      [x, constant(int: count)],
      [
        ("axis", "\(axis)"), ("mode", isLargest ? "max" : "min"), ("sort", "value"),
        ("index_element_type", positions.irElementType ?? "i64"),
      ],
      outputs: [TensorType(type(of: x).dtype, Shape(dims)), TensorType(positions, Shape(dims))],
      for: view
    )
  }
}
