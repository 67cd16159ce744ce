import AssayGraph
import AssayTensor

extension Graph {
  /// The graph with borders of zeros inside the convolutions that alone read them.
  ///
  /// ONNX's convolutions take explicit amounts, so that a Pad before one is a needless pass over the
  /// image; between quantized values runtimes do not join them by themselves.
  func withPaddedWindows() -> Graph {
    let readers = consumers()
    let makers = producers()
    let leaving = Set(outputs)
    var result = self
    var isGone: Set<Int> = []
    for (index, node) in nodes.enumerated() {
      guard let image = node.inputs.first.flatMap({ $0 }), let maker = makers[image],
        readers[image] == [index], !leaving.contains(image), let pad = nodes[maker].op as? Pad,
        let source = nodes[maker].inputs.first.flatMap({ $0 }),
        self[source].type.quantization == self[image].type.quantization,
        let padding = pad.zeroBorder, let op = node.op.with(border: padding)
      else { continue }
      result.nodes[index].op = op
      result.nodes[index].inputs[0] = source
      isGone.insert(maker)
    }
    guard !isGone.isEmpty else { return self }
    result.nodes = result.nodes.indices.filter { !isGone.contains($0) }.map { result.nodes[$0] }
    return result
  }
}

extension Pad {
  /// The padding of a window operator that adds the same zeros.
  fileprivate var zeroBorder: Padding? {
    guard mode == .constant, value == 0, before.count == 4, after.count == 4,
      before[0] + after[0] + before[3] + after[3] == 0
    else { return nil }
    return .explicit(top: before[1], bottom: after[1], left: before[2], right: after[2])
  }
}

extension Operator {
  /// The convolution with a border, if it has none.
  fileprivate func with(border: Padding) -> (any Operator)? {
    switch self {
    case var op as Conv2D where op.padding == .valid:
      op.padding = border
      return op
    case var op as DepthwiseConv2D where op.padding == .valid:
      op.padding = border
      return op
    default: return nil
    }
  }
}
