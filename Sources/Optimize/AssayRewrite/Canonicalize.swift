import AssayGraph

/// The portable canonical form of a graph: what it computes, in as few operators as can be.
///
/// - Normalizations and channel-wise factors and terms are folded into the weights of the linear
///   operator beside them (in double precision); what cannot be folded becomes a Mul and an Add.
/// - Activations are part of the operator before them; paddings of convolutions are SAME or VALID,
///   anything else is a Pad before them.
/// - Layer normalization, GELU and hard-swish are one operator each.
/// - Attention projects to queries, keys and values by a dense layer each, with the scale in its
///   weights; products of matrices read operands as they lie.
/// - Reshapes and transposes are merged, moved behind elementwise operators and dropped where they do
///   nothing; what depends on Constants alone is computed; equal Constants and nodes are shared.
///
/// Names of inputs and outputs, their order and their types stay. Quantized operators and
/// dequantizations of Constants are left as they are. The result equals the original up to the
/// rounding of the folded weights, and canonicalizing it again changes nothing.
///
/// - Throws: `Diagnostic` GRF02x for a fault of a pass.
public func canonicalized(_ graph: consuming Graph) throws -> Graph {
  let lowered = try graph.rewritten(by: foldingPasses)
    .rewritten(by: [LowerBatchNorm()] + foldingPasses)
  return lowered.compacted().uniquelyNamed()
}

private let foldingPasses: [any GraphPass] = [
  RemoveDeadNodes(),
  RemoveIdentities(),
  FoldConstants(),
  RecoverLayerNorm(),
  RecoverGELU(),
  MatMulToFullyConnected(),
  GroupedToDepthwise(),
  RecoverDilation(),
  NormalizePadding(),
  MergeReshapes(),
  MergeTransposes(),
  TransposesIntoMatMul(),
  GatherToSlice(),
  SliceEarlier(),
  SplitProjections(),
  SinkReshapes(),
  SinkEqualReshapes(),
  PoolAcrossUnitAxis(),
  RepeatToResize(),
  SinkTransposes(),
  FoldAffineAfter(),
  FoldAffineBefore(),
  MergeAffine(),
  RecoverHardSwish(),
  FuseActivations(),
  FusePadding(),
  ShareConstants(),
  ShareNodes(),
]
