import AssayGraph
import AssayTensor

/// What Conv2D and DepthwiseConv2D share.
protocol Convolution: ActivatingOperator {
  var strides: Size2D { get }
  var dilations: Size2D { get set }
  var padding: Padding { get set }
}

extension Conv2D: Convolution {}
extension DepthwiseConv2D: Convolution {}

extension Convolution {
  /// The amounts of a padding for an image and a filter (both four axes).
  func amounts(_ padding: Padding, _ image: Shape, _ filter: Shape) -> [Int] {
    let rows = padding.amounts(
      extent: image[1],
      window: filter[1],
      stride: strides.height,
      dilation: dilations.height,
      isHeight: true
    )
    let columns = padding.amounts(
      extent: image[2],
      window: filter[2],
      stride: strides.width,
      dilation: dilations.width,
      isHeight: false
    )
    return [rows.before, rows.after, columns.before, columns.after]
  }

  /// SAME or VALID when that has these amounts, else `nil`.
  func named(_ wanted: [Int], _ image: Shape, _ filter: Shape) -> Padding? {
    if wanted == [0, 0, 0, 0] { return .valid }
    return image.isStatic && amounts(.same, image, filter) == wanted ? .same : nil
  }
}

/// Gives convolutions a SAME or VALID padding, with a Pad before them where neither is right.
struct NormalizePadding: LocalPass {
  func rewrite(_ index: Int, of graph: GraphIndex, into patch: inout GraphPatch) {
    var node = graph.graph.nodes[index]
    guard var op = node.op as? any Convolution, case .explicit = op.padding,
      let image = node.inputs[0], let filter = node.inputs[1]
    else { return }
    let type = graph.graph[image].type
    let filterShape = graph.graph[filter].type.shape
    let amounts = op.amounts(op.padding, type.shape, filterShape)
    if let padding = op.named(amounts, type.shape, filterShape) {
      op.padding = padding
      node.op = op
      patch.replace(index, with: [node])
      return
    }
    guard type.shape.isStatic else { return }
    let pad = Pad(
      before: [0, amounts[0], amounts[2], 0],
      after: [0, amounts[1], amounts[3], 0]
    )
    var padded = type
    padded.shape.dims[1] += amounts[0] + amounts[1]
    padded.shape.dims[2] += amounts[2] + amounts[3]
    let id = patch.add(Value(name: node.name + "/pad", type: padded))
    op.padding = .valid
    node.op = op
    node.inputs[0] = id
    let padNode = Node(name: node.name + "/pad", op: pad, inputs: [image], outputs: [id])
    patch.replace(index, with: [padNode, node])
  }
}

/// Takes a Pad with zeros into the convolutions that read it, where SAME padding has its amounts.
///
/// A stride of two over an even extent is the common case: (0, 1) before it is SAME's amount.
struct FusePadding: LocalPass {
  func rewrite(_ index: Int, of graph: GraphIndex, into patch: inout GraphPatch) {
    var node = graph.graph.nodes[index]
    guard var op = node.op as? any Convolution, op.padding == .valid, let padded = node.inputs[0],
      let filter = node.inputs[1], let producer = graph.producer(of: padded),
      let pad = graph.graph.nodes[producer].op as? Pad, pad.mode == .constant, pad.value == 0,
      let image = graph.graph.nodes[producer].inputs[0],
      pad.before.count == 4, pad.before[0] + pad.after[0] + pad.before[3] + pad.after[3] == 0
    else { return }
    let wanted = [pad.before[1], pad.after[1], pad.before[2], pad.after[2]]
    let shape = graph.graph[image].type.shape
    guard let padding = op.named(wanted, shape, graph.graph[filter].type.shape) else { return }
    op.padding = padding
    node.op = op
    node.inputs[0] = image
    patch.replace(index, with: [node])
  }
}
