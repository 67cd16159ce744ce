import AssayBase

/// Decodes a GIF's first frame (CompuServe, GIF89a), laid on the canvas; what it leaves open shows the
/// background color, or black where that is transparent.
func decodeGIF(_ bytes: ByteView) throws -> Image {
  let width = Int(try bytes.load(UInt16.self, at: 6))
  let height = Int(try bytes.load(UInt16.self, at: 8))
  try checkExtents(width, height, "GIF")
  let flags = try bytes.load(UInt8.self, at: 10)
  let background = Int(try bytes.load(UInt8.self, at: 11))
  var offset = 13
  func palette(_ flags: UInt8) throws -> [UInt8] {
    guard flags & 0x80 != 0 else { return [] }
    let size = 3 << (Int(flags & 7) + 1)
    defer { offset += size }
    return try bytes.slice(offset, size).array
  }
  let shared = try palette(flags)
  var transparent: Int?
  while true {
    let kind = try bytes.load(UInt8.self, at: offset)
    offset += 1
    switch kind {
    case 0x21:
      let label = try bytes.load(UInt8.self, at: offset)
      let extensionBytes = try blocks(bytes, from: offset + 1)
      if label == 0xF9, extensionBytes.data.count >= 4, extensionBytes.data[0] & 1 == 1 {
        transparent = Int(extensionBytes.data[3])
      }
      offset = extensionBytes.end
    case 0x2C:
      let frame = try (0..<4).map { Int(try bytes.load(UInt16.self, at: offset + 2 * $0)) }
      let frameFlags = try bytes.load(UInt8.self, at: offset + 8)
      offset += 9
      let own = try palette(frameFlags)
      let colors = own.isEmpty ? shared : own
      guard !colors.isEmpty else { throw corrupt("GIF", "it has no palette") }
      let bits = Int(try bytes.load(UInt8.self, at: offset))
      let (left, top, frameWidth, frameHeight) = (frame[0], frame[1], frame[2], frame[3])
      try checkExtents(frameWidth, frameHeight, "GIF")
      let indices = try unpacked(
        try blocks(bytes, from: offset + 1).data,
        bits: bits,
        count: frameWidth * frameHeight
      )
      var pixels = [UInt8](repeating: 0, count: width * height * 3)
      if transparent == nil, background * 3 + 2 < shared.count {
        for index in pixels.indices { pixels[index] = shared[background * 3 + index % 3] }
      }
      let isInterlaced = frameFlags & 0x40 != 0
      for (row, y) in rows(frameHeight, isInterlaced).enumerated() where top + y < height {
        for x in 0..<min(frameWidth, max(width - left, 0)) {
          let index = Int(indices[row * frameWidth + x])
          guard index * 3 + 2 < colors.count else {
            throw corrupt("GIF", "a pixel of color \(index) of \(colors.count / 3)")
          }
          let to = ((top + y) * width + left + x) * 3
          for channel in 0..<3 { pixels[to + channel] = colors[index * 3 + channel] }
        }
      }
      return Image(width: width, height: height, channels: 3, pixels: pixels)
    default: throw corrupt("GIF", "it holds no picture")
    }
  }
}

/// The order in which a frame's rows are stored.
private func rows(_ height: Int, _ isInterlaced: Bool) -> [Int] {
  guard isInterlaced else { return Array(0..<height) }
  return [(0, 8), (4, 8), (2, 4), (1, 2)].flatMap {
    Array(stride(from: $0.0, to: height, by: $0.1))
  }
}

/// The bytes of sub-blocks, and where they end.
private func blocks(_ bytes: ByteView, from start: Int) throws -> (data: [UInt8], end: Int) {
  var data: [UInt8] = []
  var offset = start
  while true {
    let size = Int(try bytes.load(UInt8.self, at: offset))
    offset += 1
    if size == 0 { return (data, offset) }
    data += try bytes.slice(offset, size).array
    offset += size
  }
}

/// Undoes GIF's LZW packing: codes of 3 to 12 bits, lowest bits first.
private func unpacked(_ data: [UInt8], bits: Int, count: Int) throws -> [UInt8] {
  guard (1...11).contains(bits) else { throw corrupt("GIF", "codes of \(bits) bits") }
  let clear = 1 << bits
  let end = clear + 1
  // Each code is the code before it and one byte more.
  var prefixes = [Int](repeating: -1, count: 4096)
  var last = [UInt8](repeating: 0, count: 4096)
  for code in 0..<clear { last[code] = UInt8(truncatingIfNeeded: code) }
  var next = end + 1
  var width = bits + 1
  var previous = -1
  var result: [UInt8] = []
  result.reserveCapacity(count)
  var (held, buffer) = (0, 0)
  var run: [UInt8] = []
  for byte in data {
    buffer |= Int(byte) << held
    held += 8
    while held >= width, result.count < count {
      let code = buffer & (1 << width - 1)
      buffer >>= width
      held -= width
      if code == clear {
        (next, width, previous) = (end + 1, bits + 1, -1)
        continue
      }
      if code == end { break }
      guard code < next || (code == next && previous >= 0), code != end else {
        throw corrupt("GIF", "a code that was not defined")
      }
      run.removeAll(keepingCapacity: true)
      var at = code == next ? previous : code
      while at >= 0 {
        run.append(last[at])
        at = prefixes[at]
      }
      guard let first = run.last else { throw corrupt("GIF") }
      result += run.reversed()
      if code == next { result.append(first) }
      if previous >= 0, next < 4096 {
        prefixes[next] = previous
        last[next] = first
        next += 1
        if next == 1 << width, width < 12 { width += 1 }
      }
      previous = code
    }
  }
  guard result.count >= count else { throw corrupt("GIF", "it ends too early") }
  return Array(result.prefix(count))
}
