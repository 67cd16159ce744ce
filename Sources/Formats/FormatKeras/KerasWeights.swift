import AssayBase
import AssayCodec
import AssayTensor

/// The names of a layer's weights, in the order in which Keras makes them.
struct KerasWeightNames {
  /// Weights that training changes, unless the layer is frozen.
  var trained: [String] = []
  /// Weights that training does not change.
  var fixed: [String] = []

  /// All of them.
  var all: [String] { trained + fixed }
}

/// Where a file keeps the weights.
protocol KerasWeights {
  /// A weight of a layer by name, read now: what is not asked for is never in memory.
  ///
  /// - Parameter top: the layer of the outermost model that holds `layer`, or `layer` itself.
  /// - Throws: `Diagnostic` KER004 when it is missing.
  mutating func weight(_ name: String, of layer: KerasLayer, in top: KerasLayer) throws -> Tensor

  /// Whether the file has weights for a layer, whatever they are called.
  mutating func holdsWeights(of layer: KerasLayer, in top: KerasLayer) throws -> Bool
}

extension KerasLayer {
  /// A fault of the layer's weights.
  func missing(_ name: String) -> Diagnostic {
    Diagnostic(
      "KER004",
      "the file has no weight '\(name)' for the layer",
      remedy: "save the model again; a file made by another tool may name its weights otherwise"
    )
  }
}

extension HDF5Object {
  /// The numbers as float32 (integers stay), where they lie in the file if they can.
  func weight() throws -> Tensor {
    let tensor = try self.tensor()
    guard tensor.dtype == .float32 || tensor.dtype.isInteger else {
      return tensor.converted(to: .float32) ?? tensor
    }
    return tensor
  }
}
