import AssayBase

// Layers that layers hold.
extension KerasLayer {
  /// A layer that belongs to this one, with a configuration that this one gives it.
  ///
  /// - Parameter role: the attribute that holds it, by which archives keep its variables.
  func part(_ role: String, className: String, config: JSON) -> KerasLayer {
    KerasLayer(
      className: className,
      module: "keras.layers",
      name: config["name"]?.string ?? role,
      path: path + "/" + role,
      archivePath: archivePath.isEmpty ? "" : archivePath + "/" + role,
      config: config,
      calls: [],
      version: version,
      isPart: true
    )
  }

  /// The layer or model that an attribute describes.
  func part(_ role: String, named key: String) throws -> KerasLayer {
    guard let json = self[key] else {
      throw Diagnostic("KER003", "a layer was expected", at: ["attribute '\(key)'"])
    }
    return try part(role, json, key)
  }

  /// The layers that an attribute lists.
  func partList(_ key: String) throws -> [KerasLayer] {
    guard let entries = self[key]?.array, !entries.isEmpty, entries.count < 1000 else {
      throw Diagnostic("KER003", "layers were expected", at: ["attribute '\(key)'"])
    }
    var names = KerasArchiveNames()
    return try entries.map { entry in
      try part(key + "/" + names.next(for: entry["class_name"]?.string ?? ""), entry, key)
    }
  }

  private func part(_ role: String, _ json: JSON, _ key: String) throws -> KerasLayer {
    guard let className = json["class_name"]?.string, let config = json["config"] else {
      throw Diagnostic("KER003", "a layer was expected", at: ["attribute '\(key)'"])
    }
    guard path.utf8.count(where: { $0 == 0x2F }) < 64 else {
      throw Diagnostic("KER003", "layers are nested too deeply", at: ["attribute '\(key)'"])
    }
    var layer = part(role, className: className, config: config)
    layer.module = json["module"]?.string ?? ""
    if KerasModelReader.isModel(json) {
      layer.model = try KerasModelReader(version: version).part(json, of: layer)
    }
    return layer
  }
}

extension JSON {
  /// The object with another value for a key.
  func setting(_ key: String, _ value: JSON) -> JSON {
    var members = Members()
    for pair in pairs ?? [] { members[pair.key] = pair.value }
    members[key] = value
    return .members(members)
  }
}
