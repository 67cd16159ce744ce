import AssayBase
import AssayCodec
import AssayTensor

/// The weights of an archive: `layers/<class in snake case>/vars/<number>`, nested for models and for
/// layers that hold layers.
struct KerasArchiveWeights: KerasWeights {
  let root: HDF5Object
  private var objects: [String: HDF5Object?] = [:]
  private var checked: Set<String> = []

  init(root: HDF5Object) { self.root = root }

  mutating func weight(
    _ name: String,
    of layer: KerasLayer,
    in top: KerasLayer
  ) throws -> Tensor {
    let names = try KerasLayerKind.weightNames(of: layer).all
    guard let index = names.firstIndex(of: name),
      let variables = try object(layer.archivePath + "/vars")
    else { throw layer.missing(name) }
    // Newer files note the layer's name: it tells when the numbering of another version differs.
    if !layer.isPart, checked.insert(layer.archivePath).inserted,
      let noted = try variables.attribute("name")?.string, noted != layer.name
    {
      throw Diagnostic(
        "KER005",
        "the weights at '\(variables.path)' are those of layer '\(noted)'",
        remedy: "save the model again with a current version of Keras"
      )
    }
    guard let dataset = try variables.member("\(index)") else { throw layer.missing(name) }
    return try dataset.weight()
  }

  mutating func holdsWeights(of layer: KerasLayer, in top: KerasLayer) throws -> Bool {
    try object(layer.archivePath + "/vars")?.member("0") != nil
  }

  /// The object at a path, found once.
  private mutating func object(_ path: String) throws -> HDF5Object? {
    if path.isEmpty { return root }
    if let known = objects[path] { return known }
    let end = path.lastIndex(of: "/")
    let name = end.map { String(path[path.index(after: $0)...]) } ?? path
    let parent = try object(end.map { String(path[..<$0]) } ?? "")
    // Keras 2.12 to 2.15 kept the layers under another name.
    let found =
      try parent?.member(name)
      ?? (name == "layers" ? parent?.member("_layer_checkpoint_dependencies") : nil)
    objects[path] = .some(found)
    return found
  }
}
