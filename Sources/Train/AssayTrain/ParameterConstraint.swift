import AssayAutodiff

/// Something that parameters must keep to while they are trained: zeros that stay, values that
/// clusters share.
public protocol ParameterConstraint: AnyObject {
  /// Called once before the first step of a run; after the state was restored, if a run is taken up.
  func begin(_ model: TrainableGraph) throws

  /// Called between the gradients and the optimizer: gradients may be changed (masked, shared).
  func adjustGradients(_ model: TrainableGraph, step: Int) throws

  /// Called after the optimizer has changed the parameters in a step; the first is 0.
  func constrain(_ model: TrainableGraph, step: Int) throws

  /// What a checkpoint must keep besides the parameters themselves: arrays by name.
  var state: [String: [Float]] { get set }
}

extension ParameterConstraint {
  /// Nothing to prepare.
  public func begin(_ model: TrainableGraph) throws {}
  /// Gradients stay as they are.
  public func adjustGradients(_ model: TrainableGraph, step: Int) throws {}
  /// Nothing to keep.
  public var state: [String: [Float]] {
    get { [:] }
    set { _ = newValue }
  }
}
