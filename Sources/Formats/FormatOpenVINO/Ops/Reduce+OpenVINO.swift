import AssayFormat
import AssayGraph
import AssayTensor

extension Reduce: OpenVINOExportable {
  var keepsQuantizedElements: Bool { kind == .max || kind == .min }

  private func normalized(_ shape: Shape) -> [Int] {
    axes.compactMap { shape.normalized(axis: $0) }
  }

  func write(_ node: NodeView, to file: inout IRExporter) throws {
    let type = node.input(0)
    let layout = file.inputLayout(node)
    let axes = normalized(type.shape).map { layout.position(ofAxis: $0) }.sorted()
    let input = file.real(node, 0)
    let opType =
      switch kind {
      case .mean: "ReduceMean"
      case .sum: "ReduceSum"
      case .max: "ReduceMax"
      case .min: "ReduceMin"
      case .product: "ReduceProd"
      case .any: "ReduceLogicalOr"
      case .all: "ReduceLogicalAnd"
      }
    let isTurned = keepsAxes && type.shape.rank == 4 && layout != file.outputLayout(node)
    let dims = isTurned ? layout.arrange(node.outputs[0].shape.dims) : file.outputDims(node)
    var result = file.add(
      opType,
      [input, file.constant(ints: axes)],
      [("keep_dims", "\(keepsAxes)")],
      outputs: [TensorType(file.type(of: input).dtype, Shape(dims))],
      for: node
    )
    if isTurned { result = file.reshaped(result, file.outputDims(node)) }
    file.finish(node, result)
  }
}
