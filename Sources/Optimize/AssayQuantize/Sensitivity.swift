import AssayBase
import AssayGraph
import AssayTensor

/// How much each operator's quantization alone harms a network, most harmful first.
public struct Sensitivity: Sendable {
  /// One operator.
  public struct Entry: Sendable, Equatable {
    /// The node's name and operator.
    public var node: String, op: String
    /// What the network loses when this node alone is quantized.
    public var quality: Quality
    /// The node's multiply-accumulates.
    public var macs: Int
    /// Its place in the graph.
    public var index: Int
  }

  /// The operators that the recipe quantizes, most harmful first.
  public var entries: [Entry]
  /// The recipe's name.
  public var recipe: String
  /// What losses are told by.
  public var criterion: Criterion
  /// The number of samples that each was judged by.
  public var sampleCount: Int

  /// Quantizes each operator alone and notes what the network loses.
  ///
  /// - Parameters:
  ///   - graph: the canonical network (equalized if the recipe says so).
  ///   - calibration: what data tell of it, for recipes that need it.
  ///   - validation: the samples that each is judged by; a few are enough for an order.
  ///   - progress: called before each operator with its place and their number.
  /// - Throws: what `Quantizer.apply` and `Evaluator` throw.
  public init(
    _ recipe: Recipe,
    of graph: Graph,
    calibration: Calibration?,
    validation: Validation,
    progress: (Int, Int) -> Void = { _, _ in }
  ) throws {
    let quantizer = Quantizer()
    let schemes = graph.nodes.map { recipe.scheme(ofNode: $0.name, op: $0.op.name) }
    let candidates = Sensitivity.candidates(recipe, schemes, graph, calibration)
    // Inside, floats are left at the boundary: what is asked is the operators' own harm.
    var inner = recipe
    inner.boundary = recipe.scheme.isStatic ? .float : recipe.boundary
    inner.fallback = .float
    var entries: [Entry] = []
    for (place, index) in candidates.enumerated() {
      progress(place + 1, candidates.count)
      var alone = [Scheme](repeating: .float32, count: schemes.count)
      alone[index] = schemes[index]
      let variant = try quantizer.apply(inner, to: graph, calibration: calibration, schemes: alone)
      let node = graph.nodes[index]
      let cost = node.op.cost(
        inputs: node.inputs.map { $0.map { graph[$0].type } },
        outputs: node.outputs.map { graph[$0].type }
      )
      entries.append(
        Entry(
          node: node.name,
          op: node.op.name,
          quality: try validation.judge(variant.graph),
          macs: cost.macs,
          index: index
        )
      )
    }
    self.entries = entries.sorted {
      ($0.quality.noise, $1.index) > ($1.quality.noise, $0.index)
    }
    self.recipe = recipe.name
    criterion = validation.criterion
    sampleCount = validation.samples.count
  }

  /// The nodes that a recipe makes compute otherwise; moving data about is no computation.
  static func candidates(
    _ recipe: Recipe,
    _ schemes: [Scheme],
    _ graph: Graph,
    _ calibration: Calibration?
  ) -> [Int] {
    let plan = calibration.map { StaticPlan(graph, $0, recipe, schemes: schemes) }
    return graph.nodes.indices.filter { index in
      let node = graph.nodes[index]
      switch schemes[index] {
      case .float32: return false
      case .staticInt8, .int16x8:
        guard let rule = plan?.rules[index] else { return false }
        if case .shared(let inputs) = rule {
          return inputs.count > 1 || (node.op as? Pool2D)?.kind == .average
        }
        return true
      case .float16, .dynamicInt8, .weightOnly:
        return node.inputs.contains { id in
          id.flatMap { graph[$0].constant }.map { $0.count >= recipe.minimumWeightElements }
            ?? false
        }
      }
    }
  }

  /// The report as JSON (`assay.sensitivity/1`).
  public var json: JSON {
    .object([
      "schema": "assay.sensitivity/1", "recipe": .string(recipe),
      "criterion": .string(criterion.rawValue), "samples": JSON(sampleCount),
      "operators": .array(
        entries.map { entry in
          .object([
            "node": .string(entry.node), "operator": .string(entry.op),
            "snrDb": entry.quality.snrDb.isFinite ? JSON(entry.quality.snrDb) : .null,
            "noise": JSON(entry.quality.noise), "drop": JSON(entry.quality.drop),
            "macs": JSON(entry.macs),
          ])
        }
      ),
    ])
  }
}
