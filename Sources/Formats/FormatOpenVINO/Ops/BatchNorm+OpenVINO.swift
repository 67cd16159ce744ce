import AssayFormat
import AssayGraph
import AssayTensor

extension BatchNorm: OpenVINOExportable {
  func write(_ node: NodeView, to file: inout IRExporter) throws {
    let x = node.input(0).shape
    let count = x[-1]
    func statistic(_ index: Int, absent: Float) -> IRValue {
      guard node.has(index), let id = node.node.inputs[index] else {
        return file.constant(
          Tensor([Float](repeating: absent, count: count), [count]),
          hint: "const/\(absent)"
        )
      }
      if node.isParameter[index] { return file.parameter(id, shape: [count]) }
      return file.reshaped(file.value(of: id, in: .channelsLast), [count])
    }
    let statistics = [
      statistic(1, absent: 1), statistic(2, absent: 0), statistic(3, absent: 0),
      statistic(4, absent: 1),
    ]
    let attributes = [(name: "epsilon", value: "\(epsilon)")]
    // OpenVINO has the channels on axis 1.
    let isDirect = x.rank == 2 || x.rank == 4
    var input = file.real(node, 0)
    if !isDirect { input = file.reshaped(input, [Shape(Array(x.dims.dropLast())).count, count]) }
    var result = file.add(
      "BatchNormInference",
      set: 5,
      [input] + statistics,
      attributes,
      outputs: [file.type(of: input)],
      for: node
    )
    if !isDirect { result = file.reshaped(result, x.dims) }
    file.finish(node, result)
  }
}
