import AssayBase
import AssayTensor

/// What an attribute of an HDF5 object holds.
public enum HDF5Value: Sendable {
  /// Numbers; a scalar has no axes.
  case tensor(Tensor)
  /// Text; a scalar is one.
  case strings([String])
  /// Nothing (a null dataspace).
  case empty
  /// Something that is not read, in words.
  case unsupported(String)

  /// The text of a scalar.
  public var string: String? {
    guard case .strings(let strings) = self, strings.count == 1 else { return nil }
    return strings[0]
  }

  /// The texts of a list.
  public var strings: [String]? {
    switch self {
    case .strings(let strings): strings
    // NumPy has no empty list of text: h5py writes one of floats.
    case .tensor(let tensor) where tensor.count == 0: []
    default: nil
    }
  }

  /// The number of a scalar.
  public var number: Double? {
    guard case .tensor(let tensor) = self, tensor.count == 1 else { return nil }
    return switch tensor.dtype {
    case .float64: tensor.elements(as: Double.self)[0]
    case .float32, .float16, .bfloat16: Double(tensor.floats()[0])
    default: Double(tensor.integers()[0])
    }
  }
}

extension HDF5Object {
  /// The names of the attributes, in the file's order.
  public func attributeNames() throws -> [String] {
    try locating(path) { try HDF5.checked { try attributes().map(\.name) } }
  }

  /// What an attribute holds; `nil` when there is none.
  ///
  /// - Throws: `Diagnostic` HDF00x.
  public func attribute(_ name: String) throws -> HDF5Value? {
    try locating(path) {
      try HDF5.checked {
        guard let attribute = try attributes().last(where: { $0.name == name }) else { return nil }
        return try locating("attribute '\(name)'") {
          try HDF5.checked { try attribute.value(in: file.source) }
        }
      }
    }
  }

  private func attributes() throws -> [HDF5Attribute] {
    let source = file.source
    var result: [HDF5Attribute] = []
    for message in messages {
      switch message.kind {
      case .attribute:
        result.append(try HDF5Attribute(message.bytes, in: source))
      case .attributeInfo:
        var cursor = source.cursor(over: message.bytes)
        _ = try cursor.version(0...0, of: "an object's attributes")
        let flags = try cursor.int(1)
        if flags & 1 != 0 { cursor.skip(2) }
        guard let heapAddress = try cursor.address(), let tree = try cursor.address() else {
          continue
        }
        let heap = try HDF5FractalHeap(at: heapAddress, in: source)
        // A record of the index by name begins with the heap's ID and the message's flags.
        for record in try source.records(ofTreeAt: tree, type: 8) {
          guard try record.load(UInt8.self, at: 8) & 2 == 0 else {
            throw Diagnostic("HDF005", "attributes in a shared heap are not read")
          }
          result.append(try HDF5Attribute(try heap.object(record), in: source))
        }
      default: break
      }
    }
    return result
  }
}

/// An attribute before its value is read.
private struct HDF5Attribute {
  let name: String
  private let datatype: HDF5Datatype
  private let dataspace: HDF5Dataspace
  private let data: ByteView

  init(_ message: ByteView, in source: HDF5Source) throws {
    var cursor = source.cursor(over: message)
    let version = try cursor.version(1...3, of: "an attribute")
    let flags = try cursor.int(1)
    let counts = try (0..<3).map { _ in try cursor.int(2) }
    if version == 3 { cursor.skip(1) }
    func field(_ count: Int) throws -> ByteView {
      let field = try cursor.take(count)
      if version == 1 { cursor.align() }
      return field
    }
    name = try field(counts[0]).terminatedText(at: 0)
    var datatypeBytes = try field(counts[1])
    if version > 1, flags & 1 != 0 {
      datatypeBytes = try source.sharedMessage(.datatype, datatypeBytes, depth: 0).bytes
    }
    var datatypeCursor = source.cursor(over: datatypeBytes)
    datatype = try HDF5Datatype(&datatypeCursor)
    guard version == 1 || flags & 2 == 0 else {
      throw Diagnostic("HDF005", "shared dataspaces are not read")
    }
    var dataspaceCursor = source.cursor(over: try field(counts[2]))
    dataspace = try HDF5Dataspace(&dataspaceCursor)
    data = try message.dropFirst(min(cursor.offset, message.count))
  }

  func value(in source: HDF5Source) throws -> HDF5Value {
    guard let shape = dataspace.shape else { return .empty }
    if case .other(let what) = datatype.kind { return .unsupported(what) }
    return try source.value(of: datatype, shape, data)
  }
}

extension HDF5Source {
  /// The elements in `data`, which begins with them.
  func value(of datatype: HDF5Datatype, _ shape: Shape, _ data: ByteView) throws -> HDF5Value {
    guard let count = shape.elementCount else { throw HDF5.broken("extents \(shape)") }
    let (byteCount, overflow) = count.multipliedReportingOverflow(by: datatype.byteCount)
    guard !overflow else { throw HDF5.broken("extents \(shape)") }
    let elements = try data.slice(0, byteCount)
    switch datatype.kind {
    case .number(let dtype, let isBigEndian):
      let swapped = isBigEndian && datatype.byteCount > 1
      let bytes = swapped ? elements.reversedBytes(datatype.byteCount) : elements
      return .tensor(try Tensor(TensorType(dtype, shape), bytes: bytes))
    case .text:
      guard datatype.byteCount > 0 || count < 1 << 16 else { throw HDF5.broken("empty text") }
      return .strings(
        try (0..<count).map {
          try elements.slice($0 * datatype.byteCount, datatype.byteCount).terminatedText(at: 0)
            .trimmingSpaces
        }
      )
    case .variableText:
      var heap = HDF5GlobalHeap(source: self)
      var cursor = cursor(over: elements)
      return .strings(
        try (0..<count).map { _ in
          let byteCount = try cursor.int(4)
          let address = try cursor.address()
          let index = try cursor.int(4)
          guard byteCount > 0, let address else { return "" }
          return try heap.object(index, at: address).slice(0, byteCount).terminatedText(at: 0)
        }
      )
    case .other(let what): throw Diagnostic("HDF005", "\(what) are not read")
    }
  }
}

extension String {
  /// Without the spaces at its end, with which Fortran fills text.
  fileprivate var trimmingSpaces: String {
    var text = Substring(self)
    while text.last == " " { text.removeLast() }
    return String(text)
  }
}

/// The global heap: collections of text of variable length.
private struct HDF5GlobalHeap {
  let source: HDF5Source
  private var collections: [Int: [Int: ByteView]] = [:]
  private var handedOut = 0
  private var scanned = 0

  init(source: HDF5Source) { self.source = source }

  mutating func object(_ index: Int, at address: Int) throws -> ByteView {
    if collections[address] == nil { collections[address] = try collection(at: address) }
    guard let object = collections[address]?[index] else {
      throw HDF5.broken("text is not in its heap")
    }
    handedOut += object.count
    guard handedOut <= source.limit else {
      throw Diagnostic("HDF006", "the text takes more than \(source.limit) bytes")
    }
    return object
  }

  private mutating func collection(at address: Int) throws -> [Int: ByteView] {
    var cursor = source.cursor(at: address)
    try cursor.expect("GCOL")
    _ = try cursor.version(1...1, of: "a heap of text")
    cursor.skip(3)
    let count = try cursor.length()
    let end = address + count
    // Collections do not overlap: together they are no larger than the file.
    scanned += count
    guard end <= source.bytes.count, scanned <= source.bytes.count else {
      throw HDF5.broken("a heap of text leaves the file")
    }
    var objects: [Int: ByteView] = [:]
    while cursor.offset + 8 + source.lengthWidth <= end {
      let index = try cursor.int(2)
      cursor.skip(6)
      let count = try cursor.length()
      guard index != 0 else { break }
      objects[index] = try cursor.take(count)
      cursor.align(from: address)
    }
    return objects
  }
}
