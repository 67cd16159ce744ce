import AssayBase
import AssayCodec
import AssayTensor

/// How the elements of a tensor lie in its storage (PyTorch's strided layout).
struct StridedTensor {
  var dtype: DType
  var sizes: [Int]
  var strides: [Int]
  var offset: Int

  /// The elements, packed in row-major order.
  ///
  /// - Throws: `Diagnostic` PYT006 when they do not lie in the storage.
  func tensor(in storage: ByteView) throws -> Tensor {
    let fault = Diagnostic(
      "PYT006",
      "\(sizes) elements do not lie in a storage of \(storage.count) bytes"
    )
    let shape = Shape(sizes)
    let width = dtype.bitWidth / 8
    guard sizes.count == strides.count, sizes.count <= 32, offset >= 0, width > 0,
      sizes.allSatisfy({ $0 >= 0 && $0 < 1 << 40 }),
      strides.allSatisfy({ $0 >= 0 && $0 < 1 << 40 }),
      let count = shape.elementCount, let byteCount = dtype.byteCount(count)
    else { throw fault }
    if count == 0 { return try Tensor(TensorType(dtype, shape), bytes: ByteView([])) }
    // The last element that is read.
    var last = offset
    for (size, stride) in zip(sizes, strides) {
      let (step, isWrong) = (size - 1).multipliedReportingOverflow(by: stride)
      guard !isWrong, step <= Int.max - last else { throw fault }
      last += step
    }
    guard last < storage.count / width else { throw fault }
    let isPacked = zip(zip(sizes, strides), shape.strides).allSatisfy { $0.0 == 1 || $0.1 == $1 }
    if isPacked {
      let bytes = try storage.slice(offset * width, byteCount)
      return try Tensor(TensorType(dtype, shape), bytes: bytes)
    }
    // An expanded tensor repeats its elements; more than this is no weight.
    guard byteCount <= max(storage.count, 1 << 28) else { throw fault }
    return try Tensor(TensorType(dtype, shape), bytes: gathered(storage, width, count))
  }

  private func gathered(_ storage: ByteView, _ width: Int, _ count: Int) throws -> ByteView {
    var result: [UInt8] = []
    result.reserveCapacity(count * width)
    var position = [Int](repeating: 0, count: sizes.count)
    var element = offset
    for _ in 0..<count {
      for byte in 0..<width { result.append(try storage.load(at: element * width + byte)) }
      var axis = sizes.count - 1
      while axis >= 0 {
        position[axis] += 1
        element += strides[axis]
        if position[axis] < sizes[axis] { break }
        element -= strides[axis] * sizes[axis]
        position[axis] = 0
        axis -= 1
      }
    }
    return ByteView(result)
  }
}

extension DType {
  /// The type of PyTorch's `ScalarType` in an exported program; `nil` where the graph has none.
  init?(torch code: Int) {
    switch code {
    case 1: self = .uint8
    case 2: self = .int8
    case 3: self = .int16
    case 4: self = .int32
    case 5: self = .int64
    case 6: self = .float16
    case 7: self = .float32
    case 8: self = .float64
    case 12: self = .bool
    case 13: self = .bfloat16
    case 28: self = .uint16
    case 34: self = .uint32
    case 35: self = .uint64
    default: return nil
    }
  }

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

/// Tensors by name, as an archive holds them.
struct TensorTable {
  /// Where a tensor is.
  enum Entry {
    /// A file of the archive that is the storage.
    case file(path: String, StridedTensor)
    /// A file of the archive that is a pickle of the tensor.
    case pickled(path: String)
    /// A storage that was found already.
    case stored(ByteView, StridedTensor)

    func tensor(_ read: (String) throws -> ByteView) throws -> Tensor {
      switch self {
      case .file(let path, let layout): try layout.tensor(in: try read(path))
      case .stored(let bytes, let layout): try layout.tensor(in: bytes)
      case .pickled(let path): try locating(path) { try TorchFile(try read(path)).tensor() }
      }
    }
  }

  var entries: [String: Entry] = [:]

  init() {}

  /// The tensors of a file that `torch.save` made of a dictionary.
  init(torchFile bytes: ByteView) throws {
    let file = try TorchFile(bytes)
    for (name, bytes, layout) in try file.tensors() { entries[name] = .stored(bytes, layout) }
  }

  /// The tensors that a JSON of the archive lists.
  init(listing: JSON, folder: String) throws {
    guard let pairs = listing["config"]?.pairs else {
      throw Diagnostic("PYT007", "the list of tensors has no 'config'", at: [folder])
    }
    for (name, item) in pairs {
      guard let file = item["path_name"]?.string else {
        throw Diagnostic("PYT007", "the tensor '\(name)' has no file", at: [folder])
      }
      let path = folder + file
      if item["use_pickle"]?.bool == true {
        entries[name] = .pickled(path: path)
        continue
      }
      let meta = item["tensor_meta"]
      func ints(_ key: String) -> [Int]? {
        guard let elements = meta?[key]?.array else { return nil }
        let values = elements.compactMap { $0["as_int"]?.int }
        return values.count == elements.count ? values : nil
      }
      guard let code = meta?["dtype"]?.int, let dtype = DType(torch: code),
        let sizes = ints("sizes"), let strides = ints("strides"),
        let offset = meta?["storage_offset"]?["as_int"]?.int
      else {
        throw Diagnostic("PYT007", "the tensor '\(name)' has a type that is not read", at: [folder])
      }
      entries[name] = .file(
        path: path,
        StridedTensor(dtype: dtype, sizes: sizes, strides: strides, offset: offset)
      )
    }
  }
}

/// A file that `torch.save` made: an archive of a pickle and of the storages that it names.
private struct TorchFile {
  private let zip: ZipArchive
  private let root: String
  private let pickle: Pickle

  init(_ bytes: ByteView) throws {
    zip = try ZipArchive(bytes)
    guard let entry = zip.entries.first(where: { $0.name.hasSuffix("data.pkl") }) else {
      throw Diagnostic("PYT008", "the file of tensors has no data.pkl")
    }
    root = String(entry.name.dropLast("data.pkl".count))
    pickle = try Pickle(zip.read(entry))
  }

  /// The tensors of a dictionary; entries that are no tensors are passed over.
  func tensors() throws -> [(name: String, bytes: ByteView, layout: StridedTensor)] {
    guard let entries = pickle.root.entries else {
      throw Diagnostic("PYT008", "the file of tensors holds no dictionary")
    }
    return try entries.compactMap { key, value in
      guard let name = key.string, case .call = value.content else { return nil }
      let (bytes, layout) = try locating("tensor '\(name)'") { try strided(value, depth: 0) }
      return (name, bytes, layout)
    }
  }

  /// The one tensor that the file is.
  func tensor() throws -> Tensor {
    let (bytes, layout) = try strided(pickle.root, depth: 0)
    return try layout.tensor(in: bytes)
  }

  private func strided(
    _ object: PickledObject,
    depth: Int
  ) throws -> (ByteView, StridedTensor) {
    guard depth < 4, case .call(let function, let arguments) = object.content,
      let values = arguments.elements
    else { throw Diagnostic("PYT008", "an object is no tensor") }
    switch function.globalName {
    case "torch._utils._rebuild_parameter" where !values.isEmpty:
      return try strided(values[0], depth: depth + 1)
    case "torch._utils._rebuild_tensor_v2" where values.count >= 4:
      return try strided(values, dtype: nil)
    case "torch._utils._rebuild_tensor_v3" where values.count >= 7:
      return try strided(values, dtype: values[6].globalName.flatMap { DType(global: $0) })
    default:
      let name = function.globalName ?? "what"
      throw Diagnostic("PYT008", "tensors that \(name) makes are not read")
    }
  }

  private func strided(
    _ values: [PickledObject],
    dtype given: DType?
  ) throws -> (ByteView, StridedTensor) {
    guard case .persistent(let identifier) = values[0].content,
      let parts = identifier.elements, parts.count >= 5, parts[0].string == "storage",
      let key = parts[2].string,
      let dtype = given ?? parts[1].globalName.flatMap(DType.init(storage:)),
      let offset = values[1].int, let sizes = values[2].elements?.compactMap(\.int),
      let strides = values[3].elements?.compactMap(\.int)
    else { throw Diagnostic("PYT008", "a tensor's storage is not described as PyTorch does") }
    guard let entry = zip.entry("\(root)data/\(key)") else {
      throw Diagnostic("PYT005", "the storage '\(key)' is not in the archive")
    }
    let layout = StridedTensor(dtype: dtype, sizes: sizes, strides: strides, offset: offset)
    return (try zip.read(entry), layout)
  }
}
