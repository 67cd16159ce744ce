import AssayGraph
import AssayTensor

/// Moves Reshapes behind a function of two elements, both of whose operands are reshaped alike.
///
/// Where networks of sequences compute on images of one row, every sum is such a pair.
struct SinkEqualReshapes: LocalPass {
  func rewrite(_ index: Int, of graph: GraphIndex, into patch: inout GraphPatch) {
    var node = graph.graph.nodes[index]
    guard node.op is Binary, node.inputs.count == 2, let a = node.inputs[0], let b = node.inputs[1],
      a != b, let first = source(of: a, graph, patch), let second = source(of: b, graph, patch)
    else { return }
    let output = node.outputs[0]
    let (shape, wide) = (graph.graph[output].type.shape, graph.graph[first].type.shape)
    guard graph.graph[a].type.shape == graph.graph[b].type.shape, wide.isStatic,
      wide == graph.graph[second].type.shape, [a, b].allSatisfy({ canGo($0, graph) })
    else { return }
    var type = graph.graph[output].type
    type.shape = wide
    let moved = patch.add(Value(name: node.name, type: type))
    node.inputs = [first, second]
    node.outputs = [moved]
    patch.replace(
      index,
      with: [
        node,
        Node(
          name: node.name + "/reshaped",
          op: Reshape(shape.dims),
          inputs: [moved],
          outputs: [output]
        ),
      ]
    )
  }

  private func source(of id: ValueID, _ graph: GraphIndex, _ patch: GraphPatch) -> ValueID? {
    guard let maker = graph.producer(of: id), !patch.touches(maker),
      graph.graph.nodes[maker].op is Reshape
    else { return nil }
    return graph.graph.nodes[maker].inputs[0]
  }

  /// Whether every reader of a Reshape's result can read what lies before it, now or after another
  /// step of this pass, so that the Reshape ends.
  private func canGo(_ id: ValueID, _ graph: GraphIndex) -> Bool {
    !graph.isOutput(id)
      && graph.readers(of: id).allSatisfy { reader in
        let node = graph.graph.nodes[reader]
        if node.op is Reshape { return true }
        guard node.op is Binary else { return false }
        return node.inputs.allSatisfy { input in
          guard let input, let maker = graph.producer(of: input) else { return false }
          let producer = graph.graph.nodes[maker]
          return producer.op is Reshape || producer.op is Binary
        }
      }
  }
}

/// Lets a pooling of one row or one column work along the axis that the image already has, where a
/// Reshape only puts the axis of one element on the other side.
struct PoolAcrossUnitAxis: LocalPass {
  func rewrite(_ index: Int, of graph: GraphIndex, into patch: inout GraphPatch) {
    var node = graph.graph.nodes[index]
    guard var op = node.op as? Pool2D, let image = node.inputs[0],
      let (before, reshape) = graph.soleProducer(of: image, patch), reshape.op is Reshape,
      let source = reshape.inputs[0]
    else { return }
    let (old, new) = (graph.graph[source].type.shape.dims, graph.graph[image].type.shape.dims)
    guard old.count == 4, new == [old[0], old[2], old[1], old[3]], old[1] != old[2] else { return }
    if new[2] == 1 {
      guard op.window.width == 1 else { return }
    } else {
      guard new[1] == 1, op.window.height == 1 else { return }
    }
    op.window = Size2D(op.window.width, op.window.height)
    op.strides = Size2D(op.strides.width, op.strides.height)
    if case .explicit(let top, let bottom, let left, let right) = op.padding {
      op.padding = .explicit(top: left, bottom: right, left: top, right: bottom)
    }
    let output = node.outputs[0]
    var type = graph.graph[output].type
    let shape = type.shape
    guard let pooled = try? op.inferTypes([graph.graph[source].type]).first?.shape,
      pooled.count == shape.count
    else { return }
    type.shape = pooled
    let id = patch.add(Value(name: node.name, type: type))
    node.op = op
    node.inputs[0] = source
    node.outputs = [id]
    patch.remove(before)
    patch.replace(
      index,
      with: [
        node,
        Node(name: reshape.name, op: Reshape(shape.dims), inputs: [id], outputs: [output]),
      ]
    )
  }
}

/// Recognizes the repetition of every element of an axis as a resize to the nearest neighbour.
///
/// Frameworks write UpSampling1D so: copies along a new axis that a Reshape joins with the one before
/// it. The resize is that of an image of one row.
struct RepeatToResize: LocalPass {
  func rewrite(_ index: Int, of graph: GraphIndex, into patch: inout GraphPatch) {
    let node = graph.graph.nodes[index]
    guard node.op is Reshape, let (before, copies) = graph.soleProducer(of: node.inputs[0], patch),
      let source = copies.inputs.first ?? nil, graph.isFloat(source)
    else { return }
    let (dims, type) = (graph.graph[source].type.shape, graph.graph[node.outputs[0]].type)
    guard dims.isStatic, dims.rank >= 3, let (axis, count) = repetition(copies, of: dims), axis > 0,
      dims[axis] == 1, dims[axis - 1] > 0
    else { return }
    let extent = dims[axis - 1]
    let outer = dims.dims[..<(axis - 1)].reduce(1, *)
    let inner = dims.dims[(axis + 1)...].reduce(1, *)
    // The result must join exactly the two axes; axes of one element may stand anywhere.
    let joined = dims.dims[..<(axis - 1)] + [extent * count] + dims.dims[(axis + 1)...]
    guard type.shape.dims.filter({ $0 != 1 }) == joined.filter({ $0 != 1 }), outer * inner > 0
    else {
      return
    }
    let row = Shape([outer, 1, extent, inner])
    let whole = Shape([outer, 1, extent * count, inner])
    let image = patch.add(
      Value(name: node.name + "/row", type: TensorType(type.dtype, row))
    )
    let resized = patch.add(
      Value(name: node.name + "/resized", type: TensorType(type.dtype, whole))
    )
    // Centers of elements lie far from where rounding could choose another neighbour.
    let op = Resize2D(
      .nearest,
      size: Size2D(1, extent * count),
      alignsCorners: false,
      usesHalfPixels: true
    )
    patch.remove(before)
    patch.replace(
      index,
      with: [
        Node(
          name: node.name + "/row",
          op: Reshape(row.dims),
          inputs: [source],
          outputs: [image]
        ),
        Node(name: copies.name, op: op, inputs: [image], outputs: [resized]),
        Node(
          name: node.name,
          op: Reshape(type.shape.dims),
          inputs: [resized],
          outputs: node.outputs
        ),
      ]
    )
  }

  /// The axis along which a node repeats its only source, and how often.
  private func repetition(_ node: Node, of shape: Shape) -> (axis: Int, count: Int)? {
    if let concat = node.op as? Concat, node.inputs.count > 1,
      node.inputs.allSatisfy({ $0 == node.inputs[0] }),
      let axis = shape.normalized(axis: concat.axis)
    {
      return (axis, node.inputs.count)
    }
    guard let tile = node.op as? Tile, tile.repeats.count == shape.rank else { return nil }
    let axes = tile.repeats.indices.filter { tile.repeats[$0] != 1 }
    return axes.count == 1 && tile.repeats[axes[0]] > 1 ? (axes[0], tile.repeats[axes[0]]) : nil
  }
}
