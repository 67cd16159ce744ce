import AssayGraph
import AssayTensor

/// Recognizes the chain space-to-batch, convolution, batch-to-space, which is how TensorFlow computes
/// a dilated convolution, and makes it one.
///
/// Within one offset of a block neighbouring elements are `block` apart in the image, so that the
/// chain's convolution with dilation e is one of dilation `block * e`; its own padding stands for
/// `block` times as many elements, and what is cut off behind it need not be padded. Reshapes that
/// only add or drop an axis of one element may stand beside the convolution.
struct RecoverDilation: LocalPass {
  func rewrite(_ index: Int, of graph: GraphIndex, into patch: inout GraphPatch) {
    let last = graph.graph.nodes[index]
    guard let join = last.op as? BatchToSpace,
      let chain = Chain(endingAt: last, of: graph, patch),
      let split = chain.split.op as? SpaceToBatch, split.block == join.block,
      let conv = chain.convolution.op as? any Convolution,
      let source = chain.split.inputs[0], let image = chain.convolution.inputs[0],
      let filter = chain.convolution.inputs[1]
    else { return }
    let (shape, window) = (graph.graph[image].type.shape, graph.graph[filter].type.shape)
    guard shape.isStatic, shape.rank == 4, window.rank == 4,
      let axes = chain.spatialAxes(count: join.block.count, of: graph, image: shape)
    else { return }
    let inner = conv.amounts(conv.padding, shape, window)
    var dilations = [conv.dilations.height, conv.dilations.width]
    let strides = [conv.strides.height, conv.strides.width]
    var amounts = inner
    for (position, axis) in axes.enumerated() {
      let block = join.block[position]
      guard block == 1 || strides[axis] == 1 else { return }
      dilations[axis] *= block
      amounts[2 * axis] =
        block * inner[2 * axis] + split.before[position] - join.before[position]
      amounts[2 * axis + 1] =
        block * inner[2 * axis + 1] + split.after[position] - join.after[position]
    }
    guard amounts.allSatisfy({ $0 >= 0 }) else { return }

    var op = conv
    op.dilations = Size2D(dilations[0], dilations[1])
    op.padding = .explicit(
      top: amounts[0],
      bottom: amounts[1],
      left: amounts[2],
      right: amounts[3]
    )
    var node = chain.convolution
    node.op = op
    var dims = graph.graph[source].type.shape.dims
    if let added = chain.addedAxis { dims.insert(1, at: added) }
    var nodes: [Node] = []
    var type = graph.graph[image].type
    type.shape = Shape(dims)
    if chain.addedAxis != nil {
      let id = patch.add(Value(name: node.name + "/image", type: type))
      nodes.append(
        Node(name: node.name + "/image", op: Reshape(dims), inputs: [source], outputs: [id])
      )
      node.inputs[0] = id
    } else {
      node.inputs[0] = source
    }
    var types = chain.convolution.inputs.map { $0.map { graph.graph[$0].type } }
    types[0] = type
    guard let shape = try? op.inferTypes(types).first?.shape else { return }
    let output = last.outputs[0]
    let result = graph.graph[output].type.shape
    var dropped = shape.dims
    if let added = chain.addedAxis { dropped.remove(at: added) }
    guard Shape(dropped) == result else { return }
    if chain.addedAxis == nil {
      node.outputs = [output]
      nodes.append(node)
    } else {
      var outputType = graph.graph[output].type
      outputType.shape = shape
      let id = patch.add(Value(name: node.name, type: outputType))
      node.outputs = [id]
      nodes.append(node)
      nodes.append(
        Node(name: last.name, op: Reshape(result.dims), inputs: [id], outputs: [output])
      )
    }
    for other in chain.removed { patch.remove(other) }
    patch.replace(index, with: nodes)
  }
}

/// The nodes from a space-to-batch to a batch-to-space.
private struct Chain {
  var split: Node
  var convolution: Node
  /// All of them but the last, by index.
  var removed: [Int]
  /// The axis of one element that the convolution's image has and the chain's ends have not.
  var addedAxis: Int?

  init?(endingAt last: Node, of graph: GraphIndex, _ patch: GraphPatch) {
    guard var step = graph.soleProducer(of: last.inputs[0], patch) else { return nil }
    removed = [step.index]
    let after = step.node.op is Reshape ? step.node : nil
    if after != nil {
      guard let next = graph.soleProducer(of: step.node.inputs[0], patch) else { return nil }
      step = next
      removed.append(step.index)
    }
    guard step.node.op is any Convolution else { return nil }
    convolution = step.node
    guard let previous = graph.soleProducer(of: convolution.inputs[0], patch) else { return nil }
    step = previous
    removed.append(step.index)
    let before = step.node.op is Reshape ? step.node : nil
    if before != nil {
      guard let next = graph.soleProducer(of: step.node.inputs[0], patch) else { return nil }
      step = next
      removed.append(step.index)
    }
    guard step.node.op is SpaceToBatch, (before == nil) == (after == nil) else { return nil }
    split = step.node
    guard let before, let after else { return }
    func dims(_ id: ValueID?) -> [Int] { id.map { graph.graph[$0].type.shape.dims } ?? [] }
    let (narrow, wide) = (dims(before.inputs[0]), dims(before.outputs[0]))
    let (wideResult, narrowResult) = (dims(after.inputs[0]), dims(after.outputs[0]))
    let added = [1, 2].first { axis in
      guard wide.count == 4, wideResult.count == 4, wide[axis] == 1, wideResult[axis] == 1 else {
        return false
      }
      var (a, b) = (wide, wideResult)
      a.remove(at: axis)
      b.remove(at: axis)
      return a == narrow && b == narrowResult
    }
    guard let added else { return nil }
    addedAxis = added
  }

  /// The axis of the image (0 for the height, 1 for the width) that each axis of the blocks is.
  func spatialAxes(count: Int, of graph: GraphIndex, image: Shape) -> [Int]? {
    guard let addedAxis else { return count <= 2 ? Array(0..<count) : nil }
    guard count == 1 else { return nil }
    return [addedAxis == 1 ? 1 : 0]
  }
}
