import AssayAutodiff
import AssayBase
import AssayGraph
import AssayKernels
import AssayQuantize
import AssayTensor
import AssayTrain

/// Keeps true, while a network trains, what pruning and clustering have made of it.
///
/// Gradients of weights that stay zero are none; those of a cluster are summed, so that its weights
/// take the step of their one value. After the optimizer's step zeros are set again and the weights of
/// a cluster made exactly equal. Where a schedule says so, more weights fall.
public final class CompressionConstraint: ParameterConstraint {
  /// The network with what is true of it; its weights are those of the last choice.
  public private(set) var compressor: Compressor
  private let pruning: Pruning?
  private let stepCount: Int
  private let place: (ValueID) -> ValueID?
  private var parameters: [ValueID: Parameter] = [:]

  /// - Parameters:
  ///   - pruning: what falls while training goes; `nil` when that is over or never begins.
  ///   - stepCount: the steps of the whole training.
  ///   - place: the trained graph's Constant for one of the compressor's.
  public init(
    _ compressor: Compressor,
    pruning: Pruning? = nil,
    stepCount: Int,
    place: @escaping (ValueID) -> ValueID? = { $0 }
  ) {
    self.compressor = compressor
    self.pruning = pruning
    self.stepCount = stepCount
    self.place = place
  }

  public func begin(_ model: TrainableGraph) throws {
    let known = Dictionary(model.parameters.map { ($0.id, $0) }) { first, _ in first }
    let layers =
      compressor.layers + (pruning.map { compressor.graph.layerWeights($0.layers) } ?? [])
    for layer in layers {
      guard let id = place(layer.value), let parameter = known[id] else { continue }
      parameters[layer.value] = parameter
    }
  }

  public func adjustGradients(_ model: TrainableGraph, step: Int) throws {
    for layer in compressor.layers {
      guard let gradient = parameters[layer.value]?.gradient else { continue }
      compressor.join(gradient, of: layer.value)
    }
  }

  public func constrain(_ model: TrainableGraph, step: Int) throws {
    if let pruning,
      let due = pruning.schedule.sparsity(pruning.sparsity, at: step, of: stepCount)
    {
      for (value, parameter) in parameters { compressor.take(parameter.tensor, of: value) }
      try compressor.prune(pruning, sparsity: due)
    }
    for layer in compressor.layers {
      guard let parameter = parameters[layer.value] else { continue }
      compressor.hold(parameter.value, of: layer.value)
    }
  }

  public var state: [String: [Float]] {
    get { compressor.state }
    set { compressor.state = newValue }
  }
}

/// Lets the ranges of values stand still from a moment on, so that the last steps train the network
/// that will be written.
final class RangeFreeze: ParameterConstraint {
  private let step: Int
  private let ranges: Set<ValueID>
  private var frozen: [String: [Float]] = [:]

  /// - Parameters:
  ///   - step: the first at whose end ranges are kept.
  ///   - ranges: the Constants that hold their ends.
  init(at step: Int, _ ranges: Set<ValueID>) {
    self.step = step
    self.ranges = ranges
  }

  func constrain(_ model: TrainableGraph, step: Int) throws {
    guard step >= self.step else { return }
    for parameter in model.parameters where ranges.contains(parameter.id) {
      parameter.isTrainable = false
      if let kept = frozen[parameter.name] {
        parameter.set(kept)
      } else {
        frozen[parameter.name] = parameter.value.array
      }
    }
  }

  var state: [String: [Float]] {
    get { frozen }
    set { frozen = newValue }
  }
}
