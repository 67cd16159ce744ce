import AssayBase
import AssayGraph
import AssayTensor

/// Why a recipe may not be worth its while for a network.
///
/// What is said of speed was measured on LiteRT's CPU kernels (see docs/quantization.md).
public func doubts(_ recipe: Recipe, of graph: Graph) -> [Diagnostic] {
  var found: [Diagnostic] = []
  var (all, depthwise, depthwiseCount, smaller, wide) = (0, 0, 0, 0, 0)
  for node in graph.nodes {
    let cost = node.op.cost(
      inputs: node.inputs.map { $0.map { graph[$0].type } },
      outputs: node.outputs.map { graph[$0].type }
    )
    let macs = cost.macs
    all += macs
    let weights = node.inputs.count > 1 ? node.inputs[1].flatMap { graph[$0].constant } : nil
    let scheme = recipe.scheme(ofNode: node.name, op: node.op.name)
    let isLarge = weights.map { $0.count >= recipe.minimumWeightElements } ?? false
    switch scheme {
    case .dynamicInt8 where isLarge && (node.op is Conv2D || node.op is FullyConnected):
      smaller += 1
    case .dynamicInt8 where isLarge && node.op is DepthwiseConv2D:
      smaller += 1
      depthwise += macs
      depthwiseCount += 1
    case .weightOnly where isLarge: smaller += 1
    case .int16x8 where macs > 0: wide += 1
    default: break
    }
  }
  if depthwiseCount > 0, depthwise * 50 > all {
    let part = Int((Double(depthwise) / Double(max(all, 1)) * 100).rounded())
    found.append(
      Diagnostic(
        "QNT013",
        "dynamic_int8 makes this network slower than float32 on LiteRT: \(depthwiseCount) depthwise "
          + "convolutions (\(part) % of the multiply-accumulates) have no fast kernel for it",
        remedy: "use static_int8, or keep them in floats with --keep-float DepthwiseConv2D",
        severity: .warning
      )
    )
  }
  if wide > 0 {
    found.append(
      Diagnostic(
        "QNT013",
        "int16x8 is slower than float32 on CPUs: LiteRT has plain kernels for it only",
        remedy: "it is for accelerators with 16-bit values; on a CPU use static_int8 or float32",
        severity: .warning
      )
    )
  }
  if case .weightOnly = recipe.scheme, smaller > 0 {
    found.append(
      Diagnostic(
        "QNT013",
        "\(recipe.scheme.name) makes the file smaller, not the network faster",
        severity: .note
      )
    )
  }
  let isSmallening: Bool
  if case .weightOnly = recipe.scheme {
    isSmallening = true
  } else {
    isSmallening = recipe.scheme == .dynamicInt8
  }
  if isSmallening, smaller == 0 {
    found.append(
      Diagnostic(
        "QNT017",
        "\(recipe.name) changes nothing: no weight has \(recipe.minimumWeightElements) elements",
        remedy: "static_int8 makes small networks faster; float32 is as good as this",
        severity: .warning
      )
    )
  }
  return found
}
