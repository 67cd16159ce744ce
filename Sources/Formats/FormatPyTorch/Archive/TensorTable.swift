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
    for tensor in try file.dictionary() {
      entries[tensor.name] = .stored(try file.storages.read(tensor.storage), tensor.layout)
    }
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
