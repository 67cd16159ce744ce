import AssayBase
import AssayTensor

/// NumPy's format for one array (NEP 1, versions 1 to 3).
public enum NPY {
  /// Whether the bytes begin like an array file.
  public static func sniff(_ bytes: ByteView) -> Bool { bytes.starts(with: magic) }

  /// The array of a file.
  ///
  /// Elements in C order and this machine's byte order stay where they are; others are copied.
  ///
  /// - Throws: `Diagnostic` NPY00x; arrays of Python objects, text, complex numbers and records are
  ///   refused.
  public static func read(_ bytes: ByteView) throws -> Tensor {
    guard sniff(bytes) else {
      throw Diagnostic("NPY001", "this is not a NumPy array", remedy: "write it with numpy.save")
    }
    do { return try readChecked(bytes) } catch is ByteView.OutOfBounds { throw cutShort }
  }

  /// The file of an array (version 1, C order, little-endian), in pieces.
  ///
  /// bfloat16, floats of at most 8 bits, 4-bit integers and text have no NumPy type: such floats are
  /// widened to float32, 4-bit integers to 8 bits.
  public static func write(_ tensor: Tensor) throws -> [ByteView] {
    var tensor = tensor
    switch tensor.dtype {
    case .bfloat16, .float8E4M3FN, .float8E4M3FNUZ, .float8E5M2, .float8E5M2FNUZ, .float4E2M1:
      tensor = tensor.converted(to: .float32) ?? tensor
    case .int4: tensor = tensor.with(quantization: nil).converted(to: .int8) ?? tensor
    case .uint4: tensor = tensor.with(quantization: nil).converted(to: .uint8) ?? tensor
    default: break
    }
    guard let code = codes.first(where: { $0.dtype == tensor.dtype })?.code else {
      throw Diagnostic("NPY003", "arrays of \(tensor.dtype.rawValue) cannot be written")
    }
    let order = tensor.dtype.bitWidth == 8 ? "|" : "<"
    let dims = tensor.shape.dims.map(String.init).joined(separator: ", ")
    let tuple = tensor.shape.rank == 1 ? "(\(dims),)" : "(\(dims))"
    let dictionary = "{'descr': '\(order)\(code)', 'fortran_order': False, 'shape': \(tuple), }"
    let padding = 63 - (10 + dictionary.utf8.count) % 64
    let header = Array((dictionary + String(repeating: " ", count: padding) + "\n").utf8)
    guard header.count <= 0xFFFF else {
      throw Diagnostic("NPY002", "\(tensor.shape.rank) axes are too many")
    }
    let count = [UInt8(truncatingIfNeeded: header.count), UInt8(header.count >> 8)]
    return [ByteView(magic + [1, 0] + count + header), tensor.bytes]
  }

  private static let magic: [UInt8] = [0x93, 0x4E, 0x55, 0x4D, 0x50, 0x59]

  private static let codes: [(code: String, dtype: DType)] = [
    ("f4", .float32), ("f2", .float16), ("f8", .float64), ("b1", .bool), ("i1", .int8),
    ("i2", .int16), ("i4", .int32), ("i8", .int64), ("u1", .uint8), ("u2", .uint16),
    ("u4", .uint32), ("u8", .uint64),
  ]

  private static var cutShort: Diagnostic {
    Diagnostic(
      "NPY002",
      "the file is shorter than its header says",
      remedy: "the file may be cut short; write or copy it again"
    )
  }

  private static func readChecked(_ bytes: ByteView) throws -> Tensor {
    let version = try bytes.load(UInt8.self, at: 6)
    guard (1...3).contains(version) else {
      throw Diagnostic("NPY001", "version \(version) of NumPy's format is not known")
    }
    let start = version == 1 ? 10 : 12
    let count =
      version == 1
      ? Int(try bytes.load(UInt16.self, at: 8)) : Int(try bytes.load(UInt32.self, at: 8))
    guard count <= 1 << 20 else { throw Diagnostic("NPY002", "the header is too long") }
    var header = HeaderReader(text: try bytes.slice(start, count).array)
    let (description, isFortran, shape) = try header.read()
    guard let code = codes.first(where: { $0.code == description.dropFirst() }),
      let order = description.first, "<>|=".contains(order)
    else {
      throw Diagnostic(
        "NPY003",
        "arrays of type '\(description)' are not read",
        remedy: "convert the array to numbers first, such as with astype('float32')"
      )
    }
    let type = TensorType(code.dtype, shape)
    guard let byteCount = type.byteCount else { throw cutShort }
    var data = try bytes.slice(start + count, byteCount)
    if order == ">", code.dtype.bitWidth > 8 { data = data.reversedBytes(code.dtype.bitWidth / 8) }
    guard isFortran, shape.rank > 1 else { return try Tensor(type, bytes: data) }
    let reversed = Shape(shape.dims.reversed())
    let tensor = try Tensor(TensorType(code.dtype, reversed), bytes: data)
    return tensor.permuted((0..<shape.rank).reversed()) ?? tensor
  }
}

extension ByteView {
  /// The same elements of `width` bytes each in the other byte order.
  func reversedBytes(_ width: Int) -> ByteView {
    unsafe withUnsafeBytes { source in
      unsafe ByteView(byteCount: source.count) { target in
        for start in stride(from: 0, through: source.count - width, by: width) {
          for index in 0..<width {
            unsafe target[start + index] = source[start + width - 1 - index]
          }
        }
      }
    }
  }
}

/// Reads the header: a Python dictionary of three known keys.
private struct HeaderReader {
  let text: [UInt8]
  var offset = 0

  init(text: [UInt8]) { self.text = text }

  mutating func read() throws -> (description: String, isFortran: Bool, shape: Shape) {
    var description: String?
    var isFortran: Bool?
    var shape: Shape?
    try expect("{")
    while !take("}") {
      let key = try string()
      try expect(":")
      switch key {
      case "descr": description = try string()
      case "fortran_order": isFortran = try bool()
      case "shape": shape = try tuple()
      default: throw fault("an unknown key")
      }
      if !take(",") {
        try expect("}")
        break
      }
    }
    guard let description, let isFortran, let shape else { throw fault("a key is missing") }
    return (description, isFortran, shape)
  }

  private func fault(_ what: String) -> Diagnostic {
    Diagnostic("NPY002", "the array's header is broken: \(what)", at: ["byte \(offset)"])
  }

  private mutating func skipSpace() {
    while offset < text.count, text[offset] == 0x20 || text[offset] == 0x0A { offset += 1 }
  }

  private mutating func take(_ literal: String) -> Bool {
    skipSpace()
    guard text[offset...].starts(with: literal.utf8) else { return false }
    offset += literal.utf8.count
    return true
  }

  private mutating func expect(_ literal: String) throws {
    guard take(literal) else { throw fault("'\(literal)' was expected") }
  }

  private mutating func string() throws -> String {
    let quote: UInt8 = take("\"") ? 0x22 : 0x27
    if quote == 0x27 { try expect("'") }
    guard let end = text[offset...].firstIndex(of: quote) else { throw fault("an open string") }
    let result = String(decoding: text[offset..<end], as: UTF8.self)
    offset = end + 1
    return result
  }

  private mutating func bool() throws -> Bool {
    if take("True") { return true }
    try expect("False")
    return false
  }

  private mutating func tuple() throws -> Shape {
    try expect("(")
    var dims: [Int] = []
    while !take(")") {
      skipSpace()
      let digits = text[offset...].prefix { (0x30...0x39).contains($0) }
      offset += digits.count
      guard let dim = Int(String(decoding: digits, as: UTF8.self)), dim < 1 << 48, dims.count < 64
      else { throw fault("an impossible extent") }
      // Python 2 wrote long integers with an L.
      _ = take("L")
      dims.append(dim)
      if !take(",") {
        try expect(")")
        break
      }
    }
    return Shape(dims)
  }
}
