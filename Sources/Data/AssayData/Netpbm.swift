import AssayBase

/// Decodes a PGM or PPM image, plain (P2, P3) or raw (P5, P6), of 8 or 16 bits a value.
func decodeNetpbm(_ bytes: ByteView) throws -> Image {
  var reader = NetpbmReader(bytes: bytes.array, offset: 2)
  let kind = try bytes.load(UInt8.self, at: 1)
  let isPlain = kind == UInt8(ascii: "2") || kind == UInt8(ascii: "3")
  let channels = kind == UInt8(ascii: "3") || kind == UInt8(ascii: "6") ? 3 : 1
  let width = try reader.number()
  let height = try reader.number()
  try checkExtents(width, height, "PPM/PGM")
  let greatest = try reader.number()
  guard (1...65535).contains(greatest) else {
    throw corrupt("PPM/PGM", "its greatest value is \(greatest)")
  }
  let count = width * height * channels
  var pixels = [UInt8](repeating: 0, count: count)
  func scaled(_ value: Int) throws -> UInt8 {
    guard value <= greatest else { throw corrupt("PPM/PGM", "a value above \(greatest)") }
    return UInt8((value * 255 + greatest / 2) / greatest)
  }
  if isPlain {
    // Each value takes at least a digit and a space: refuse before a loop over values not there.
    guard reader.bytes.count - reader.offset >= count * 2 - 1 else {
      throw corrupt("PPM/PGM", "it ends too early")
    }
    for index in 0..<count { pixels[index] = try scaled(reader.number()) }
  } else {
    let start = reader.offset + 1
    let size = greatest > 255 ? 2 : 1
    let data = try bytes.slice(start, count * size).array
    for index in 0..<count {
      let value =
        size == 1 ? Int(data[index]) : Int(data[index * 2]) << 8 | Int(data[index * 2 + 1])
      pixels[index] = try scaled(value)
    }
  }
  return Image(width: width, height: height, channels: channels, pixels: pixels)
}

private struct NetpbmReader {
  let bytes: [UInt8]
  var offset: Int

  /// The next number, after white space and comments.
  mutating func number() throws -> Int {
    while offset < bytes.count {
      if bytes[offset] == UInt8(ascii: "#") {
        while offset < bytes.count, bytes[offset] != UInt8(ascii: "\n") { offset += 1 }
      } else if [0x20, 0x09, 0x0A, 0x0B, 0x0C, 0x0D].contains(bytes[offset]) {
        offset += 1
      } else {
        break
      }
    }
    let start = offset
    var value = 0
    while offset < bytes.count, (0x30...0x39).contains(bytes[offset]) {
      guard value < 1 << 32 else { throw corrupt("PPM/PGM", "a number is too large") }
      value = value * 10 + Int(bytes[offset] - 0x30)
      offset += 1
    }
    guard offset > start else { throw corrupt("PPM/PGM", "a number was expected") }
    return value
  }
}
