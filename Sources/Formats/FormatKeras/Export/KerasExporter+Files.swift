import AssayBase
import AssayCodec
import AssayGraph
import AssayTensor

extension KerasExporter {
  /// The bytes of the file, in pieces.
  func encoded() throws -> [ByteView] {
    switch container {
    case .archive: try archive()
    case .hdf5: try hdf5()
    }
  }

  // MARK: Keras 3

  /// The release whose configurations these are.
  private static let archiveVersion = "3.15.1"

  private func archive() throws -> [ByteView] {
    let config: JSON = .object([
      "module": "keras.src.models.functional", "class_name": "Functional",
      "config": .object([
        "name": .string(modelName), "trainable": true,
        "layers": .array(layers.map(archiveLayer)),
        "input_layers": ends(inputs), "output_layers": ends(outputs),
      ]),
      "registered_name": "Functional",
    ])
    // No date: the same network gives the same bytes.
    let metadata: JSON = .object(["keras_version": .string(Self.archiveVersion)])
    var weights = HDF5Writer.Group()
    var names = KerasArchiveNames()
    for layer in layers where layer.isLayer {
      let path = "layers/\(names.next(for: layer.className))/"
      weights.add(path + "vars", .group(HDF5Writer.Group([("name", .text(layer.name))])))
      for (index, weight) in layer.weights.enumerated() {
        weights.add("\(path)\(layer.variables)/\(index)", .dataset(weight.tensor))
      }
    }
    var zip = ZipWriter()
    try zip.add("metadata.json", [ByteView(Array(metadata.text().utf8))])
    try zip.add("config.json", [ByteView(Array(config.text().utf8))])
    try zip.add("model.weights.h5", try HDF5Writer.file(weights))
    return zip.finish()
  }

  private var modelName: String {
    let letters = graph.name.map { $0.isASCII && ($0.isLetter || $0.isNumber) ? $0 : "_" }
    return letters.isEmpty ? "model" : String(letters)
  }

  private func ends(_ results: [KerasResult]) -> JSON {
    .array(results.map { [.string(layers[$0.layer].name), 0, JSON($0.output)] })
  }

  private func archiveLayer(_ layer: KerasWrittenLayer) -> JSON {
    var node = JSON.emptyObject
    node["args"] = .array(layer.operands.map(archiveOperand))
    node["kwargs"] = object(layer.named)
    var json: JSON = .object([
      "module": .string(layer.module), "class_name": .string(layer.className),
      "config": config(layer),
    ])
    json["registered_name"] = layer.isLayer ? .null : .string(layer.className)
    json["name"] = .string(layer.name)
    json["inbound_nodes"] = layer.className == "InputLayer" ? [] : [node]
    return json
  }

  private func archiveOperand(_ operand: KerasOperand) -> JSON {
    switch operand {
    case .tensor(let result):
      let type = type(of: result)
      return .object([
        "class_name": "__keras_tensor__",
        "config": .object([
          "shape": json(type.shape), "dtype": .string(type.dtype.rawValue),
          "keras_history": [.string(layers[result.layer].name), 0, JSON(result.output)],
        ]),
      ])
    case .list(let elements): return .array(elements.map(archiveOperand))
    case .number(let value): return JSON(Double(value))
    case .literal(let json): return json
    case .array(let tensor):
      return .object([
        "class_name": "__numpy__",
        "config": .object([
          "value": nested(tensor), "dtype": .string(tensor.dtype.rawValue),
        ]),
      ])
    }
  }

  /// The elements as lists of lists.
  private func nested(_ tensor: Tensor) -> JSON {
    var elements: [JSON] =
      tensor.dtype.isFloat
      ? tensor.floats().map { JSON(Double($0)) }
      : tensor.integers().map { tensor.dtype == .bool ? .bool($0 != 0) : JSON($0) }
    for dim in tensor.shape.dims.reversed() {
      guard dim > 0 else { return [] }
      elements = stride(from: 0, to: elements.count, by: dim).map {
        .array(Array(elements[$0..<$0 + dim]))
      }
    }
    return elements.first ?? []
  }

  private func object(_ pairs: [(name: String, value: JSON)]) -> JSON {
    var result = JSON.emptyObject
    for (name, value) in pairs { result[name] = value }
    return result
  }

  private func config(_ layer: KerasWrittenLayer) -> JSON {
    var config = JSON.emptyObject
    config["name"] = .string(layer.name)
    if layer.isLayer, layer.className != "InputLayer" {
      config["trainable"] = true
      config["dtype"] = "float32"
    }
    for (name, value) in layer.config { config[name] = value }
    return config
  }

  // MARK: Keras 2

  /// The last release of Keras 2, whose layout this is.
  private static let hdf5Version = "2.15.0"

  private func hdf5() throws -> [ByteView] {
    let config: JSON = .object([
      "class_name": "Functional",
      "config": .object([
        "name": .string(modelName), "trainable": true,
        "layers": .array(
          layers.map { layer in
            let inbound: JSON =
              layer.className == "InputLayer"
              ? [] : [.array(layer.operands.flatMap(hdf5Operands))]
            return .object([
              "class_name": .string(layer.className), "config": self.config(layer),
              "name": .string(layer.name), "inbound_nodes": inbound,
            ])
          }
        ),
        "input_layers": ends(inputs), "output_layers": ends(outputs),
      ]),
    ])
    let maker: [(name: String, value: HDF5Writer.Attribute)] = [
      ("backend", .text("tensorflow")), ("keras_version", .text(Self.hdf5Version)),
    ]
    var root = HDF5Writer.Group(maker + [("model_config", .text(config.text()))])
    var weights = HDF5Writer.Group(
      maker + list("layer_names", layers.map(\.name))
    )
    for layer in layers {
      let names = layer.weights.map { "\(layer.name)/\($0.name):0" }
      var group = HDF5Writer.Group(list("weight_names", names))
      for (name, weight) in zip(names, layer.weights) {
        group.add(name, .dataset(weight.tensor))
      }
      weights.add(layer.name, .group(group))
    }
    root.add("model_weights", .group(weights))
    return try HDF5Writer.file(root)
  }

  /// A list of names; one too long for an attribute is cut, as Keras cuts it.
  private func list(
    _ name: String,
    _ texts: [String]
  ) -> [(name: String, value: HDF5Writer.Attribute)] {
    let limit = 4000
    guard texts.count > limit else { return [(name, .texts(texts))] }
    return stride(from: 0, to: texts.count, by: limit).enumerated().map { number, start in
      ("\(name)\(number)", .texts(Array(texts[start..<min(start + limit, texts.count)])))
    }
  }

  private func hdf5Operands(_ operand: KerasOperand) -> [JSON] {
    switch operand {
    case .tensor(let result):
      [[.string(layers[result.layer].name), 0, JSON(result.output), .emptyObject]]
    case .list(let elements): elements.flatMap(hdf5Operands)
    // Only functions take these, and a file of Keras 2 has none.
    case .number, .array, .literal: []
    }
  }
}
