import AssayBase

/// Decompression of Snappy's raw format (https://github.com/google/snappy, format_description.txt).
public enum Snappy {
  /// The bytes that `compressed` stands for.
  ///
  /// - Parameter limit: the most bytes that are made.
  /// - Throws: `Diagnostic` SNP001 when it is malformed, SNP002 when it says that it is too large.
  public static func decompress(_ compressed: ByteView, limit: Int) throws -> [UInt8] {
    func malformed(_ what: String) -> Diagnostic {
      Diagnostic("SNP001", "the Snappy data is damaged: \(what)")
    }
    let input = compressed.array
    var position = 0
    var size = 0
    for shift in stride(from: 0, through: 28, by: 7) {
      guard position < input.count else { throw malformed("it has no length") }
      let byte = input[position]
      position += 1
      size |= Int(byte & 0x7F) << shift
      if byte < 0x80 { break }
      guard shift < 28 else { throw malformed("its length has more than 32 bits") }
    }
    // No element makes more than 64 bytes of 3.
    guard size <= limit, size / 22 <= input.count else {
      throw Diagnostic("SNP002", "the Snappy data says it is \(size) bytes long")
    }
    var output: [UInt8] = []
    output.reserveCapacity(size)
    func number(_ count: Int) throws -> Int {
      guard count <= input.count - position else { throw malformed("it is cut short") }
      var value = 0
      for index in 0..<count { value |= Int(input[position + index]) << (8 * index) }
      position += count
      return value
    }
    while position < input.count {
      let tag = Int(input[position])
      position += 1
      let (length, offset): (Int, Int)
      switch tag & 3 {
      case 0:
        let short = tag >> 2
        let count = short < 60 ? short + 1 : try number(short - 59) + 1
        guard count <= input.count - position, count <= size - output.count else {
          throw malformed("a literal is \(count) bytes long")
        }
        output += input[position..<position + count]
        position += count
        continue
      case 1: (length, offset) = (4 + (tag >> 2 & 7), (tag >> 5) << 8 | (try number(1)))
      case 2: (length, offset) = (1 + (tag >> 2), try number(2))
      default: (length, offset) = (1 + (tag >> 2), try number(4))
      }
      guard offset > 0, offset <= output.count, length <= size - output.count else {
        throw malformed("a copy of \(length) bytes from \(offset) back")
      }
      // Byte by byte: what is copied may be what the copy makes.
      for _ in 0..<length { output.append(output[output.count - offset]) }
    }
    guard output.count == size else { throw malformed("it is \(output.count) bytes, not \(size)") }
    return output
  }
}
