import AssayFormat
import AssayGraph
import AssayTensor

extension Reduce: ONNXExportable {
  func layoutRule(_ node: NodeView) -> LayoutRule {
    let shape = node.input(0).shape
    guard shape.rank == 4, let output = node.outputs.first?.shape else { return .ordered }
    if keepsAxes {
      return output.isLayoutFree
        ? LayoutRule(input: .free(0), output: .free(1)) : .agnostic
    }
    // Without the axes, the rest must follow one another as they do in the Graph.
    let rest = (0..<4).filter { !normalized(shape).contains($0) }
    let order = Layout.channelsFirst.permutation.filter { rest.contains($0) }
    return LayoutRule(
      input: order == rest ? .free(0) : .fixed(.channelsLast),
      output: .fixed(.channelsLast)
    )
  }

  private func normalized(_ shape: Shape) -> [Int] {
    axes.compactMap { shape.normalized(axis: $0) }
  }

  func write(_ node: NodeView, to file: inout GraphExporter) throws {
    let type = node.input(0)
    let layout = file.inputLayout(node)
    let axes = normalized(type.shape).map { layout.position(ofAxis: $0) }.sorted()
    let input = file.real(node, 0)
    if kind == .mean, layout == .channelsFirst, axes == [2, 3] {
      writeGlobalAverage(node, input, to: &file)
      return
    }
    let opType =
      switch kind {
      case .mean: "ReduceMean"
      case .sum: "ReduceSum"
      case .max: "ReduceMax"
      case .min: "ReduceMin"
      case .product: "ReduceProd"
      // Of truth values ONNX takes extrema since operator set 20.
      case .any: "ReduceMax"
      case .all: "ReduceMin"
      }
    var inputs = [input]
    var attributes = [ONNXAttribute.int("keepdims", keepsAxes ? 1 : 0)]
    if axes.isEmpty { attributes.append(.int("noop_with_empty_axes", 1)) }
    inputs.append(file.constant(ints: axes))
    let made = file.outputLayout(node)
    if keepsAxes, type.shape.rank == 4, layout != made {
      let result = file.add(opType, inputs, attributes, for: node)
      file.finishReshape(node, result)
      return
    }
    file.finish(node, opType, inputs, attributes)
  }

  /// Runtimes have an integer kernel for the average over an image, but none for other means.
  private func writeGlobalAverage(
    _ node: NodeView,
    _ input: String,
    to file: inout GraphExporter
  ) {
    if keepsAxes, file.outputLayout(node) == .channelsFirst {
      file.finish(node, "GlobalAveragePool", [input])
      return
    }
    var average = file.add("GlobalAveragePool", [input], for: node)
    let type = node.outputs[0]
    if type.isQuantizedInteger {
      let stored = file.unique("\(node.node.name)/quantized")
      file.quantize(average, to: type, name: stored)
      average = file.dequantize(stored, type, hint: "\(node.node.name)/real")
    }
    file.finishReshape(node, average)
  }
}

// MARK: - Import

let reduceReaders: [String: ONNXReader] = [
  "ReduceMean": reduce(.mean, inputsSince: 18), "ReduceSum": reduce(.sum, inputsSince: 13),
  "ReduceMax": reduce(.max, inputsSince: 18), "ReduceMin": reduce(.min, inputsSince: 18),
  "ReduceProd": reduce(.product, inputsSince: 18),
]

private func reduce(_ kind: Reduce.Kind, inputsSince opset: Int64) -> ONNXReader {
  { call, into in
    let shape = try into.type(call.input(0)).shape
    let given = try into.axes(call, since: opset) ?? []
    let isNothing = given.isEmpty && call.int("noop_with_empty_axes", default: 0) != 0
    var axes = given.compactMap { shape.normalized(axis: $0) }
    guard axes.count == given.count else { throw call.unsupported("axes \(given) of \(shape)") }
    if given.isEmpty, !isNothing { axes = Array(0..<shape.rank) }
    let keepsAxes = call.int("keepdims", default: 1) != 0
    if shape.rank == 4, let image = into.knownImage(call.input(0)) {
      let turned = axes.map { imageAxis($0) }
      if keepsAxes {
        try into.defineImage(call, Reduce(kind, axes: turned, keepsAxes: true), [image])
        return
      }
      if axes.contains(1) || axes.contains(2) && axes.contains(3) {
        try into.define(call, Reduce(kind, axes: turned, keepsAxes: false), [image])
        return
      }
    }
    let op = Reduce(kind, axes: axes, keepsAxes: keepsAxes)
    try into.define(call, op, [try into.plain(call.input(0))])
  }
}
