import AssayBase
import AssayCatalog
import AssayCodec
import AssayCompress
import AssayGraph
import AssayHost
import AssayQuantize

/// One row of the table of `assay optimize`: the model itself or a variant.
struct OptimizeRow {
  /// The recipe's name; `original` for the model itself.
  var name: String
  /// The file; `nil` for the model itself, which is written for its size alone.
  var file: String?
  /// How it does; `nil` without data.
  var score: OptimizeScore?
  /// The file's size, and that when it is deflated.
  var byteCount: Int, deflatedByteCount: Int
  /// What is true of the weights of each layer, in floats.
  var layers: [LayerReport]
  /// Layers that lost channels.
  var losses: [ChannelPlan.Loss] = []
  /// Multiply-accumulates.
  var macs: Int
  /// The steps of training that it took.
  var steps = 0

  /// The part of the weights that are zero.
  var zeros: Double {
    let count = layers.reduce(0) { $0 + $1.count }
    return count > 0 ? Double(layers.reduce(0) { $0 + $1.zeros }) / Double(count) : 0
  }

  /// The most values that a layer's weights take.
  var values: Int { layers.map(\.values).max() ?? 0 }

  /// Measures a file.
  init(
    _ name: String,
    at path: String,
    file: String?,
    score: OptimizeScore?,
    weights: Graph,
    variant: Graph
  ) throws {
    self.name = name
    self.file = file
    self.score = score
    let bytes = try MappedFile(path: path).view
    byteCount = bytes.count
    deflatedByteCount = try Zlib.deflatedByteCount(bytes)
    layers = LayerReport.all(of: weights)
    macs = variant.cost.macs
  }

  /// The row as JSON.
  var json: JSON {
    var members: JSON = .object([
      "name": .string(name), "file": JSON(file), "bytes": JSON(byteCount),
      "deflatedBytes": JSON(deflatedByteCount), "macs": JSON(macs), "steps": JSON(steps),
      "zeros": JSON(zeros), "values": JSON(values), "layers": .array(layers.map(\.json)),
    ])
    members["score"] = score?.json ?? .null
    if !losses.isEmpty {
      members["channels"] = .array(
        losses.map {
          .object([
            "node": .string($0.node), "before": JSON($0.before), "after": JSON($0.after),
          ])
        }
      )
    }
    return members
  }
}

/// The comparison of a model with what `assay optimize` made of it.
struct OptimizeResult {
  var model: String
  var original: OptimizeRow
  var variants: [OptimizeRow]
  /// What the scores are on, in words; `nil` without data.
  var source: String?
  var diagnostics: [Diagnostic]
  var seconds: Double

  var json: JSON {
    .object([
      "schema": "assay.optimize/1", "model": .string(model), "data": JSON(source),
      "original": original.json, "variants": .array(variants.map(\.json)),
      "seconds": JSON(seconds), "diagnostics": .array(diagnostics.map(\.json)),
    ])
  }

  /// The answer first, then the table.
  var text: String {
    var text = variants.map { sentence($0) + "\n" }.joined()
    let hasScores = original.score != nil
    let header =
      ["variant"] + (hasScores ? [original.score?.heading ?? "score", "95 % interval"] : [])
      + ["size", "deflated", "zeros", "values", "MACs"]
    let rows = ([original] + variants).map { row in
      [row.name] + (hasScores ? [row.score?.text ?? "-", row.score?.interval ?? ""] : []) + [
        Text.bytes(row.byteCount), Text.bytes(row.deflatedByteCount), Words.percent(row.zeros),
        Text.count(row.values), Text.count(row.macs),
      ]
    }
    text += "\n" + Text.table(header, rows, numeric: Set(1..<header.count))
    if let source { text += "judged by \(source)\n" }
    text +=
      "zeros and values are those of weights of convolutions and dense layers: what of them is "
    text += "zero, and how many\ndifferent ones a layer has. "
    if variants.contains(where: { $0.zeros > original.zeros || $0.values <= 256 }) {
      text += "They are stored as plain weights and gain where a file is deflated: "
      text += "LiteRT was\nnot faster with a sparse encoding (docs/compress.md). "
    }
    text += "Latency: assay bench"
    return text + variants.compactMap(\.file).prefix(1).map { " \($0)\n" }.joined()
  }

  /// What became of the network, in one sentence.
  private func sentence(_ row: OptimizeRow) -> String {
    var parts: [String] = []
    switch (row.score, original.score) {
    case (.accuracy(let own)?, .accuracy(let before)?):
      if let a = own.fraction, let b = before.fraction {
        parts.append("\(Words.percent(a)) right, the original \(Words.percent(b))")
      }
    case (.squaredError(let own)?, .squaredError(let before)?):
      parts.append(
        "squared error \(Words.significant(own)), the original's \(Words.significant(before))"
      )
    default: break
    }
    parts.append("\(Text.bytes(row.byteCount)), \(Text.bytes(row.deflatedByteCount)) deflated")
    let ratio = Double(original.deflatedByteCount) / Double(max(row.deflatedByteCount, 1))
    parts.append("\(Words.fixed(ratio, 2)) times smaller than the original when deflated")
    if row.macs < original.macs {
      parts.append("\(Words.percent(Double(row.macs) / Double(max(original.macs, 1)))) of its MACs")
    }
    return "\(row.file ?? row.name): " + parts.joined(separator: "; ")
  }
}
