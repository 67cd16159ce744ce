import AssayBase
import AssayGraph
import AssayTensor

extension Signal {
  /// The matrix product over the last two axes.
  public func times(_ other: Signal, transposed: Bool = false, name: String? = nil) -> Signal {
    network.layer("MatMul", name: name, on: self) {
      try $0.node(MatMul(transposesB: transposed), [id, other.id])
    }
  }

  /// Rows of a table of weights, chosen by the signal's integers.
  public func embedding(
    _ count: Int,
    _ width: Int,
    name: String? = nil,
    weight: String = "embeddings"
  ) -> Signal {
    network.layer("Embedding", name: name, on: self) { layer in
      let table = layer.weight(weight, [count, width], .truncatedNormal(0.5))
      return try layer.node(Gather(axis: 0), [table, id])
    }
  }

  /// Attention of several heads over a sequence `[1, T, C]` (Vaswani et al., 2017), from queries, keys
  /// and values that are projected already.
  ///
  /// - Parameter mask: what is added to every head's scores, such as `[1, 1, 1, T]`.
  public static func attention(
    query: Signal,
    key: Signal,
    value: Signal,
    heads: Int,
    mask: Signal? = nil
  ) -> Signal {
    let (length, width) = (query.shape[1], query.channels / max(heads, 1))
    func split(_ signal: Signal) -> Signal {
      signal.reshape([signal.shape[1], heads, signal.channels / max(heads, 1)]).transpose([2, 1, 3])
    }
    let scale = 1 / Float(width).squareRoot()
    var scores = split(query).times(split(key), transposed: true).rescale([scale])
    if let mask { scores = scores + mask }
    return scores.activation(.softmax).times(split(value)).transpose([2, 1, 3])
      .reshape([length, value.channels])
  }
}
