import AssayTensor

/// An operator that the graph describes but cannot compute: a custom operator of a file.
public struct Opaque: Operator {
  /// The file's name for it, such as `edgetpu-custom-op`.
  public var name: String
  /// The types of its outputs, as the file declares them.
  public var outputTypes: [TensorType]
  /// Why it is not computed, when there is more to say than that it is not known.
  public var reason: String?
  /// What the format that read it needs to write it back; it means nothing to others.
  public var payload: (any Sendable)?

  /// Makes an opaque operator.
  public init(
    _ name: String,
    outputTypes: [TensorType],
    reason: String? = nil,
    payload: (any Sendable)? = nil
  ) {
    self.name = name
    self.outputTypes = outputTypes
    self.reason = reason
    self.payload = payload
  }

  public func inferTypes(_ inputs: [TensorType?]) throws -> [TensorType] { outputTypes }
  public func cost(inputs: [TensorType?], outputs: [TensorType]) -> Cost { Cost() }
}
