import AssayBase
import AssayCodec
import AssayTensor

/// A file that `torch.save` made: an archive of a pickle and of the storages that it names.
struct TorchFile {
  /// Where a tensor of the pickle lies.
  struct Place {
    var name: String
    /// The archive's name of the storage.
    var storage: String
    var layout: StridedTensor
  }

  let pickle: Pickle
  let storages: TorchStorages

  init(_ bytes: ByteView) throws {
    storages = try TorchStorages(bytes)
    pickle = try Pickle(storages.pickle())
  }

  /// The tensors of a dictionary; entries that are no tensors are passed over.
  func dictionary() throws -> [Place] {
    guard let entries = pickle.root.entries else {
      throw Diagnostic("PYT008", "the file of tensors holds no dictionary")
    }
    return try entries.compactMap { key, value in
      guard let name = key.string, case .call = value.content else { return nil }
      return try locating("tensor '\(name)'") { try place(of: value, name: name) }
    }
  }

  /// The one tensor that the file is.
  func tensor() throws -> Tensor {
    let place = try place(of: pickle.root, name: "")
    return try place.layout.tensor(in: storages.read(place.storage))
  }

  /// Where a tensor lies.
  ///
  /// - Throws: `Diagnostic` PYT008 when the object is no tensor, or one that is made otherwise.
  func place(of object: PickledObject, name: String) throws -> Place {
    try place(of: object, name: name, depth: 0)
  }

  private func place(of object: PickledObject, name: String, depth: Int) throws -> Place {
    guard depth < 4, case .call(let function, let arguments) = object.content,
      let values = arguments.elements
    else { throw Diagnostic("PYT008", "an object is no tensor") }
    switch function.globalName {
    case "torch._utils._rebuild_parameter" where !values.isEmpty,
      "torch._utils._rebuild_parameter_with_state" where !values.isEmpty:
      return try place(of: values[0], name: name, depth: depth + 1)
    case "torch._utils._rebuild_tensor_v2" where values.count >= 4:
      return try strided(values, name, dtype: nil)
    case "torch._utils._rebuild_tensor_v3" where values.count >= 7:
      return try strided(values, name, dtype: values[6].globalName.flatMap { DType(global: $0) })
    default:
      let maker = function.globalName ?? "what"
      throw Diagnostic("PYT008", "tensors that \(maker) makes are not read")
    }
  }

  private func strided(
    _ values: [PickledObject],
    _ name: String,
    dtype given: DType?
  ) throws -> Place {
    guard case .persistent(let identifier) = values[0].content,
      let parts = identifier.elements, parts.count >= 5, parts[0].string == "storage",
      let key = parts[2].string,
      let dtype = given ?? parts[1].globalName.flatMap(DType.init(storage:)),
      let offset = values[1].int, let sizes = values[2].elements?.compactMap(\.int),
      let strides = values[3].elements?.compactMap(\.int)
    else { throw Diagnostic("PYT008", "a tensor's storage is not described as PyTorch does") }
    try storages.require(key)
    let layout = StridedTensor(dtype: dtype, sizes: sizes, strides: strides, offset: offset)
    return Place(name: name, storage: key, layout: layout)
  }
}

/// The archive that a pickle's storages lie in; unlike the pickle's objects it can be sent around.
struct TorchStorages: Sendable {
  private let zip: ZipArchive
  private let program: ZipArchive.Entry
  private let places: [Substring: ZipArchive.Entry]

  init(_ bytes: ByteView) throws {
    zip = try ZipArchive(bytes)
    guard
      let program = zip.entries.first(where: {
        $0.name == "data.pkl" || $0.name.hasSuffix("/data.pkl")
      })
    else { throw Diagnostic("PYT008", "the file of tensors has no data.pkl") }
    self.program = program
    let folder = program.name.dropLast("data.pkl".count) + "data/"
    var places: [Substring: ZipArchive.Entry] = [:]
    for entry in zip.entries where entry.name.hasPrefix(folder) {
      places[entry.name.dropFirst(folder.count)] = entry
    }
    self.places = places
  }

  /// The pickle that names the storages.
  func pickle() throws -> ByteView { try zip.read(program) }

  /// Holds that there is a storage of this name.
  func require(_ key: String) throws { _ = try entry(key) }

  /// The bytes of a storage.
  func read(_ key: String) throws -> ByteView { try zip.read(entry(key)) }

  private func entry(_ key: String) throws -> ZipArchive.Entry {
    guard let entry = places[key[...]] else {
      throw Diagnostic("PYT005", "the storage '\(key)' is not in the archive")
    }
    return entry
  }
}

extension DType {
  /// The type of the elements of a pickled storage class.
  fileprivate init?(storage name: String) {
    switch name.split(separator: ".").last.map(String.init) ?? "" {
    case "FloatStorage": self = .float32
    case "DoubleStorage": self = .float64
    case "HalfStorage": self = .float16
    case "BFloat16Storage": self = .bfloat16
    case "LongStorage": self = .int64
    case "IntStorage": self = .int32
    case "ShortStorage": self = .int16
    case "CharStorage": self = .int8
    case "ByteStorage": self = .uint8
    case "BoolStorage": self = .bool
    default: return nil
    }
  }

  /// The type that a pickle names `torch.float32` and so on.
  fileprivate init?(global name: String) {
    switch name {
    case "torch.uint16": self = .uint16
    case "torch.uint32": self = .uint32
    case "torch.uint64": self = .uint64
    default: return nil
    }
  }
}
