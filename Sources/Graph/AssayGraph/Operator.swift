import AssayBase
import AssayTensor

/// What one application of an operator costs, from its shapes alone.
public struct Cost: Sendable, Equatable {
  /// Multiply-accumulate operations.
  public var macs: Int
  /// Element-wise operations that are no multiply-accumulates.
  public var elementwise: Int

  /// Makes a cost.
  public init(macs: Int = 0, elementwise: Int = 0) {
    self.macs = macs
    self.elementwise = elementwise
  }

  /// The sum of two costs.
  public static func + (a: Cost, b: Cost) -> Cost {
    Cost(macs: a.macs &+ b.macs, elementwise: a.elementwise &+ b.elementwise)
  }
}

/// How exactly two implementations of an operator can be expected to agree on float32.
public enum Tolerance: Sendable, Equatable {
  /// Bit for bit: data movement, comparison.
  case exact
  /// Up to rounding of a few operations or of a long sum in another order.
  case rounding
  /// Up to the error of an approximated function (exp, tanh, …).
  case approximate

  /// The bound on max |a-b| / max |b|.
  public var relative: Float {
    switch self {
    case .exact: 0
    case .rounding: 2e-6
    case .approximate: 1e-5
    }
  }
}

/// What a Node computes: a value type that holds the operator's attributes.
///
/// Weights are inputs, not attributes. Operators are float-and-integer polymorphic: a node whose
/// values are quantized computes by the TensorFlow Lite 8-bit quantization specification.
public protocol Operator: Sendable {
  /// The operator's name, as messages, dumps and docs/operators.md show it.
  var name: String { get }

  /// The types of the outputs for inputs of these types (`nil` for an absent optional input).
  ///
  /// The element type follows the first input; a quantization is left out, it is the quantizer's to
  /// set.
  ///
  /// - Throws: `Diagnostic` GRF… when the operator does not accept the inputs.
  func inferTypes(_ inputs: [TensorType?]) throws -> [TensorType]

  /// The cost of one application.
  func cost(inputs: [TensorType?], outputs: [TensorType]) -> Cost

  /// How exactly implementations agree.
  var tolerance: Tolerance { get }

  /// The attributes, in a fixed order, for dumps, diffs and hashes.
  var attributes: [(name: String, value: String)] { get }
}

extension Operator {
  /// One element-wise operation for each element of each output.
  public func cost(inputs: [TensorType?], outputs: [TensorType]) -> Cost {
    Cost(elementwise: outputs.reduce(0) { $0 &+ $1.shape.count })
  }

  /// Data movement agrees bit for bit.
  public var tolerance: Tolerance { .exact }

  /// No attributes.
  public var attributes: [(name: String, value: String)] { [] }
}

/// Throws GRF001 unless there are enough inputs, and returns those that must be there.
func required(_ inputs: [TensorType?], _ count: Int, of name: String) throws -> [TensorType] {
  let present = inputs.prefix(count).compactMap { $0 }
  guard present.count == count else {
    throw Diagnostic("GRF001", "\(name) takes \(count) inputs, \(present.count) are there")
  }
  return present
}

/// A shape fault.
func shapeFault(_ name: String, _ what: String) -> Diagnostic {
  Diagnostic("GRF002", "\(name): \(what)")
}
