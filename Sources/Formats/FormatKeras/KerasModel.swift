import AssayBase

/// A model as its configuration describes it: layers and how they are called.
struct KerasModel {
  var name: String
  var layers: [KerasLayer]
  /// The values that it is fed, by the layers that stand for them.
  var inputs: [KerasReference]
  /// The values that it gives.
  var outputs: [KerasReference]
}

/// A layer: its class, its configuration, and the calls that the model makes of it.
struct KerasLayer {
  var className: String
  /// The Python module of the class; empty in files of Keras 2.
  var module: String
  var name: String
  /// The names of the models around it and its own, joined by `/`.
  var path: String
  /// Where Keras's archives keep its variables.
  var archivePath: String
  var config: JSON
  /// The calls, in the order in which references count them.
  var calls: [KerasCall]
  /// What the layer holds when it is a model itself.
  var model: KerasModel?
  var version: KerasVersion
  /// Whether it belongs to a layer rather than to a model.
  var isPart = false

  /// The class without the name of the package that registered it (`Custom>Dense`).
  var baseClassName: String {
    className.split(separator: ">").last.map(String.init) ?? className
  }

  /// Whether training changes its weights, which decides where HDF5 files list them.
  var isTrainable: Bool { config["trainable"]?.bool ?? true }

  /// Whether it stands for a function of `keras.ops` rather than for a layer.
  ///
  /// HDF5 files of Keras 3 do not name modules; there, functions lack what every layer has. Parts of
  /// layers are layers.
  var isOperation: Bool {
    if isPart { return false }
    guard module.isEmpty else { return module.contains(".ops.") || module.hasSuffix(".ops") }
    return version.major >= 3 && className != "InputLayer" && config["layers"] == nil
      && config["trainable"] == nil
      && (config["dtype"] == nil || KerasLayerKind.table[className] == nil)
  }

  /// The layer as messages name it.
  var place: String { "layer '\(path)' (\(className))" }
}

/// One call of a layer.
struct KerasCall {
  var arguments: [KerasArgument]
  var named: [(name: String, value: KerasArgument)]
}

/// What a layer is called with.
enum KerasArgument {
  case tensor(KerasReference)
  case list([KerasArgument])
  case value(JSON)

  /// Every tensor in it, in order.
  var tensors: [KerasReference] {
    switch self {
    case .tensor(let reference): [reference]
    case .list(let elements): elements.flatMap(\.tensors)
    case .value: []
    }
  }
}

/// What a call of a layer gave.
struct KerasReference: Hashable {
  var layer: String
  /// Which call.
  var call: Int
  /// Which of its results.
  var tensor: Int
}

/// Reads a model's configuration.
struct KerasModelReader {
  var version: KerasVersion
  private static let modelClasses: Set<String> = ["Functional", "Model", "Sequential"]

  init(version: KerasVersion) { self.version = version }

  /// The model of a whole file.
  func model(_ json: JSON) throws -> KerasModel {
    try model(json, path: "", archivePath: "", depth: 0)
  }

  /// Whether an object describes a model.
  static func isModel(_ json: JSON) -> Bool {
    modelClasses.contains(json["class_name"]?.string ?? "") || json["config"]?["layers"] != nil
  }

  /// The model that a layer holds.
  func part(_ json: JSON, of layer: KerasLayer) throws -> KerasModel {
    // JSON's own bound on depth bounds how deeply parts hold models that hold parts.
    try model(json, path: layer.path, archivePath: layer.archivePath, depth: 1)
  }

  private func model(
    _ json: JSON,
    path: String,
    archivePath: String,
    depth: Int
  ) throws -> KerasModel {
    guard depth < 16 else { throw fault("models are nested too deeply", at: path) }
    let className = json["class_name"]?.string ?? ""
    let config = json["config"] ?? .null
    // Old files of sequential models have the layers alone.
    guard Self.modelClasses.contains(className),
      let entries = config["layers"]?.array ?? config.array
    else {
      throw Diagnostic(
        "KER002",
        "'\(className)' is a model of its own class, whose layers the file does not describe",
        at: path.isEmpty ? [] : ["layer '\(path)'"],
        remedy: "rebuild it as a functional or sequential model in Keras and save that"
      )
    }
    let name = config["name"]?.string ?? (path.isEmpty ? "model" : path)
    let isSequential = className == "Sequential"
    var names = KerasArchiveNames()
    var layers: [KerasLayer] = []
    for entry in entries {
      layers.append(
        try layer(
          entry,
          path: path,
          archivePath: archivePath,
          isSequential: isSequential,
          names: &names,
          depth: depth
        )
      )
    }
    var seen: Set<String> = []
    for layer in layers where !seen.insert(layer.name).inserted {
      throw fault("two layers have the name '\(layer.name)'", at: path)
    }
    if isSequential { return sequential(name, layers, config) }
    return KerasModel(
      name: name,
      layers: layers,
      inputs: try references(config["input_layers"], path),
      outputs: try references(config["output_layers"], path)
    )
  }

  private func layer(
    _ json: JSON,
    path: String,
    archivePath: String,
    isSequential: Bool,
    names: inout KerasArchiveNames,
    depth: Int
  ) throws -> KerasLayer {
    let config = json["config"] ?? .null
    guard let className = json["class_name"]?.string,
      let name = json["name"]?.string ?? config["name"]?.string
    else { throw fault("a layer has no name or no class", at: path) }
    let ownPath = path.isEmpty ? name : path + "/" + name
    var layer = KerasLayer(
      className: className,
      module: json["module"]?.string ?? "",
      name: name,
      path: ownPath,
      archivePath: "",
      config: config,
      calls: try (json["inbound_nodes"]?.array ?? []).map { try call($0, ownPath) },
      version: version
    )
    // A sequential model does not count its input as a layer.
    if !layer.isOperation, !(isSequential && className == "InputLayer") {
      let own = names.next(for: className)
      layer.archivePath = (archivePath.isEmpty ? "" : archivePath + "/") + "layers/" + own
    }
    if Self.isModel(json) {
      layer.model = try model(
        json,
        path: ownPath,
        archivePath: layer.archivePath,
        depth: depth + 1
      )
    }
    return layer
  }

  /// A sequential model as the functional one that it stands for.
  private func sequential(_ name: String, _ layers: [KerasLayer], _ config: JSON) -> KerasModel {
    var layers = layers
    if let first = layers.first, first.className != "InputLayer" {
      let shape =
        first.config["batch_input_shape"] ?? first.config["batch_shape"]
        ?? config["build_input_shape"] ?? .null
      let inputName = first.name + "_input"
      var input = first
      input.className = "InputLayer"
      input.name = inputName
      input.path = inputName
      input.archivePath = ""
      input.model = nil
      input.config = .object([
        "batch_shape": shape, "dtype": first.config["dtype"] ?? "float32",
      ])
      layers.insert(input, at: 0)
    }
    for index in layers.indices {
      guard index > 0 else {
        layers[0].calls = []
        continue
      }
      let previous = KerasReference(layer: layers[index - 1].name, call: 0, tensor: 0)
      layers[index].calls = [KerasCall(arguments: [.tensor(previous)], named: [])]
    }
    func end(_ layer: KerasLayer?) -> [KerasReference] {
      layer.map { [KerasReference(layer: $0.name, call: 0, tensor: 0)] } ?? []
    }
    return KerasModel(
      name: name,
      layers: layers,
      inputs: end(layers.first),
      outputs: end(layers.last)
    )
  }

  private func fault(_ what: String, at path: String) -> Diagnostic {
    Diagnostic(
      "KER003",
      "the model's configuration is broken: \(what)",
      at: path.isEmpty ? [] : ["layer '\(path)'"]
    )
  }
}

// MARK: - References and calls

extension KerasModelReader {
  /// The references in a list, a nested list, a dictionary, or alone.
  private func references(_ json: JSON?, _ path: String) throws -> [KerasReference] {
    if let json, let reference = reference(json) { return [reference] }
    if let elements = json?.array { return try elements.flatMap { try references($0, path) } }
    if let pairs = json?.pairs { return try pairs.flatMap { try references($0.value, path) } }
    throw fault("its inputs or outputs are no references", at: path)
  }

  /// `[layer, call, tensor]`, possibly with keyword arguments behind.
  private func reference(_ json: JSON) -> KerasReference? {
    guard let parts = json.array, (3...4).contains(parts.count), let layer = parts[0].string,
      let call = parts[1].int, let tensor = parts[2].int, (0..<1 << 20).contains(call),
      (0..<1 << 20).contains(tensor)
    else { return nil }
    return KerasReference(layer: layer, call: call, tensor: tensor)
  }

  private func call(_ json: JSON, _ path: String) throws -> KerasCall {
    if json.pairs != nil {
      let arguments = (json["args"]?.array ?? []).map(argument)
      let named = (json["kwargs"]?.pairs ?? []).map { ($0.key, argument($0.value)) }
      return KerasCall(arguments: arguments, named: named)
    }
    guard let parts = json.array else { throw fault("a call is no list", at: path) }
    // Functions that Keras 2 wraps as layers have a single reference instead of a list of them.
    let elements = parts.first?.string == nil ? parts : [json]
    var arguments: [KerasArgument] = []
    var named: [(name: String, value: KerasArgument)] = []
    for element in elements {
      let fields = element.array ?? []
      if fields.count >= 3, fields[0].string == "_CONSTANT_VALUE" {
        arguments.append(.value(fields[2]))
      } else if let reference = reference(element) {
        arguments.append(.tensor(reference))
      } else {
        throw fault("a call's argument is no reference", at: path)
      }
      if fields.count == 4 {
        named += (fields[3].pairs ?? []).map { pair in
          (pair.key, references(pair.value) ?? .value(pair.value))
        }
      }
    }
    return KerasCall(
      arguments: arguments.count == 1 ? arguments : [.list(arguments)],
      named: named
    )
  }

  /// A reference or a list of them, as Keras 2 writes what is given by name.
  private func references(_ json: JSON) -> KerasArgument? {
    if let reference = reference(json) { return .tensor(reference) }
    guard let elements = json.array, !elements.isEmpty else { return nil }
    let tensors = elements.compactMap(reference).map { KerasArgument.tensor($0) }
    return tensors.count == elements.count ? .list(tensors) : nil
  }

  /// An argument as Keras 3 writes it.
  private func argument(_ json: JSON) -> KerasArgument {
    if json["class_name"]?.string == "__keras_tensor__",
      let reference = json["config"]?["keras_history"].flatMap({ reference($0) })
    {
      return .tensor(reference)
    }
    if let elements = json.array {
      let list = elements.map(argument)
      return list.contains { !$0.tensors.isEmpty } ? .list(list) : .value(json)
    }
    return .value(json)
  }
}

/// The names under which Keras's archives keep the layers of one model: the class in snake case,
/// numbered from the second of a class on.
struct KerasArchiveNames {
  private var counts: [String: Int] = [:]

  mutating func next(for className: String) -> String {
    // Archives go by the class's own name, which is not the one that this layer is saved under.
    let own = className == "GroupQueryAttention" ? "GroupedQueryAttention" : className
    let name = Self.snakeCase(own)
    let count = counts[name, default: 0]
    counts[name] = count + 1
    return count == 0 ? name : "\(name)_\(count)"
  }

  /// `SeparableConv2D` as `separable_conv2d`: a word begins at an upper case letter that lower case
  /// follows, or that follows lower case.
  static func snakeCase(_ className: String) -> String {
    let letters = Array(className)
    var result = ""
    for (index, letter) in letters.enumerated() {
      if index > 0, letter.isUppercase {
        let isBeforeLower = index + 1 < letters.count && letters[index + 1].isLowercase
        if isBeforeLower || letters[index - 1].isLowercase { result += "_" }
      }
      result += letter.lowercased()
    }
    return result
  }
}
