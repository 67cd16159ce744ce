import AssayBase
import AssayCodec
import AssayTensor

/// The weights of an HDF5 file: a group for each layer of the outermost model, whose attribute
/// `weight_names` lists its weights, those of nested models among them.
struct KerasH5Weights: KerasWeights {
  private let root: HDF5Object
  /// The path of each weight below its group, by the layer's path and the weight's name; one
  /// dictionary for each layer of the outermost model.
  private var places: [String: [String: String]] = [:]
  private var groups: [String: HDF5Object] = [:]

  init(root: HDF5Object) { self.root = root }

  mutating func weight(
    _ name: String,
    of layer: KerasLayer,
    in top: KerasLayer
  ) throws -> Tensor {
    if places[top.name] == nil {
      // A name with slashes is a path of groups.
      guard let group = try root.object(top.name) else { throw top.missing(name) }
      groups[top.name] = group
      places[top.name] = try Self.assign(Self.names(in: group), to: top)
    }
    guard let path = places[top.name]?[Self.key(layer, name)],
      let dataset = try groups[top.name]?.object(path)
    else { throw layer.missing(name) }
    return try dataset.weight()
  }

  mutating func holdsWeights(of layer: KerasLayer, in top: KerasLayer) throws -> Bool {
    guard let group = try root.object(top.name) else { return false }
    let names = try Self.names(in: group)
    return top.path == layer.path
      ? !names.isEmpty : names.contains { $0.split(separator: "/").contains { $0 == layer.name } }
  }

  private static func names(in group: HDF5Object) throws -> [String] {
    try names("weight_names", in: group)
  }

  /// The texts of an attribute; a long list is cut into `weight_names0`, `weight_names1`, ….
  static func names(_ attribute: String, in group: HDF5Object) throws -> [String] {
    if let names = try group.attribute(attribute)?.strings { return names }
    var result: [String] = []
    var index = 0
    while let part = try group.attribute("\(attribute)\(index)")?.strings {
      result += part
      index += 1
    }
    return result
  }

  private static func key(_ layer: KerasLayer, _ name: String) -> String {
    layer.path + "\n" + name
  }

  /// Which weight of the file is which weight of the layer or of the layers within it.
  ///
  /// Keras lists first what training changes, then the rest, each in the order of the layers; it
  /// reads them back by order alone, and so does this where the numbers agree. Otherwise they are
  /// found by name.
  private static func assign(_ names: [String], to top: KerasLayer) throws -> [String: String] {
    var trained: [(layer: KerasLayer, name: String)] = []
    var fixed: [(layer: KerasLayer, name: String)] = []
    try list(top, &trained, &fixed)
    let expected = trained + fixed
    let isByOrder =
      names.count == expected.count
      && (top.model == nil || zip(names, expected).allSatisfy { baseName($0) == $1.name })
    var result: [String: String] = [:]
    for (index, entry) in expected.enumerated() {
      let path = isByOrder ? names[index] : find(entry.name, of: entry.layer, among: names, top)
      if let path { result[key(entry.layer, entry.name)] = path }
    }
    return result
  }

  private static func list(
    _ layer: KerasLayer,
    _ trained: inout [(layer: KerasLayer, name: String)],
    _ fixed: inout [(layer: KerasLayer, name: String)]
  ) throws {
    if let model = layer.model {
      for inner in model.layers { try list(inner, &trained, &fixed) }
      return
    }
    let kind = KerasLayerKind.of(layer)
    let names = try kind?.weights(layer) ?? KerasWeightNames()
    if layer.isTrainable { trained += names.trained.map { (layer, $0) } }
    fixed += (layer.isTrainable ? names.fixed : names.all).map { (layer, $0) }
    for part in try kind?.parts(layer) ?? [] { try list(part, &trained, &fixed) }
  }

  /// `kernel` of `conv/kernel:0`.
  private static func baseName(_ path: String) -> Substring {
    (path.split(separator: "/").last ?? "").prefix { $0 != ":" }
  }

  private static func find(
    _ name: String,
    of layer: KerasLayer,
    among names: [String],
    _ top: KerasLayer
  ) -> String? {
    let candidates = names.filter { candidate in
      baseName(candidate) == name
        && (top.model == nil
          || candidate.split(separator: "/").dropLast().contains { $0 == layer.name })
    }
    return candidates.count == 1 ? candidates[0] : nil
  }
}
