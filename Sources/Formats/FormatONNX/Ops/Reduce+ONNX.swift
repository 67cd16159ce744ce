import AssayFormat
import AssayGraph
import AssayTensor

extension Reduce: ONNXExportable {
  private func normalized(_ shape: Shape) -> [Int] {
    axes.compactMap { shape.normalized(axis: $0) }
  }

  func write(_ node: NodeView, to file: inout GraphExporter) throws {
    let type = node.input(0)
    let layout = file.inputLayout(node)
    let axes = normalized(type.shape).map { layout.position(ofAxis: $0) }.sorted()
    var input = file.real(node, 0)
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
      case .any: "ReduceMax"
      case .all: "ReduceMin"
      }
    // Of truth values ONNX takes extrema since operator set 20.
    let isCast = (kind == .any || kind == .all) && file.version.number < 20
    func cast(_ name: String, _ dtype: DType, _ file: inout GraphExporter) -> String {
      file.add("Cast", [name], [.int("to", Int(dtype.onnx))], for: node)
    }
    if isCast { input = cast(input, .int32, &file) }
    var inputs = [input]
    var attributes = [ONNXAttribute.int("keepdims", keepsAxes ? 1 : 0)]
    if axes.isEmpty { attributes.append(.int("noop_with_empty_axes", 1)) }
    inputs.append(file.constant(ints: axes))
    let made = file.outputLayout(node)
    if keepsAxes, type.shape.rank == 4, layout != made {
      var result = file.add(opType, inputs, attributes, for: node)
      if isCast { result = cast(result, .bool, &file) }
      file.finishReshape(node, result)
    } else if isCast {
      let result = file.add(opType, inputs, attributes, for: node)
      file.finish(node, "Cast", [result], [.int("to", Int(DType.bool.onnx))])
    } else {
      file.finish(node, opType, inputs, attributes)
    }
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
  "ReduceL1": reduce(.sum, inputsSince: 18, of: .abs),
  "ReduceL2": reduce(.sum, inputsSince: 18, of: .square, then: .sqrt),
  "ReduceSumSquare": reduce(.sum, inputsSince: 18, of: .square),
  "ReduceLogSum": reduce(.sum, inputsSince: 18, then: .log),
  "ReduceLogSumExp": { call, into in
    // Less the greatest element, so that no power overflows.
    let x = try into.plain(call.input(0))
    let shape = into.shape(x)
    let axes = try into.reducedAxes(call, shape, since: 18)
    let greatest = try into.reduced(call, .max, x, axes)
    let low = into.scalar(-Double(Float.greatestFiniteMagnitude), into.dtype(x))
    let high = into.scalar(Double(Float.greatestFiniteMagnitude), into.dtype(x))
    let raised = try into.binary(call, .maximum, greatest, low)
    let offset = try into.binary(call, .minimum, raised, high)
    let power = try into.unary(call, .exp, try into.binary(call, .subtract, x, offset))
    let sum = try into.unary(call, .log, try into.reduced(call, .sum, power, axes))
    let result = try into.binary(call, .add, sum, offset)
    guard call.int("keepdims", default: 1) == 0 else {
      into.conclude(call, result)
      return
    }
    let dims = shape.dims.indices.filter { !axes.contains($0) }.map { shape.dims[$0] }
    into.conclude(call, try into.reshaped(call, result, dims))
  },
]

extension GraphImporter {
  /// The axes that a reduction takes together.
  fileprivate func reducedAxes(
    _ call: OperatorCall,
    _ shape: Shape,
    since opset: Int64
  ) throws -> [Int] {
    let given = try axes(call, since: opset) ?? []
    let axes = given.compactMap { shape.normalized(axis: $0) }
    guard axes.count == given.count else { throw call.unsupported("axes \(given) of \(shape)") }
    let isNothing = given.isEmpty && call.int("noop_with_empty_axes", default: 0) != 0
    return given.isEmpty && !isNothing ? Array(0..<shape.rank) : axes
  }
}

/// A reduction of a function of the elements, and a function of its result.
private func reduce(
  _ kind: Reduce.Kind,
  inputsSince opset: Int64,
  of before: Unary.Kind? = nil,
  then after: Unary.Kind? = nil
) -> ONNXReader {
  guard before != nil || after != nil else { return plainReduce(kind, inputsSince: opset) }
  return { call, into in
    let source = try into.plain(call.input(0))
    let axes = try into.reducedAxes(call, into.shape(source), since: opset)
    var x = source
    if let before { x = try into.unary(call, before, x) }
    let keeps = call.int("keepdims", default: 1) != 0
    var result = try into.reduced(call, kind, x, axes, keeps: keeps)
    if let after { result = try into.unary(call, after, result) }
    into.conclude(call, result)
  }
}

private func plainReduce(_ given: Reduce.Kind, inputsSince opset: Int64) -> ONNXReader {
  { call, into in
    var kind = given
    if try into.type(call.input(0)).dtype == .bool {
      // The greatest of truth values is whether any is true.
      guard kind == .max || kind == .min else { throw call.unsupported("truth values") }
      kind = kind == .max ? .any : .all
    }
    let shape = try into.type(call.input(0)).shape
    let axes = try into.reducedAxes(call, shape, since: opset)
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
