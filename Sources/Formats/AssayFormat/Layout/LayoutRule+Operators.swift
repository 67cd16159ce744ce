import AssayGraph
import AssayTensor

extension LayoutRule {
  /// What a node asks of the layouts of its images in a format whose window operators take them with
  /// the channels first, as far as formats do not differ.
  public static func usual(_ view: NodeView) -> LayoutRule {
    let input = view.inputs.first.flatMap { $0 }?.shape ?? []
    let output = view.outputs.first?.shape
    switch view.node.op {
    case is BatchNorm, is Conv2D, is DepthToSpace, is DepthwiseConv2D, is Pool2D, is Resize2D,
      is RoIAlign, is SpaceToDepth, is TransposeConv2D:
      return .window
    case is LocalResponseNorm, is GridSample: return input.rank == 4 ? .window : .ordered
    case is Cast, is Concat, is Dequantize, is LeakyReLU, is LogSoftmax, is Pad, is Quantize,
      is Reverse, is Slice, is Split, is Tile, is Unary:
      return .agnostic
    case is Binary, is PReLU, is Select: return view.broadcastRule
    case let op as BroadcastTo: return input.rank == op.shape.count ? .agnostic : .ordered
    case is FullyConnected:
      // A channel after which the image has no extents is a channel in either layout, but the product
      // goes over the last axis.
      return LayoutRule(
        input: .fixed(.channelsLast),
        output: output?.isLayoutFree ?? false ? .free(0) : .fixed(.channelsLast),
        imageInputs: [0]
      )
    case let op as Reduce: return reduction(op, input, output)
    case is Reshape:
      func port(_ shape: Shape?, _ number: Int) -> Port {
        shape?.isLayoutFree ?? false ? .free(number) : .fixed(.channelsLast)
      }
      return LayoutRule(input: port(input, 0), output: port(output, 1))
    case let op as Softmax:
      // Kernels are written for the last axis.
      var rule = LayoutRule.agnostic
      if input.normalized(axis: op.axis) == 3 { rule.preference = .channelsLast }
      return rule
    case is Transpose:
      // The node turns its axes anyway: turning them otherwise costs nothing.
      return LayoutRule(input: .free(0), output: .free(1))
    default: return .ordered
    }
  }

  private static func reduction(_ op: Reduce, _ input: Shape, _ output: Shape?) -> LayoutRule {
    guard input.rank == 4, let output else { return .ordered }
    if op.keepsAxes {
      return output.isLayoutFree ? LayoutRule(input: .free(0), output: .free(1)) : .agnostic
    }
    // Without the axes, the rest must follow one another as they do in the Graph.
    let reduced = op.axes.compactMap { input.normalized(axis: $0) }
    let rest = (0..<4).filter { !reduced.contains($0) }
    let order = Layout.channelsFirst.permutation.filter { rest.contains($0) }
    return LayoutRule(
      input: order == rest ? .free(0) : .fixed(.channelsLast),
      output: .fixed(.channelsLast)
    )
  }
}
