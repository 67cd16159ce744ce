import AssayBase

/// The image formats that can be read.
///
/// JPEG, PNG and WebP are decoded by libraries that are loaded when the first image of their kind is
/// read; the others by code of this module.
public enum ImageCodec: String, Sendable, CaseIterable {
  case jpeg, png, webp, bmp, gif, netpbm

  /// What people call it.
  public var title: String {
    switch self {
    case .jpeg: "JPEG"
    case .png: "PNG"
    case .webp: "WebP"
    case .bmp: "BMP"
    case .gif: "GIF"
    case .netpbm: "PPM/PGM"
    }
  }

  /// The endings of file names, lower case.
  public var extensions: [String] {
    switch self {
    case .jpeg: ["jpg", "jpeg", "jpe", "jfif"]
    case .png: ["png"]
    case .webp: ["webp"]
    case .bmp: ["bmp", "dib"]
    case .gif: ["gif"]
    case .netpbm: ["ppm", "pgm", "pnm"]
    }
  }

  /// Whether a file's name is that of an image.
  public static func isImageName(_ name: String) -> Bool {
    guard let dot = name.lastIndex(of: ".") else { return false }
    let ending = name[name.index(after: dot)...].lowercased()
    return allCases.contains { $0.extensions.contains(ending) }
  }

  /// The format that the first bytes tell.
  public static func sniff(_ bytes: ByteView) -> ImageCodec? {
    if bytes.starts(with: [0xFF, 0xD8, 0xFF]) { return .jpeg }
    if bytes.starts(with: [0x89, 0x50, 0x4E, 0x47, 0x0D, 0x0A, 0x1A, 0x0A]) { return .png }
    if bytes.starts(with: Array("RIFF".utf8)), let kind = try? bytes.slice(8, 4),
      kind.starts(with: Array("WEBP".utf8))
    {
      return .webp
    }
    if bytes.starts(with: Array("BM".utf8)) { return .bmp }
    if bytes.starts(with: Array("GIF8".utf8)) { return .gif }
    if let head = try? bytes.slice(0, 2).array, head[0] == UInt8(ascii: "P"),
      [UInt8(ascii: "2"), UInt8(ascii: "3"), UInt8(ascii: "5"), UInt8(ascii: "6")]
        .contains(head[1])
    {
      return .netpbm
    }
    return nil
  }

  /// Whether images of this format can be read here.
  public func probe() -> Availability {
    switch self {
    case .jpeg: TurboJPEG.probe()
    case .png: LibPNG.probe()
    case .webp: LibWebP.probe()
    case .bmp, .gif, .netpbm: .available(version: "built in")
    }
  }

  func decode(_ bytes: ByteView) throws -> Image {
    do {
      switch self {
      case .jpeg: return try TurboJPEG.decode(bytes)
      case .png: return try LibPNG.decode(bytes)
      case .webp: return try LibWebP.decode(bytes)
      case .bmp: return try decodeBMP(bytes)
      case .gif: return try decodeGIF(bytes)
      case .netpbm: return try decodeNetpbm(bytes)
      }
    } catch let error as ByteView.OutOfBounds {
      throw corrupt(title, "it ends too early, at byte \(error.count)")
    }
  }
}

/// The diagnostic of a broken image.
func corrupt(_ format: String, _ words: String? = nil) -> Diagnostic {
  Diagnostic(
    "DAT003",
    "the \(format) image is broken",
    remedy: "replace the file, or take it out of the folder or list",
    cause: words
  )
}

/// Checks the extents that a header tells, before memory is taken for them.
func checkExtents(_ width: Int, _ height: Int, _ format: String) throws {
  guard width > 0, height > 0 else {
    throw corrupt(format, "its extents are \(width) x \(height)")
  }
  let (pixels, overflow) = width.multipliedReportingOverflow(by: height)
  guard !overflow, pixels <= Image.pixelLimit else {
    throw Diagnostic(
      "DAT004",
      "the \(format) image of \(width) x \(height) pixels is too large",
      remedy: "scale it down to at most \(Image.pixelLimit) pixels"
    )
  }
}
