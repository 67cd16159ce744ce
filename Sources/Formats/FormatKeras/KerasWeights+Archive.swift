import AssayBase
import AssayCodec
import AssayTensor

/// The weights of an archive: `layers/<class in snake case>/vars/<number>`, nested for models.
struct KerasArchiveWeights: KerasWeights {
  let root: HDF5Object

  func weights(of layer: KerasLayer, in top: KerasLayer) throws -> [String: Tensor] {
    let names = try KerasLayerKind.weightNames(of: layer).all
    guard !names.isEmpty else { return [:] }
    guard let variables = try variables(of: layer) else { throw layer.missing(names[0]) }
    var result: [String: Tensor] = [:]
    for (index, name) in names.enumerated() {
      guard let dataset = try variables.member("\(index)") else { throw layer.missing(name) }
      result[name] = try dataset.weight()
    }
    return result
  }

  private func variables(of layer: KerasLayer) throws -> HDF5Object? {
    var object = root
    for part in layer.archivePath.split(separator: "/") {
      // Keras 2.12 to 2.15 kept the layers under another name.
      let member =
        try object.member(String(part))
        ?? (part == "layers" ? object.member("_layer_checkpoint_dependencies") : nil)
      guard let member else { return nil }
      object = member
    }
    guard let variables = try object.member("vars") else { return nil }
    // Newer files note the layer's name: it tells when the numbering of another version differs.
    if let name = try variables.attribute("name")?.string, name != layer.name {
      throw Diagnostic(
        "KER005",
        "the weights at '\(variables.path)' are those of layer '\(name)'",
        remedy: "save the model again with a current version of Keras"
      )
    }
    return variables
  }
}
