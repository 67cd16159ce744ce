import AssayBase
import AssayTensor

/// A `.safetensors` file: the length of a JSON header, the header, and the packed elements of the
/// tensors that it lists, one after the other.
///
/// Format: huggingface/safetensors, README. As the reference reader does, this one refuses files whose
/// tensors overlap, leave holes or do not end where the file ends: what no tensor names could be
/// anything.
public struct SafeTensors: Sendable {
  /// A tensor of the file.
  public struct Entry: Sendable {
    /// Its name.
    public var name: String
    /// The type of the elements; `nil` for one that no tensor here has.
    public var dtype: DType?
    /// The file's word for the type.
    public var typeName: String
    /// The extents.
    public var shape: Shape
    fileprivate var start: Int
    fileprivate var count: Int
  }

  /// The tensors, by their place in the file.
  public let entries: [Entry]
  /// What the file says of itself.
  public let metadata: [(name: String, text: String)]
  private let content: ByteView

  /// The most bytes of a header that the format allows.
  private static let headerLimit = 100_000_000

  /// Whether the bytes begin like such a file: the length of a header that is an object.
  public static func sniff(_ bytes: ByteView) -> Bool {
    guard let length = try? bytes.load(UInt64.self, at: 0), length <= headerLimit,
      let first = try? bytes.load(UInt8.self, at: 8)
    else { return false }
    return first == UInt8(ascii: "{")
  }

  /// Reads the header.
  ///
  /// - Throws: `Diagnostic` WGT002 when the file is cut short or no such file, WGT003 when a tensor is
  ///   described wrongly, or tensors overlap or leave holes.
  public init(_ bytes: ByteView) throws {
    guard bytes.count >= 8, let length = try? bytes.load(UInt64.self, at: 0),
      length <= SafeTensors.headerLimit, length <= bytes.count - 8
    else {
      throw Diagnostic(
        "WGT002",
        "the file is cut short: its header does not lie in it",
        remedy: "copy or download it again"
      )
    }
    let header: JSON
    do {
      header = try JSON(parsing: bytes.slice(8, Int(length)).array)
    } catch let error as Diagnostic {
      throw Diagnostic("WGT002", "the header is no JSON", cause: error.summary)
    }
    content = try bytes.dropFirst(8 + Int(length))
    guard let pairs = header.pairs else {
      throw Diagnostic("WGT002", "the header is no object")
    }
    metadata = (header["__metadata__"]?.pairs ?? []).compactMap { name, value in
      value.string.map { (name, $0) }
    }
    entries = try pairs.filter { $0.key != "__metadata__" }
      .map { try SafeTensors.entry($0.key, $0.value) }
      .sorted { ($0.start, $0.count) < ($1.start, $1.count) }
    var end = 0
    for entry in entries {
      guard entry.start == end else {
        throw Diagnostic(
          "WGT003",
          entry.start < end
            ? "the tensor overlaps another one" : "there is a hole before the tensor",
          at: ["tensor '\(entry.name)'"]
        )
      }
      end += entry.count
    }
    guard end == content.count else {
      throw Diagnostic(
        "WGT003",
        "the tensors take \(end) bytes, the file has \(content.count)",
        remedy: end > content.count ? "the file is cut short: copy or download it again" : nil
      )
    }
  }

  private static func entry(_ name: String, _ json: JSON) throws -> Entry {
    let fault = Diagnostic("WGT003", "the tensor is described wrongly", at: ["tensor '\(name)'"])
    guard let word = json["dtype"]?.string, let extents = json["shape"]?.ints, extents.count <= 32,
      extents.allSatisfy({ $0 >= 0 }), let offsets = json["data_offsets"]?.ints, offsets.count == 2,
      offsets[0] >= 0, offsets[1] >= offsets[0], offsets[1] < 1 << 48
    else { throw fault }
    let dtype = DType(safeTensors: word)
    let shape = Shape(extents)
    guard let count = shape.elementCount else { throw fault }
    if let dtype, dtype.byteCount(count) != offsets[1] - offsets[0] { throw fault }
    return Entry(
      name: name,
      dtype: dtype,
      typeName: word,
      shape: shape,
      start: offsets[0],
      count: offsets[1] - offsets[0]
    )
  }

  /// The elements of a tensor, where they lie.
  ///
  /// - Throws: `Diagnostic` WGT004 for a type that no tensor here has.
  public func tensor(_ entry: Entry) throws -> Tensor {
    guard let dtype = entry.dtype else {
      throw Diagnostic(
        "WGT004",
        "elements of type \(entry.typeName) are not read",
        at: ["tensor '\(entry.name)'"]
      )
    }
    return try Tensor(
      TensorType(dtype, entry.shape),
      bytes: content.slice(entry.start, entry.count)
    )
  }
}

extension DType {
  fileprivate init?(safeTensors word: String) {
    switch word {
    case "BOOL": self = .bool
    case "U8": self = .uint8
    case "I8": self = .int8
    case "U16": self = .uint16
    case "I16": self = .int16
    case "U32": self = .uint32
    case "I32": self = .int32
    case "U64": self = .uint64
    case "I64": self = .int64
    case "F16": self = .float16
    case "BF16": self = .bfloat16
    case "F32": self = .float32
    case "F64": self = .float64
    case "F8_E4M3": self = .float8E4M3FN
    case "F8_E5M2": self = .float8E5M2
    default: return nil
    }
  }
}
