import AssayGraph
import AssayTensor

/// An operator's result in the variant beside the value of the same name in the original.
public struct Divergence: Sendable, Equatable {
  /// The value's name.
  public var value: String
  /// The node that makes it in the variant.
  public var node: String
  /// That node's operator.
  public var op: String
  /// How far the value is from the original's.
  public var metrics: ErrorMetrics
  /// Decibels of signal-to-noise ratio that are lost between what the node reads and what it makes;
  /// 0 when that is not known.
  public var loss: Double
}

/// Compares values between input and output that have the same name in both graphs.
///
/// A rewrite keeps the name of the value that it still computes, so that names are where the graphs
/// correspond.
struct Trace {
  private let original: Graph
  private let variant: Graph
  private let shared: Set<String>
  private var kept: [String: [[Float]]] = [:]
  private var position: [String: Int] = [:]
  private var sums: [ValueID: ErrorSums] = [:]

  init(original: Graph, variant: Graph) {
    self.original = original
    self.variant = variant
    func names(_ graph: Graph) -> Set<String> {
      var made = graph.inputs
      for node in graph.nodes { made += node.outputs }
      return Set(made.map { graph[$0].name })
    }
    shared = names(original).intersection(names(variant))
  }

  mutating func keep(_ id: ValueID, _ tensor: Tensor) {
    let name = original[id].name
    if shared.contains(name) { kept[name, default: []].append(tensor.floats()) }
  }

  mutating func compare(_ id: ValueID, _ tensor: Tensor) {
    let name = variant[id].name
    let turn = position[name, default: 0]
    guard let values = kept[name], turn < values.count, values[turn].count == tensor.count else {
      return
    }
    position[name] = turn + 1
    sums[id, default: ErrorSums()].add(reference: values[turn], other: tensor.floats())
  }

  /// Lets the original's values of one set of inputs go.
  mutating func forget() {
    kept = [:]
    position = [:]
  }

  /// The variant's nodes in order, as far as their results correspond to something.
  var steps: [Divergence] {
    // The ratio at which a value that is not compared itself was last known.
    var ratios: [ValueID: Double] = [:]
    for id in variant.inputs { ratios[id] = sums[id]?.metrics.snrDb ?? .infinity }
    var steps: [Divergence] = []
    for node in variant.nodes {
      let before = node.inputs.compactMap { $0.flatMap { ratios[$0] } }.min() ?? .infinity
      for output in node.outputs {
        guard let metrics = sums[output]?.metrics else {
          ratios[output] = before
          continue
        }
        // More than 100 dB is the rounding of float32 itself.
        let after = metrics.snrDb.isNaN ? 0 : min(metrics.snrDb, 100)
        ratios[output] = after
        steps.append(
          Divergence(
            value: variant[output].name,
            node: node.name,
            op: node.op.name,
            metrics: metrics,
            loss: max(min(before, 100) - max(after, -100), 0)
          )
        )
      }
    }
    return steps
  }
}
