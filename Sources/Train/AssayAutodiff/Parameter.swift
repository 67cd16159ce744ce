import AssayGraph
import AssayKernels
import AssayTensor

/// A Constant of a graph that training reads and changes.
///
/// A weight has a gradient and is changed by the optimizer; a statistic (the moving averages of a batch
/// normalization, the range of a fake quantization) is changed by the forward pass itself.
public final class Parameter {
  /// What a parameter is to the operator that reads it.
  public enum Role: String, Sendable, CaseIterable {
    /// The factors of a sum of products: filters, matrices, tables of embeddings.
    case weight
    /// What is added to the channels of a layer's result.
    case bias
    /// A factor for each channel (gamma).
    case scale
    /// What is added for each channel by a normalization (beta).
    case offset
    /// A moving average that the forward pass keeps.
    case statistic
    /// An end of a fake quantization's range.
    case range
  }

  /// The constant in `TrainableGraph.graph`.
  public let id: ValueID
  /// The constant's name.
  public let name: String
  /// Its extents.
  public let shape: Shape
  /// What it is to the first node that reads it.
  public let role: Role
  /// The nodes that read it, by index in `TrainableGraph.graph.nodes`.
  public let readers: [Int]
  /// The elements as they are now.
  public let value: FloatBuffer
  /// The gradient of the last backward pass; `nil` for what has none.
  public let gradient: FloatBuffer?
  /// Whether optimizers change it; may be switched while training runs.
  public var isTrainable: Bool

  init(
    id: ValueID,
    value: Value,
    role: Role,
    readers: [Int],
    buffer: FloatBuffer,
    gradient: FloatBuffer?
  ) {
    self.id = id
    name = value.name
    shape = value.type.shape
    self.role = role
    self.readers = readers
    self.value = buffer
    self.gradient = gradient
    isTrainable = gradient != nil
  }

  /// The number of elements.
  public var count: Int { value.count }

  /// The elements as a tensor.
  public var tensor: Tensor { Tensor(value.array, shape) }

  /// Takes over the elements of an array of the same length.
  public func set(_ elements: [Float]) {
    for index in 0..<min(elements.count, value.count) { value[index] = elements[index] }
  }
}
