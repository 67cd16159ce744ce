import AssayBase
import AssayCodec

extension Image {
  /// The picture as a PNG file, without loss.
  ///
  /// Each row is stored as its differences from the left, from above, or from Paeth's guess, whichever
  /// gives the smallest sum (the heuristic that the PNG specification recommends).
  public func png() throws -> [ByteView] {
    let length = width * channels
    var rows: [UInt8] = []
    rows.reserveCapacity((length + 1) * height)
    var above = [UInt8](repeating: 0, count: length)
    for y in 0..<height {
      let row = Array(pixels[y * length..<(y + 1) * length])
      rows += filtered(row, above: above)
      above = row
    }
    var header = bigEndian(width) + bigEndian(height)
    header += [8, channels == 3 ? 2 : 0, 0, 0, 0]
    let data = try Zlib.deflate([ByteView(rows)], wrapping: .zlib)
    return [ByteView([0x89, 0x50, 0x4E, 0x47, 0x0D, 0x0A, 0x1A, 0x0A] as [UInt8])]
      + chunk("IHDR", ByteView(header)) + chunk("IDAT", data) + chunk("IEND", ByteView([UInt8]()))
  }

  private func filtered(_ row: [UInt8], above: [UInt8]) -> [UInt8] {
    var best: [UInt8] = []
    var least = Int.max
    for filter in [UInt8(1), 2, 4] {
      var result = [filter]
      result.reserveCapacity(row.count + 1)
      var sum = 0
      for index in row.indices {
        let left = index >= channels ? Int(row[index - channels]) : 0
        let up = Int(above[index])
        let corner = index >= channels ? Int(above[index - channels]) : 0
        let guess =
          switch filter {
          case 1: left
          case 2: up
          default: paeth(left, up, corner)
          }
        let difference = row[index] &- UInt8(guess)
        result.append(difference)
        sum += Int(min(difference, 0 &- difference))
      }
      if sum < least {
        least = sum
        best = result
      }
    }
    return best
  }
}

private func paeth(_ left: Int, _ up: Int, _ corner: Int) -> Int {
  let guess = left + up - corner
  let (a, b, c) = (abs(guess - left), abs(guess - up), abs(guess - corner))
  return a <= b && a <= c ? left : b <= c ? up : corner
}

private func bigEndian(_ value: Int) -> [UInt8] {
  [24, 16, 8, 0].map { UInt8(truncatingIfNeeded: value >> $0) }
}

private func chunk(_ kind: String, _ content: ByteView) -> [ByteView] {
  let name = ByteView(Array(kind.utf8))
  let checksum = Zlib.crc32(content, continuing: Zlib.crc32(name))
  return [
    ByteView(bigEndian(content.count)), name, content, ByteView(bigEndian(Int(checksum))),
  ]
}
