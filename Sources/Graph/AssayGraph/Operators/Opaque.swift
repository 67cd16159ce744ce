import AssayTensor

/// An operator that the graph describes but cannot compute: a custom operator of a file.
public struct Opaque: Operator {
  /// The file's name for it, such as `edgetpu-custom-op`.
  public var name: String
  /// The types of its outputs, as the file declares them.
  public var outputTypes: [TensorType]

  /// Makes an opaque operator.
  public init(_ name: String, outputTypes: [TensorType]) {
    self.name = name
    self.outputTypes = outputTypes
  }

  public func inferTypes(_ inputs: [TensorType?]) throws -> [TensorType] { outputTypes }
  public func cost(inputs: [TensorType?], outputs: [TensorType]) -> Cost { Cost() }
}
