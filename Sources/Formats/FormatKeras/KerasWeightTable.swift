import AssayBase
import AssayCodec
import AssayTensor

/// The weights of a file of Keras's by layer, without the network that they belong to: what
/// `save_weights` writes in either format, or the weights of a whole model.
public struct KerasWeightTable: Sendable {
  /// A weight of a layer.
  public struct Weight: Sendable {
    /// Its layer, and its name or place in the layer.
    public var name: String
    private let dataset: HDF5Object

    fileprivate init(name: String, dataset: HDF5Object) {
      self.name = name
      self.dataset = dataset
    }

    /// The extents.
    public func shape() throws -> Shape? { try dataset.shape() }

    /// The numbers as float32 (integers stay).
    ///
    /// - Throws: `Diagnostic` HDF….
    public func tensor() throws -> Tensor { try dataset.weight() }
  }

  /// A layer that has weights.
  public struct Layer: Sendable {
    /// Its name; where the file does not tell it, its class with a number, such as `conv2d_3`.
    public var name: String
    /// Whether the name is only the class with a number.
    public var isNumbered: Bool
    /// Its weights in Keras's order: what training changes first.
    public var weights: [Weight]
  }

  /// The layers, in the file's order.
  public let layers: [Layer]

  /// Objects that are looked at for weights, and how deep they may lie.
  private static let budget = (objects: 200_000, depth: 24)

  /// Reads which weights there are.
  ///
  /// - Parameter bytes: an HDF5 file, or a `.keras` archive.
  /// - Throws: `Diagnostic` KER001 when it is no file of Keras's, HDF…, ZIP….
  public init(_ bytes: ByteView) throws {
    if ZipArchive.sniff(bytes) {
      let archive = try ZipArchive(bytes)
      guard let entry = archive.entry("model.weights.h5") else {
        throw Diagnostic("KER001", "the archive has no model.weights.h5")
      }
      let root = try HDF5File(archive.read(entry)).root()
      layers = try locating(entry.name) { try KerasWeightTable.layers(below: root) }
      return
    }
    layers = try KerasWeightTable.layers(below: HDF5File(bytes).root())
  }

  private static func layers(below root: HDF5Object) throws -> [Layer] {
    let old = try root.member("model_weights") ?? root
    let names = try KerasH5Weights.names("layer_names", in: old)
    var found: [Layer]
    if !names.isEmpty {
      found = try names.flatMap { try layersOfGroup($0, in: old) }
    } else {
      found = []
      var left = budget.objects
      for name in ["layers", "_layer_checkpoint_dependencies"] {
        guard let layers = try root.member(name) else { continue }
        try collect(layers, "", depth: 0, &left, &found)
      }
    }
    guard !found.isEmpty else {
      throw Diagnostic(
        "KER001",
        "the file has no layers with weights: it is HDF5, but not what Keras writes",
        remedy: "give a file that model.save_weights('….weights.h5') or ('….h5') wrote"
      )
    }
    return found
  }

  // MARK: Keras 2: a group for each layer of the outermost model

  private static func layersOfGroup(_ name: String, in root: HDF5Object) throws -> [Layer] {
    guard let group = try root.object(name) else { return [] }
    let weights = try KerasH5Weights.names("weight_names", in: group).map { path in
      guard let dataset = try group.object(path), dataset.isDataset else {
        throw Diagnostic("KER004", "the file has no weight '\(path)' in the layer '\(name)'")
      }
      return Weight(name: name + "/" + path, dataset: dataset)
    }
    guard !weights.isEmpty else { return [] }
    // A model within the model keeps the weights of its layers in one list.
    var parents: [Substring] = []
    var byParent: [Substring: [Weight]] = [:]
    for weight in weights {
      let parent =
        weight.name.dropLast((weight.name.split(separator: "/").last ?? "").count)
        .split(separator: "/").last ?? ""
      if byParent[parent] == nil { parents.append(parent) }
      byParent[parent, default: []].append(weight)
    }
    if parents.count == 1 {
      return [Layer(name: name, isNumbered: false, weights: weights)]
    }
    return parents.map { parent in
      Layer(name: String(parent), isNumbered: false, weights: byParent[parent] ?? [])
    }
  }

  // MARK: Keras 3: groups by class and number

  private static func collect(
    _ object: HDF5Object,
    _ key: String,
    depth: Int,
    _ left: inout Int,
    _ found: inout [Layer]
  ) throws {
    left -= 1
    guard left > 0, depth < budget.depth else {
      throw Diagnostic("KER001", "the file's groups are too many or lie too deep")
    }
    if let variables = try object.member("vars"), !variables.memberNames.isEmpty {
      let count = variables.memberNames.count
      left -= count
      let noted = try variables.attribute("name")?.string
      let weights = try (0..<count).map { index in
        guard let dataset = try variables.member("\(index)"), dataset.isDataset else {
          throw Diagnostic("KER004", "there is no weight \(index) of \(count) at \(variables.path)")
        }
        return Weight(name: "\(noted ?? key)/\(index)", dataset: dataset)
      }
      found.append(Layer(name: noted ?? key, isNumbered: noted == nil, weights: weights))
    }
    for name in object.memberNames.sorted(by: { numbered($0) < numbered($1) }) where name != "vars"
    {
      guard let member = try object.member(name), !member.isDataset else { continue }
      try collect(member, name, depth: depth + 1, &left, &found)
    }
  }

  /// `conv2d_10` after `conv2d_9`.
  private static func numbered(_ name: String) -> (String, Int) {
    guard let end = name.lastIndex(of: "_"), let number = Int(name[name.index(after: end)...])
    else { return (name, -1) }
    return (String(name[..<end]), number)
  }
}
