import AssayGraph
import AssayTensor

extension Graph {
  /// The graph with borders of zeros inside the window operators that alone read them.
  ///
  /// ONNX's operators take explicit amounts, so that a Pad before one is a needless pass over the
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
        let padding = pad.zeroBorder,
        let op = node.op.with(border: padding, isNeverNegative: isNeverNegative(source, makers))
      else { continue }
      result.nodes[index].op = op
      result.nodes[index].inputs[0] = source
      isGone.insert(maker)
    }
    guard !isGone.isEmpty else { return self }
    result.nodes = result.nodes.indices.filter { !isGone.contains($0) }.map { result.nodes[$0] }
    return result
  }

  /// Whether the elements of a value are known to be zero or more.
  private func isNeverNegative(_ id: ValueID, _ makers: [ValueID: Int]) -> Bool {
    if let quantization = self[id].type.quantization, let range = self[id].type.dtype.integerRange {
      return Int(quantization.zeroPoint) <= range.lowerBound
    }
    guard let maker = makers[id] else { return false }
    let activation: Activation? =
      switch nodes[maker].op {
      case let op as Conv2D: op.activation
      case let op as DepthwiseConv2D: op.activation
      case let op as Binary: op.activation
      case let op as Unary: op.kind == .relu ? .relu : op.kind == .relu6 ? .relu6 : nil
      default: nil
      }
    return activation == .relu || activation == .relu6
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
  /// The window operator with a border, if it has none.
  ///
  /// A maximum ignores its border: the same as zeros where no element is less and every window
  /// reaches the image.
  fileprivate func with(border: Padding, isNeverNegative: Bool) -> (any Operator)? {
    switch self {
    case var op as Conv2D where op.padding == .valid:
      op.padding = border
      return op
    case var op as DepthwiseConv2D where op.padding == .valid:
      op.padding = border
      return op
    case var op as Pool2D where op.padding == .valid && op.kind == .max && isNeverNegative:
      guard case .explicit(let top, let bottom, let left, let right) = border,
        max(top, bottom) < op.window.height, max(left, right) < op.window.width
      else { return nil }
      op.padding = border
      return op
    default: return nil
    }
  }
}
