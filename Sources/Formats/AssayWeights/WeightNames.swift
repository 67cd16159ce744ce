/// One way of writing the names of weights, so that those of several frameworks can be looked up.
enum WeightNames {
  /// A name with slashes between its parts, without what frameworks put behind it.
  static func plain(_ name: String) -> String {
    var text = name[...]
    if let mark = text.lastIndex(of: ":"), Int(text[text.index(after: mark)...]) != nil {
      text = text[..<mark]
    }
    return String(text.map { $0 == "." ? "/" : $0 })
  }

  /// The end of a name under which a training keeps the running mean of a weight.
  static let average = "/ExponentialMovingAverage"

  /// What a framework may call a part of a layer.
  ///
  /// - Parameter part: the network's own word: `kernel`, `moving_mean`.
  static func words(for part: String, _ convention: WeightFile.Convention) -> [String] {
    let own: [String]
    switch (convention, part) {
    case (.torch, "kernel"), (.torch, "depthwise_kernel"), (.torch, "pointwise_kernel"),
      (.torch, "embeddings"):
      own = ["weight", "kernel"]
    case (.torch, "gamma"): own = ["weight", "gamma"]
    case (.torch, "beta"): own = ["bias", "beta"]
    case (.torch, "moving_mean"): own = ["running_mean"]
    case (.torch, "moving_variance"): own = ["running_var"]
    case (_, "kernel"): own = ["weights", "weight"]
    case (_, "depthwise_kernel"): own = ["depthwise_weights"]
    case (_, "pointwise_kernel"): own = ["pointwise_weights", "weights"]
    case (_, "bias"): own = ["biases"]
    case (_, "embeddings"): own = ["embedding", "weight"]
    default: own = []
    }
    return [part] + own
  }

  /// The layer of a name, and the part of the layer: `conv1` and `kernel` of `conv1/kernel`.
  static func split(_ name: String) -> (layer: String, part: String) {
    guard let slash = name.lastIndex(of: "/") else { return ("", name) }
    return (String(name[..<slash]), String(name[name.index(after: slash)...]))
  }

  /// The words in front of all names that may be left out: a network's or a wrapper's name.
  static func prefixes(of names: some Collection<String>) -> [String] {
    var counts: [String: Int] = [:]
    for name in names {
      let parts = name.split(separator: "/")
      for length in 1...3 where parts.count > length {
        counts[parts.prefix(length).joined(separator: "/") + "/", default: 0] += 1
      }
    }
    let common = counts.filter { $0.value * 4 >= names.count }
    return [""] + common.keys.sorted { ($0.utf8.count, $0) < ($1.utf8.count, $1) }
  }

  /// `conv2d` of `conv2d_3`.
  static func unnumbered(_ name: String) -> String {
    guard let mark = name.lastIndex(of: "_"), Int(name[name.index(after: mark)...]) != nil else {
      return name
    }
    return String(name[..<mark])
  }

  /// A name without its number, and the number; layers that Keras names by itself have such names.
  ///
  /// - Returns: `nil` for names that somebody chose.
  static func automatic(_ layer: String) -> (stem: String, number: Int)? {
    let stems: Set = [
      "conv2d", "batch_normalization", "dense", "depthwise_conv2d", "separable_conv2d", "conv1d",
      "conv2d_transpose", "layer_normalization", "embedding", "prelu", "group_normalization",
      "multi_head_attention", "layer_scale", "normalization",
    ]
    if stems.contains(layer) { return (layer, 0) }
    guard let mark = layer.lastIndex(of: "_"), let number = Int(layer[layer.index(after: mark)...]),
      stems.contains(String(layer[..<mark]))
    else { return nil }
    return (String(layer[..<mark]), number)
  }
}
