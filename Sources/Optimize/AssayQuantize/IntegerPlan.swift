import AssayBase
import AssayGraph
import AssayTensor

/// How a network becomes integers, kept apart from its weights and from the ranges of its values.
///
/// Training with the rounding of integers needs to know what will be rounded and which values share a
/// scale, and in the end writes just that with the weights and ranges that it found.
public struct IntegerPlan {
  /// What an integer value or Constant of the drawn-up graph is made of.
  public enum Origin: Sendable, Hashable {
    /// The real numbers of a value of the network, or others in the scale of that value.
    case range(ValueID)
    /// A filter, symmetric and with a scale for each slice along the axis.
    case filter(ValueID, axis: Int)
    /// A bias, in units of the filter's and the input's scales.
    case bias(ValueID)
    /// A Constant in a scale of its own.
    case constant(ValueID, isSymmetric: Bool)
    /// A Constant in the scale of a value.
    case sharing(ValueID, ValueID)
  }

  /// The network.
  public let source: Graph
  /// The network of integers, with inputs and outputs of floats, as calibration has it.
  public let graph: Graph
  /// What its integers are of.
  public let origins: [ValueID: Origin]
  /// What was noticed.
  public let diagnostics: [Diagnostic]
  private let calibration: Calibration
  private let plan: StaticPlan
  private let recipe: Recipe

  /// Plans the integers of a canonical network.
  ///
  /// - Throws: what `Quantizer.apply` throws.
  public init(_ source: Graph, _ recipe: Recipe, _ calibration: Calibration) throws {
    var inner = recipe.withoutTraining
    inner.boundary = .float
    let schemes = source.nodes.map { inner.scheme(ofNode: $0.name, op: $0.op.name) }
    plan = StaticPlan(source, calibration, inner, schemes: schemes)
    self.source = source
    self.calibration = calibration
    self.recipe = recipe.withoutTraining
    var quantizer = StaticQuantizer(source, plan, inner)
    graph = try quantizer.run()
    origins = quantizer.origins
    diagnostics = quantizer.diagnostics
  }

  /// A number that values with one scale have in common.
  public func group(of value: ValueID) -> Int { plan.groups.group(value) }

  /// The range of a value's group, as calibration has it; `nil` when the specification fixes its scale.
  public func range(of value: ValueID) -> Calibration.Range? {
    plan.groups.fixed(value) == nil ? plan.groups.range(value) : nil
  }

  /// What calibration saw of one value alone.
  public func seen(_ value: ValueID) -> Calibration.Range? {
    calibration.ranges[source[value].name]
  }

  /// Whether all slices of a filter get one scale, because it has few different values.
  public static func sharesScale(_ filter: Tensor) -> Bool {
    QuantizedFilter.hasFewValues(filter.floats())
  }

  /// The network of integers with other weights and ranges, as files hold it.
  ///
  /// - Parameters:
  ///   - network: the source with other Constants.
  ///   - ranges: by group; others stay as calibration has them.
  /// - Throws: what `Quantizer.apply` throws.
  public func written(
    _ network: Graph,
    ranges: [Int: Calibration.Range]
  ) throws -> (graph: Graph, diagnostics: [Diagnostic]) {
    var quantizer = StaticQuantizer(network, plan.with(network, ranges: ranges), recipe)
    let graph = try quantizer.run().compacted()
    return (graph, quantizer.diagnostics)
  }
}
