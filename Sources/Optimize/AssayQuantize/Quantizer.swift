import AssayBase
import AssayGraph
import AssayTensor

/// Makes a variant of a network by a recipe.
///
/// The graph given is canonical: normalizations are folded, activations are part of the operator
/// before them. Names of inputs and outputs stay.
public struct Quantizer: Sendable {
  /// Makes a quantizer.
  public init() {}

  /// Whether `static_int8` knows an operator; some kinds of it may stay in float32 even so.
  public static func canQuantize(_ op: any Operator) -> Bool {
    guard let op = op as? any QuantizableOperator else { return false }
    // Shapes do not matter here, only whether the kind has an integer kernel at all.
    let weights = Tensor([Float](repeating: 0, count: 1), [1, 1, 1, 1])
    let value = Value(name: "", type: weights.type)
    let constant = Value(name: "", type: weights.type, constant: weights)
    if case .float = op.quantizationRule([value, constant, constant]) { return false }
    return true
  }

  /// The variant of `graph` that `recipe` describes.
  ///
  /// Equalization comes before calibration, so it is not done here: `VariantMaker` does both.
  ///
  /// - Parameter calibration: what was seen of the graph's values, for recipes that need it.
  /// - Returns: the variant, and what was noticed: QNT010 for each operator that stays in float32 in a
  ///   graph of integers, QNT012 for constants that half precision cannot hold, QNT016 for overrides
  ///   that concern no node.
  /// - Throws: `Diagnostic` QNT002 for a recipe that trains, QNT004 to QNT008; `Diagnostics` QNT021 that name each operator that has
  ///   no integer kernel, for a recipe that refuses them.
  public func apply(
    _ recipe: Recipe,
    to graph: Graph,
    calibration: Calibration? = nil
  ) throws -> (graph: Graph, diagnostics: [Diagnostic]) {
    let schemes = graph.nodes.map { recipe.scheme(ofNode: $0.name, op: $0.op.name) }
    let result = try apply(recipe, to: graph, calibration: calibration, schemes: schemes)
    return (result.graph, unusedOverrides(recipe, graph) + result.diagnostics)
  }

  /// The variant in which each node has a scheme of its own.
  func apply(
    _ recipe: Recipe,
    to graph: Graph,
    calibration: Calibration?,
    schemes: [Scheme]
  ) throws -> (graph: Graph, diagnostics: [Diagnostic]) {
    try recipe.refuseTraining()
    var diagnostics: [Diagnostic] = []
    if schemes.allSatisfy({ $0 == .float32 }), recipe.scheme == .float32 {
      return (graph, diagnostics)
    }
    if let value = graph.values.first(where: { $0.type.quantization != nil }) {
      throw Diagnostic(
        "QNT007",
        "the network is quantized already",
        at: ["value '\(value.name)'"],
        remedy: "start from the float32 network"
      )
    }
    var source = graph
    if recipe.correctsBias {
      source = try withCorrectedBiases(graph, schemes, seen(calibration, recipe))
    }
    var result = source
    if recipe.scheme.isStatic || schemes.contains(where: \.isStatic) {
      let plan = StaticPlan(source, try seen(calibration, recipe), recipe, schemes: schemes)
      try refuse(plan, recipe, graph)
      var quantizer = StaticQuantizer(source, plan, recipe)
      result = try quantizer.run().compacted()
      diagnostics += quantizer.diagnostics
    }
    if schemes.contains(where: { !$0.isStatic && $0 != .float32 }) {
      let table = Dictionary(
        zip(graph.nodes.map(\.name), schemes)
      ) { first, _ in first }
      var pass = WeightPass(result, recipe)
      result = try pass.run { table[$0.name] ?? .float32 }
      diagnostics += pass.diagnostics
    }
    return (result, diagnostics)
  }

  private func seen(_ calibration: Calibration?, _ recipe: Recipe) throws -> Calibration {
    guard let calibration, calibration.sampleCount > 0 || !calibration.ranges.isEmpty else {
      throw Diagnostic(
        "QNT008",
        "the recipe '\(recipe.name)' needs representative data",
        remedy: "give it with --representative"
      )
    }
    return calibration
  }

  private func unusedOverrides(_ recipe: Recipe, _ graph: Graph) -> [Diagnostic] {
    recipe.overrides.compactMap { override in
      if graph.nodes.contains(where: { override.matches(name: $0.name, op: $0.op.name) }) {
        return nil
      }
      let (what, word, known) =
        switch override.selector {
        case .nodes(let pattern): ("named", pattern, graph.nodes.map(\.name))
        case .op(let word): ("with the operator", word, Set(graph.nodes.map(\.op.name)).sorted())
        }
      return Diagnostic(
        "QNT016",
        "no node \(what) '\(word)': the override changes nothing",
        remedy: nearest(to: word, among: known).map { "did you mean '\($0)'?" }
          ?? "see the nodes with assay inspect",
        severity: .warning
      )
    }
  }

  /// Throws when floats remain within a network that is to be integers alone.
  private func refuse(_ plan: StaticPlan, _ recipe: Recipe, _ graph: Graph) throws {
    guard recipe.fallback == .refuse else { return }
    let remedy = "replace the operator, or allow floats with --fallback float"
    var faults = plan.diagnostics.filter { $0.code == "QNT010" }.map { finding in
      var fault = finding
      (fault.code, fault.severity, fault.remedy) = ("QNT021", .error, remedy)
      fault.summary = finding.summary.replacing("stays in float32", with: "would stay in float32")
      return fault
    }
    faults += plan.kept.map { index in
      let node = graph.nodes[index]
      return Diagnostic(
        "QNT021",
        "'\(node.op.name)' would stay in float32: the recipe keeps it there",
        at: ["node '\(node.name)'"],
        remedy: "leave out the override, or allow floats with --fallback float"
      )
    }
    try Diagnostics(faults).throwIfErrors()
  }
}
