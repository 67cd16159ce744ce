import AssayBase
import AssayCodec
import AssayTensorFlow
import FormatTensorFlow

/// What the values of a checkpoint are called, apart from where a checkpoint of objects keeps them.
struct ObjectNames {
  private var named: [String: String] = [:]

  /// - Throws: `Diagnostic` TFG04x, PRB… when the graph of objects is broken.
  init(_ checkpoint: any Checkpoint) throws {
    guard let text = try checkpoint.text("_CHECKPOINTABLE_OBJECT_GRAPH") else { return }
    let graph = try TFObjectGraph(reading: ProtobufReader(text))
    var counts: [String: Int] = [:]
    for object in graph.objects {
      for (key, name) in zip(object.checkpointKeys, object.checkpointNames) {
        named[key] = name
        counts[name, default: 0] += 1
      }
    }
    // A name that several variables share tells nothing: `kernel` of each layer.
    named = named.filter { counts[$0.value] == 1 && $0.value.contains("/") }
  }

  /// A value's name; `nil` for what is no weight: an optimizer's slots, counters, the graph of objects.
  func name(of key: String) -> String? {
    let parts = key.split(separator: "/")
    if key.hasPrefix("_CHECKPOINTABLE") || parts.contains(".OPTIMIZER_SLOT") { return nil }
    let slots: Set<Substring> = [
      "Momentum", "RMSProp", "RMSProp_1", "Adam", "Adam_1", "Adagrad", "Ftrl", "Ftrl_1", "adam_m",
      "adam_v", "AdamWeightDecayOptimizer", "AdamWeightDecayOptimizer_1",
    ]
    if let last = parts.last, slots.contains(last) { return nil }
    if parts.first == "optimizer" || parts.first == "save_counter" { return nil }
    let lone: Set<String> = [
      "global_step", "beta1_power", "beta2_power", "learning_rate", "learning_rate_1",
    ]
    if lone.contains(key) { return nil }
    if let name = named[key] { return name }
    let end = "/.ATTRIBUTES/VARIABLE_VALUE"
    return key.hasSuffix(end) ? String(key.dropLast(end.count)) : key
  }
}
