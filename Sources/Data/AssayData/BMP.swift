import AssayBase

/// Decodes a Windows bitmap: uncompressed, 1, 4, 8, 16, 24 or 32 bits a pixel.
///
/// A palette that holds shades of gray only gives a gray picture.
func decodeBMP(_ bytes: ByteView) throws -> Image {
  let dataOffset = Int(try bytes.load(UInt32.self, at: 10))
  let headerSize = Int(try bytes.load(UInt32.self, at: 14))
  guard headerSize >= 40, headerSize <= 256 else {
    throw unsupported("its header is of \(headerSize) bytes")
  }
  let width = Int(try bytes.load(Int32.self, at: 18))
  let signedHeight = Int(try bytes.load(Int32.self, at: 22))
  let height = abs(signedHeight)
  try checkExtents(width, height, "BMP")
  let bits = Int(try bytes.load(UInt16.self, at: 28))
  let compression = Int(try bytes.load(UInt32.self, at: 30))
  // 0: plain, 3: plain with masks that say where the channels lie.
  guard compression == 0 || (compression == 3 && (bits == 16 || bits == 32)) else {
    throw unsupported("it is compressed (kind \(compression))")
  }
  guard [1, 4, 8, 16, 24, 32].contains(bits) else { throw unsupported("\(bits) bits a pixel") }
  let stride = (width * bits + 31) / 32 * 4
  let (size, overflow) = stride.multipliedReportingOverflow(by: height)
  guard !overflow else { throw corrupt("BMP") }
  let data = try bytes.slice(dataOffset, size).array

  func row(_ y: Int) -> Int { (signedHeight < 0 ? y : height - 1 - y) * stride }
  if bits <= 8 {
    let colors = Int(try bytes.load(UInt32.self, at: 46))
    let count = colors == 0 ? 1 << bits : colors
    guard count <= 1 << bits else { throw corrupt("BMP", "a palette of \(count) colors") }
    let palette = try bytes.slice(14 + headerSize, count * 4).array
    let isGray = (0..<count).allSatisfy { (index: Int) -> Bool in
      let blue = palette[index * 4]
      return blue == palette[index * 4 + 1] && blue == palette[index * 4 + 2]
    }
    let channels = isGray ? 1 : 3
    var pixels = [UInt8](repeating: 0, count: width * height * channels)
    let perByte = 8 / bits
    let mask = 1 << bits - 1
    for y in 0..<height {
      for x in 0..<width {
        let byte = Int(data[row(y) + x / perByte])
        let shift = 8 - bits - x % perByte * bits
        let index = byte >> shift & mask
        guard index < count else { throw corrupt("BMP", "color \(index) is not in its palette") }
        let to = (y * width + x) * channels
        let from = index * 4 + 2
        for channel in 0..<channels { pixels[to + channel] = palette[from - channel] }
      }
    }
    return Image(width: width, height: height, channels: channels, pixels: pixels)
  }

  var pixels = [UInt8](repeating: 0, count: width * height * 3)
  if bits == 24 || (bits == 32 && compression == 0) {
    let step = bits / 8
    for y in 0..<height {
      for x in 0..<width {
        let from = row(y) + x * step
        let to = (y * width + x) * 3
        pixels[to] = data[from + 2]
        pixels[to + 1] = data[from + 1]
        pixels[to + 2] = data[from]
      }
    }
    return Image(width: width, height: height, channels: 3, pixels: pixels)
  }
  let masks: [UInt32] =
    compression == 3
    ? [try bytes.load(at: 54), try bytes.load(at: 58), try bytes.load(at: 62)]
    : [0x7C00, 0x03E0, 0x001F]
  guard !masks.contains(0) else { throw corrupt("BMP", "a channel without bits") }
  let step = bits / 8
  for y in 0..<height {
    for x in 0..<width {
      var value: UInt32 = 0
      for byte in 0..<step { value |= UInt32(data[row(y) + x * step + byte]) << UInt32(byte * 8) }
      for channel in 0..<3 {
        let mask = masks[channel]
        let shift = UInt32(mask.trailingZeroBitCount)
        let part = UInt64(value & mask) >> UInt64(shift)
        let greatest = UInt64(mask >> shift)
        let scaled = (part * 255 + greatest / 2) / greatest
        pixels[(y * width + x) * 3 + channel] = UInt8(min(scaled, 255))
      }
    }
  }
  return Image(width: width, height: height, channels: 3, pixels: pixels)
}

private func unsupported(_ words: String) -> Diagnostic {
  Diagnostic(
    "DAT005",
    "this kind of BMP image is not supported: \(words)",
    remedy: "save it as PNG"
  )
}
