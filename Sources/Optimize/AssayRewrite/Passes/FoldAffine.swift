import AssayGraph
import AssayTensor

/// Folds a normalization, factor or term for each channel into the linear operator before it.
struct FoldAffineAfter: LocalPass {
  func rewrite(_ index: Int, of graph: GraphIndex, into patch: inout GraphPatch) {
    let node = graph.graph.nodes[index]
    guard let affine = ChannelAffine(node, graph), affine.isFinite,
      let (before, producer) = graph.soleProducer(of: affine.source, patch),
      let linear = LinearWeights(producer, graph),
      (producer.op as? any ActivatingOperator)?.activation == Activation.none,
      affine.scale.count == 1 || affine.scale.count == linear.outputs
    else { return }
    let (weights, bias) = linear.followed(by: affine)
    var folded = linear.node(weights, bias, graph.graph, into: &patch)
    if var op = folded.op as? any ActivatingOperator {
      op.activation = affine.activation
      folded.op = op
    }
    folded.outputs = node.outputs
    patch.remove(before)
    patch.replace(index, with: [folded])
  }
}

/// Folds a normalization, factor or term for each channel into the linear operator after it.
///
/// A term is folded only where no padding stands around the image: the padding is zero after the
/// term was added.
struct FoldAffineBefore: LocalPass {
  func rewrite(_ index: Int, of graph: GraphIndex, into patch: inout GraphPatch) {
    let node = graph.graph.nodes[index]
    guard node.op is any ActivatingOperator, !(node.op is TransposeConv2D),
      let (before, producer) = graph.soleProducer(of: node.inputs[0], patch),
      let affine = ChannelAffine(producer, graph), affine.isFinite, affine.activation == .none,
      let linear = LinearWeights(node, graph), affine.hasNoShift || linear.hasNoPadding(graph)
    else { return }
    let channels = graph.graph[affine.source].type.shape[-1]
    guard channels > 0, affine.scale.count == 1 || affine.scale.count == channels else { return }
    let (weights, bias) = linear.preceded(by: affine, channels: channels)
    var folded = linear.node(weights, bias, graph.graph, into: &patch)
    folded.inputs[0] = affine.source
    patch.remove(before)
    patch.replace(index, with: [folded])
  }
}

/// Merges a chain of factors and terms into one Mul and one Add, where that makes it shorter.
struct MergeAffine: LocalPass {
  func rewrite(_ index: Int, of graph: GraphIndex, into patch: inout GraphPatch) {
    let node = graph.graph.nodes[index]
    guard var affine = ChannelAffine(node, graph), affine.isFinite, node.op is Binary else {
      return
    }
    var chain = [index]
    var best: (affine: ChannelAffine, length: Int)?
    while let (before, producer) = graph.soleProducer(of: affine.source, patch),
      producer.op is Binary, let first = ChannelAffine(producer, graph), first.isFinite,
      let merged = first.followed(by: affine)
    {
      chain.append(before)
      affine = merged
      if merged.operatorCount < chain.count { best = (merged, chain.count) }
    }
    guard let best, best.affine.isFinite else { return }
    for before in chain[1..<best.length] { patch.remove(before) }
    patch.replace(
      index,
      with: best.affine.lowered(
        name: node.name,
        output: node.outputs[0],
        graph.graph,
        into: &patch
      )
    )
  }
}

/// Writes the normalizations that nothing could take in as a Mul and an Add.
struct LowerBatchNorm: LocalPass {
  func rewrite(_ index: Int, of graph: GraphIndex, into patch: inout GraphPatch) {
    let node = graph.graph.nodes[index]
    guard node.op is BatchNorm, let affine = ChannelAffine(node, graph), affine.isFinite else {
      return
    }
    patch.replace(
      index,
      with: affine.lowered(name: node.name, output: node.outputs[0], graph.graph, into: &patch)
    )
  }
}
