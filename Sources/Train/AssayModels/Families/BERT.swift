import AssayGraph
import AssayTensor

extension Zoo {
  /// Encoders of word pieces: Devlin et al., 2019 (sizes by Turc et al., 2019), Sanh et al., 2019, and
  /// Sun et al., 2020, with the names of Hugging Face's weights.
  static let textEncoders =
    [("tiny", 2, 128), ("mini", 4, 256), ("small", 4, 512), ("medium", 8, 512), ("base", 12, 768)]
    .map { bert("bert-\($0.0)", layers: $0.1, width: $0.2) } + [distilBERT, mobileBERT]

  private static let vocabulary = 30_522

  private static func encoder(
    _ name: String,
    family: String,
    _ define: @escaping @Sendable (NetworkBuilder, ZooSettings) -> Void
  ) -> ZooEntry {
    ZooEntry(
      name,
      family: family,
      task: .text,
      source: "Hugging Face",
      input: .tokens(length: 128, vocabulary: vocabulary),
      classes: nil,
      hasTop: false,
      define
    )
  }

  private static func bert(_ name: String, layers: Int, width: Int) -> ZooEntry {
    encoder(name, family: "BERT") { network, settings in
      let length = settings.size.height
      let ids = network.input("input_ids", [length], dtype: .int32)
      let mask = network.input("attention_mask", [length], dtype: .int32).attentionMask()
      let types = network.input("token_type_ids", [length], dtype: .int32)
      var x = network.block("embeddings") {
        let words = ids.embedding(vocabulary, width, name: "word_embeddings", weight: "weight")
        let sum = words + types.embedding(2, width, name: "token_type_embeddings", weight: "weight")
        return sum.positionRows(512, name: "position_embeddings")
          .layerNorm(epsilon: 1e-12, name: "LayerNorm")
      }
      for index in 0..<layers {
        x = x.block("encoder/layer/\(index)") { $0.bertLayer(mask, heads: max(width / 64, 1)) }
      }
      network.output(x, name: "last_hidden_state")
      let pooled = x.slice([0, 0], [1, width]).reshape([width])
        .dense(width, name: "pooler/dense").activation(.tanh)
      network.output(pooled, name: "pooler_output")
    }
  }

  private static let distilBERT = encoder("distilbert-base", family: "DistilBERT") {
    network,
    settings in
    let ids = network.input("input_ids", [settings.size.height], dtype: .int32)
    let mask = network.input("attention_mask", [settings.size.height], dtype: .int32)
      .attentionMask()
    var x = network.block("embeddings") {
      ids.embedding(vocabulary, 768, name: "word_embeddings", weight: "weight")
        .positionRows(512, name: "position_embeddings").layerNorm(epsilon: 1e-12, name: "LayerNorm")
    }
    for index in 0..<6 {
      x = x.block("transformer/layer/\(index)") { x in
        let attended = x.block("attention") { x in
          Signal.attention(
            query: x.dense(768, name: "q_lin"),
            key: x.dense(768, name: "k_lin"),
            value: x.dense(768, name: "v_lin"),
            heads: 12,
            mask: mask
          ).dense(768, name: "out_lin")
        }
        let y = (attended + x).layerNorm(epsilon: 1e-12, name: "sa_layer_norm")
        let long = y.dense(3072, name: "ffn/lin1").activation(.gelu).dense(768, name: "ffn/lin2")
        return (long + y).layerNorm(epsilon: 1e-12, name: "output_layer_norm")
      }
    }
    network.output(x, name: "last_hidden_state")
  }

  private static let mobileBERT = encoder("mobilebert", family: "MobileBERT") {
    network,
    settings in
    let length = settings.size.height
    let ids = network.input("input_ids", [length], dtype: .int32)
    let mask = network.input("attention_mask", [length], dtype: .int32).attentionMask()
    let types = network.input("token_type_ids", [length], dtype: .int32)
    var x = network.block("embeddings") {
      let words = ids.embedding(vocabulary, 128, name: "word_embeddings", weight: "weight")
      // A word's neighbors are put beside it.
      let before = words.slice([1, 0], [length - 1, 128]).padRows(before: 0, after: 1)
      let after = words.slice([0, 0], [length - 1, 128]).padRows(before: 1, after: 0)
      let wide = before.concatenated(with: words, after)
        .dense(512, name: "embedding_transformation")
      let sum = wide.positionRows(512, name: "position_embeddings")
      return (sum + types.embedding(2, 512, name: "token_type_embeddings", weight: "weight"))
        .affine("LayerNorm")
    }
    for index in 0..<24 {
      x = x.block("encoder/layer/\(index)") { $0.mobileBERTLayer(mask) }
    }
    network.output(x, name: "last_hidden_state")
    network.output(x.slice([0, 0], [1, 512]).reshape([512]), name: "pooler_output")
  }
}

extension Signal {
  /// What is added to the scores of word pieces that are only padding: much below zero, else zero.
  fileprivate func attentionMask() -> Signal {
    network.layer("AttentionMask", name: nil, on: self) { layer in
      let floats = try layer.node(Cast(.float32), [id], part: "float")
      let less = try layer.node(
        Binary(.subtract),
        [floats, layer.fixed("one", [1], [])],
        part: "less"
      )
      let scaled = try layer.node(
        Binary(.multiply),
        [less, layer.fixed("much", [10_000], [])],
        part: "scaled"
      )
      return try layer.node(Reshape([-1, 1, 1, shape[1]]), [scaled])
    }
  }

  /// The first rows of a table of weights are added to the sequence.
  fileprivate func positionRows(_ count: Int, name: String) -> Signal {
    network.layer("PositionEmbedding", name: name, on: self) { layer in
      let table = layer.weight("weight", [count, channels], .truncatedNormal(0.2))
      let sizes = [shape[1], channels]
      let rows = try layer.node(Slice(begin: [0, 0], sizes: sizes), [table], part: "rows")
      return try layer.node(Binary(.add), [id, rows])
    }
  }

  fileprivate func bertLayer(_ mask: Signal, heads: Int) -> Signal {
    let width = channels
    let mixed = block("attention/self") { x in
      Signal.attention(
        query: x.dense(width, name: "query"),
        key: x.dense(width, name: "key"),
        value: x.dense(width, name: "value"),
        heads: heads,
        mask: mask
      )
    }
    let attended = (mixed.dense(width, name: "attention/output/dense") + self)
      .layerNorm(epsilon: 1e-12, name: "attention/output/LayerNorm")
    let long = attended.dense(4 * width, name: "intermediate/dense").activation(.gelu)
      .dense(width, name: "output/dense")
    return (long + attended).layerNorm(epsilon: 1e-12, name: "output/LayerNorm")
  }

  /// Zero rows before and after a sequence.
  fileprivate func padRows(before: Int, after: Int) -> Signal {
    network.layer("ZeroPadding1D", name: nil, on: self) {
      try $0.node(Pad(before: [0, before, 0], after: [0, after, 0]), [id])
    }
  }

  /// Each channel times a weight and plus another: MobileBERT's place of a normalization.
  fileprivate func affine(_ name: String) -> Signal {
    network.layer("NoNorm", name: name, on: self) { layer in
      let factor = layer.weight("gamma", [channels], .ones)
      let scaled = try layer.node(Binary(.multiply), [id, factor], part: "scaled")
      return try layer.node(Binary(.add), [scaled, layer.weight("beta", [channels], .zeros)])
    }
  }

  /// A layer that works on a quarter of its channels, and four times through its dense layers.
  fileprivate func mobileBERTLayer(_ mask: Signal) -> Signal {
    func narrow(_ part: String) -> Signal {
      dense(128, name: "bottleneck/\(part)/dense").affine("bottleneck/\(part)/LayerNorm")
    }
    let input = narrow("input")
    let shared = narrow("attention")
    let mixed = Signal.attention(
      query: shared.dense(128, name: "attention/self/query"),
      key: shared.dense(128, name: "attention/self/key"),
      value: dense(128, name: "attention/self/value"),
      heads: 4,
      mask: mask
    )
    var x = (mixed.dense(128, name: "attention/output/dense") + input)
      .affine("attention/output/LayerNorm")
    func feed(_ x: Signal, _ wide: String, _ back: String) -> Signal {
      x.dense(512, name: "\(wide)/dense").activation(.relu).dense(128, name: "\(back)/dense")
    }
    for index in 0..<3 {
      let name = "ffn/\(index)"
      x = (feed(x, "\(name)/intermediate", "\(name)/output") + x).affine("\(name)/output/LayerNorm")
    }
    let y = (feed(x, "intermediate", "output") + x).affine("output/LayerNorm")
    return (y.dense(512, name: "output/bottleneck/dense") + self)
      .affine("output/bottleneck/LayerNorm")
  }
}
