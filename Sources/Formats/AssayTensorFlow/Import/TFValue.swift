import AssayGraph

/// What an edge of a TensorFlow graph carries while it is read.
public enum TFValue: Sendable {
  /// A value of the Graph that is being made, which may be a Constant.
  case tensor(ValueID)
  /// Constant text, such as the names of checkpointed variables.
  case texts([String])
  /// The handle of a variable, by the name under which its value is kept.
  case variable(String)
  /// A value of the checkpoint, by its name there; read when it is needed.
  case saved(String)
  /// A list of tensors, whose length is known while the graph is read.
  case list(TFTensorList)
  /// Nothing, because a Switch took the other way.
  case dead
  /// Nothing, because the node that makes it is faulty.
  case missing
  /// An output that an inference graph has no use for, such as the statistics of a batch.
  case unused
}

/// A TensorList of TensorFlow (`Variant`): loops gather their results in it.
public struct TFTensorList: Sendable {
  /// The elements; `nil` where none was set yet.
  var elements: [ValueID?]
  /// The tensor whose first axis the elements are, as long as none was replaced.
  var stacked: ValueID?
}
