import AssayBase
import AssayCodec
import AssayTensor
import AssayTensorFlow

/// The values of variables by name.
public protocol Checkpoint: Sendable {
  /// The names of all values, in alphabetical order.
  var names: [String] { get }

  /// The value with this name; `nil` when there is none.
  ///
  /// - Throws: `Diagnostic` TFG04x when it is damaged, or of a type that no Tensor has.
  func tensor(_ name: String) throws -> Tensor?

  /// The bytes of a value that is a single text; `nil` when there is none.
  func text(_ name: String) throws -> ByteView?
}

extension Checkpoint {
  /// No texts.
  public func text(_ name: String) throws -> ByteView? { nil }
}

/// A part of a variable that was saved in several: its place in the whole.
struct CheckpointSlice {
  /// First element and number of elements of each axis; an open one is all of the axis and was saved
  /// without a length.
  var ranges: [(start: Int, count: Int, isOpen: Bool)]

  /// All of a scalar, which has no axes to be cut along.
  static let scalar = CheckpointSlice(ranges: [])

  private init(ranges: [(start: Int, count: Int, isOpen: Bool)]) { self.ranges = ranges }

  /// Reads a `TensorSliceProto` of a variable of this shape.
  init(reading message: ProtobufReader, of shape: Shape) throws {
    var reader = message
    ranges = []
    while let field = try reader.next() {
      guard field.number == 1 else { continue }
      var extent = try reader.message(field)
      var start: Int64 = 0
      var length: Int64?
      while let part = try extent.next() {
        if part.number == 1 { start = try part.integer() }
        if part.number == 2 { length = try part.integer() }
      }
      let whole = Int64(shape[ranges.count])
      let count = length ?? whole
      guard start >= 0, count >= 0, start <= whole, count <= whole - start else {
        throw Diagnostic("TFG044", "a part from \(start), \(count) long, of \(shape)")
      }
      ranges.append((Int(start), Int(count), length == nil))
    }
    guard ranges.count == shape.rank else {
      throw Diagnostic("TFG044", "a part of \(ranges.count) axes of \(shape)")
    }
  }

  /// The part's own extents.
  var shape: Shape { Shape(ranges.map(\.count)) }

  /// Whether it is all of a variable.
  func isWhole(of shape: Shape) -> Bool { self.shape == shape }
}

/// A variable put together from its parts.
struct PartitionedTensor {
  private let type: TensorType
  private var bytes: [UInt8]
  private var filled = 0

  /// A variable of which no part is there yet.
  init(_ type: TensorType) throws {
    guard let count = type.byteCount, count < 1 << 36, type.dtype.bitWidth % 8 == 0 else {
      throw Diagnostic("TFG044", "a variable of type \(type) in parts")
    }
    self.type = type
    bytes = [UInt8](repeating: 0, count: count)
  }

  /// Puts a part in its place.
  mutating func place(_ part: Tensor, at slice: CheckpointSlice) throws {
    guard part.shape == slice.shape, part.dtype == type.dtype, let last = slice.ranges.last else {
      throw Diagnostic("TFG044", "a part of type \(part.type) of \(type)")
    }
    let width = type.dtype.bitWidth / 8
    let source = part.bytes.array
    let strides = type.shape.strides
    let row = last.count * width
    let rows = row == 0 ? 0 : source.count / row
    for index in 0..<rows {
      var rest = index
      var offset = last.start
      for axis in slice.ranges.indices.dropLast().reversed() {
        let range = slice.ranges[axis]
        offset += (range.start + rest % range.count) * strides[axis]
        rest /= range.count
      }
      let target = offset * width
      bytes.replaceSubrange(target..<target + row, with: source[index * row..<(index + 1) * row])
    }
    filled += part.count
  }

  /// The whole variable.
  func finish() throws -> Tensor {
    guard filled == type.shape.count else {
      throw Diagnostic("TFG044", "\(filled) of \(type.shape.count) elements are there")
    }
    return try Tensor(type, bytes: ByteView(bytes))
  }
}
