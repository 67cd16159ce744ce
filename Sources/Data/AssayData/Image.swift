import AssayBase

/// A decoded picture: 8 bits a channel, rows from the top, pixels from the left.
public struct Image: Sendable, Equatable {
  /// Pixels in a row.
  public let width: Int
  /// Rows.
  public let height: Int
  /// 1 (gray) or 3 (red, green, blue); transparency is dropped, as TensorFlow and Pillow's
  /// `convert("RGB")` do.
  public let channels: Int
  /// `width * height * channels` values.
  public let pixels: [UInt8]

  /// Makes a picture.
  ///
  /// - Precondition: there are as many values as the extents say.
  public init(width: Int, height: Int, channels: Int, pixels: [UInt8]) {
    precondition(pixels.count == width * height * channels, "\(pixels.count) values")
    self.width = width
    self.height = height
    self.channels = channels
    self.pixels = pixels
  }

  /// Pixels above which a picture is refused, so that a small hostile file cannot take all memory.
  public static let pixelLimit = 1 << 26

  /// Reads the image file at `path`.
  ///
  /// - Parameter isOriented: turn a JPEG as its EXIF orientation says.
  /// - Throws: `Diagnostic` DAT001 to DAT005 or FIL001 with the path.
  public static func read(path: String, isOriented: Bool = true) throws -> Image {
    try decode(MappedFile(path: path).view, name: path, isOriented: isOriented)
  }

  /// Decodes an image file's bytes; the format is told by its first bytes.
  ///
  /// - Parameter name: the file's name, for diagnostics.
  /// - Throws: `Diagnostic` DAT001 (no known format), DAT002 (library missing), DAT003 (corrupt),
  ///   DAT004 (too large), DAT005 (a kind that is not supported).
  public static func decode(
    _ bytes: ByteView,
    name: String,
    isOriented: Bool = true
  ) throws
    -> Image
  {
    try locating(name) {
      guard let codec = ImageCodec.sniff(bytes) else {
        throw Diagnostic(
          "DAT001",
          bytes.count == 0 ? "the file is empty" : "this is no image of a known format",
          remedy: "give images as " + ImageCodec.allCases.map(\.title).joined(separator: ", ")
        )
      }
      let image = try codec.decode(bytes)
      guard isOriented, codec == .jpeg, let orientation = exifOrientation(ofJPEG: bytes) else {
        return image
      }
      return image.oriented(orientation)
    }
  }

  /// The picture in shades of gray: ITU-R BT.601 luma, rounded as Pillow's `convert("L")`.
  public var gray: Image {
    guard channels == 3 else { return self }
    var result = [UInt8](repeating: 0, count: width * height)
    for index in result.indices {
      let r = Int(pixels[index * 3])
      let g = Int(pixels[index * 3 + 1])
      let b = Int(pixels[index * 3 + 2])
      result[index] = UInt8((r * 19595 + g * 38470 + b * 7471 + 0x8000) >> 16)
    }
    return Image(width: width, height: height, channels: 1, pixels: result)
  }

  /// The picture with three channels.
  public var color: Image {
    guard channels == 1 else { return self }
    var result = [UInt8](repeating: 0, count: width * height * 3)
    for (index, value) in pixels.enumerated() {
      result[index * 3] = value
      result[index * 3 + 1] = value
      result[index * 3 + 2] = value
    }
    return Image(width: width, height: height, channels: 3, pixels: result)
  }

  /// The part of the picture that begins at (`x`, `y`).
  ///
  /// - Precondition: it lies within the picture.
  public func cropped(x: Int, y: Int, width: Int, height: Int) -> Image {
    precondition(
      x >= 0 && y >= 0 && width > 0 && height > 0 && x <= self.width - width
        && y <= self.height - height
    )
    if width == self.width, height == self.height { return self }
    var result: [UInt8] = []
    result.reserveCapacity(width * height * channels)
    for row in y..<y + height {
      let start = (row * self.width + x) * channels
      result += pixels[start..<start + width * channels]
    }
    return Image(width: width, height: height, channels: channels, pixels: result)
  }

  /// The picture at a place of a larger one of a single level; what lies outside of it is left out.
  func framed(width: Int, height: Int, offset: (x: Int, y: Int), filling: UInt8) -> Image {
    var result = [UInt8](repeating: filling, count: width * height * channels)
    let columns = max(0, -offset.x)..<max(0, -offset.x, min(self.width, width - offset.x))
    let rows = max(0, -offset.y)..<max(0, -offset.y, min(self.height, height - offset.y))
    for row in columns.isEmpty ? 0..<0 : rows {
      let from = (row * self.width + columns.lowerBound) * channels
      let to = ((row + offset.y) * width + columns.lowerBound + offset.x) * channels
      let length = columns.count * channels
      result.replaceSubrange(to..<to + length, with: pixels[from..<from + length])
    }
    return Image(width: width, height: height, channels: channels, pixels: result)
  }

  /// The picture turned and mirrored as an EXIF orientation (1...8) says.
  func oriented(_ orientation: Int) -> Image {
    guard (2...8).contains(orientation) else { return self }
    let isSwapped = orientation >= 5
    let newWidth = isSwapped ? height : width
    let newHeight = isSwapped ? width : height
    var result = [UInt8](repeating: 0, count: pixels.count)
    for y in 0..<newHeight {
      for x in 0..<newWidth {
        let (sx, sy) =
          switch orientation {
          case 2: (width - 1 - x, y)
          case 3: (width - 1 - x, height - 1 - y)
          case 4: (x, height - 1 - y)
          case 5: (y, x)
          case 6: (y, height - 1 - x)
          case 7: (width - 1 - y, height - 1 - x)
          default: (width - 1 - y, x)
          }
        let from = (sy * width + sx) * channels
        let to = (y * newWidth + x) * channels
        for channel in 0..<channels { result[to + channel] = pixels[from + channel] }
      }
    }
    return Image(width: newWidth, height: newHeight, channels: channels, pixels: result)
  }
}

/// The orientation in a JPEG's EXIF segment; `nil` when there is none or it cannot be read.
func exifOrientation(ofJPEG bytes: ByteView) -> Int? {
  func big16(_ at: Int) throws -> Int { Int(UInt16(bigEndian: try bytes.load(at: at))) }
  do {
    var offset = 2
    while offset < bytes.count - 4 {
      guard try bytes.load(UInt8.self, at: offset) == 0xFF else { return nil }
      let marker = try bytes.load(UInt8.self, at: offset + 1)
      if marker == 0xFF {
        offset += 1
        continue
      }
      // The picture's data begins: no EXIF follows.
      if marker == 0xDA || marker == 0xD9 { return nil }
      let length = try big16(offset + 2)
      guard length >= 2 else { return nil }
      if marker == 0xE1, length >= 16 {
        let segment = try bytes.slice(offset + 4, length - 2)
        if segment.starts(with: [0x45, 0x78, 0x69, 0x66, 0, 0]) {
          return try tiffOrientation(segment.dropFirst(6))
        }
      }
      offset += 2 + length
    }
  } catch {
    return nil
  }
  return nil
}

private func tiffOrientation(_ tiff: ByteView) throws -> Int? {
  let order: UInt16 = try tiff.load(at: 0)
  guard order == 0x4949 || order == 0x4D4D else { return nil }
  func u16(_ at: Int) throws -> Int {
    let value: UInt16 = try tiff.load(at: at)
    return Int(order == 0x4949 ? value : value.byteSwapped)
  }
  func u32(_ at: Int) throws -> Int {
    let value: UInt32 = try tiff.load(at: at)
    return Int(order == 0x4949 ? value : value.byteSwapped)
  }
  guard try u16(2) == 42 else { return nil }
  let directory = try u32(4)
  for entry in 0..<(try u16(directory)) {
    let at = directory + 2 + entry * 12
    if try u16(at) == 0x0112, try u16(at + 2) == 3 {
      let value = try u16(at + 8)
      return (1...8).contains(value) ? value : nil
    }
  }
  return nil
}
