import AssayBase
import AssayHost
import CImage

// Safe because: function pointers of a library that is never unloaded.
extension CImageTurboJPEG: @unchecked @retroactive Sendable {}
extension CImagePNG: @unchecked @retroactive Sendable {}
extension CImageWebP: @unchecked @retroactive Sendable {}

/// Loads the first library of `names` that has every symbol.
private func load<Table: BitwiseCopyable>(
  _ names: [String],
  symbols: UnsafePointer<CChar>,
  empty: Table,
  package: String,
  format: String
) -> Result<Table, Diagnostic> {
  var causes: [String] = []
  for name in names {
    do {
      let library = try SharedLibrary(path: name)
      var table = empty
      let missing = unsafe library.fill(&table, names: symbols)
      if missing.isEmpty { return .success(table) }
      causes.append("\(name) has no \(missing.joined(separator: ", "))")
    } catch {
      causes.append((error as? Diagnostic)?.cause ?? "\(error)")
    }
  }
  return .failure(
    Diagnostic(
      "DAT002",
      "the library that decodes \(format) images is missing",
      remedy: "apt-get install \(package)",
      cause: causes.joined(separator: "; ")
    )
  )
}

extension Result where Failure == Diagnostic {
  fileprivate func availability(_ version: (Success) -> String) -> Availability {
    switch self {
    case .success(let table): .available(version: version(table))
    case .failure(let error):
      Availability(unavailableBecauseOf: error, remedy: "")
    }
  }
}

/// JPEG by libjpeg-turbo's TurboJPEG interface, which reports errors without longjmp.
enum TurboJPEG {
  private static let library: Result<CImageTurboJPEG, Diagnostic> = unsafe load(
    ["libturbojpeg.so.0", "libturbojpeg.0.dylib", "libturbojpeg.dylib"],
    symbols: cimage_turbojpeg_names(),
    empty: CImageTurboJPEG(),
    package: "libturbojpeg0",
    format: "JPEG"
  )

  static func probe() -> Availability { library.availability { _ in "TurboJPEG 2" } }

  static func decode(_ bytes: ByteView) throws -> Image {
    let turbo = try library.get()
    guard let handle = turbo.init_decompress() else {
      throw Diagnostic("DAT002", "libturbojpeg cannot be initialised")
    }
    defer { _ = unsafe turbo.destroy(handle) }
    func words() -> String? {
      unsafe turbo.get_error_str2(handle).map { unsafe String(cString: $0) }
    }
    return try unsafe bytes.withUnsafeBytes { raw in
      let start = unsafe raw.bindMemory(to: UInt8.self).baseAddress
      let size = UInt(raw.count)
      var (width, height, subsampling, space): (Int32, Int32, Int32, Int32) = (0, 0, 0, 0)
      let head = unsafe turbo.decompress_header3(
        handle,
        start,
        size,
        &width,
        &height,
        &subsampling,
        &space
      )
      guard head == 0 else { throw corrupt("JPEG", words()) }
      try checkExtents(Int(width), Int(height), "JPEG")
      let isInk = [CIMAGE_TJCS_CMYK, CIMAGE_TJCS_YCCK].contains(Int(space))
      let isGray = Int(space) == CIMAGE_TJCS_GRAY
      let channels = isInk ? 4 : isGray ? 1 : 3
      let format = isInk ? CIMAGE_TJPF_CMYK : isGray ? CIMAGE_TJPF_GRAY : CIMAGE_TJPF_RGB
      let flags = CIMAGE_TJFLAG_ACCURATEDCT | CIMAGE_TJFLAG_LIMITSCANS
      let count = Int(width) * Int(height) * channels
      var status: Int32 = 0
      // The library fills every row, also those that a broken file has no data for; what an error leaves
      // behind is thrown away.
      var pixels = unsafe [UInt8](unsafeUninitializedCapacity: count) { buffer, filled in
        status = unsafe turbo.decompress2(
          handle,
          start,
          size,
          buffer.baseAddress,
          width,
          0,
          height,
          Int32(format),
          Int32(flags)
        )
        filled = count
      }
      // A warning is no reason to refuse a picture, unless the file is only a part of one: stray
      // bytes between segments are common and harmless.
      if status != 0 {
        let isWarning = unsafe Int(turbo.get_error_code(handle)) == CIMAGE_TJERR_WARNING
        guard isWarning, unsafe hasEnd(raw) else { throw corrupt("JPEG", words()) }
      }
      if isInk { pixels = rgb(ofInk: pixels) }
      return Image(
        width: Int(width),
        height: Int(height),
        channels: isInk ? 3 : channels,
        pixels: pixels
      )
    }
  }

  /// Whether the end-of-image marker stands in the file's last part.
  private static func hasEnd(_ raw: UnsafeRawBufferPointer) -> Bool {
    var index = raw.count - 2
    let limit = max(0, raw.count - 65536)
    while index >= limit {
      if unsafe raw[index] == 0xFF, unsafe raw[index + 1] == 0xD9 { return true }
      index -= 1
    }
    return false
  }

  /// Red, green and blue of inks as Adobe's programs write them: inverted, 255 is no ink.
  private static func rgb(ofInk inks: [UInt8]) -> [UInt8] {
    var result = [UInt8](repeating: 0, count: inks.count / 4 * 3)
    for pixel in 0..<inks.count / 4 {
      let black = Int(inks[pixel * 4 + 3])
      for channel in 0..<3 {
        result[pixel * 3 + channel] = UInt8((Int(inks[pixel * 4 + channel]) * black + 127) / 255)
      }
    }
    return result
  }
}

/// PNG by libpng's simplified interface, which reports errors without longjmp.
enum LibPNG {
  private static let library: Result<CImagePNG, Diagnostic> = unsafe load(
    ["libpng16.so.16", "libpng16.16.dylib", "libpng16.dylib"],
    symbols: cimage_png_names(),
    empty: CImagePNG(),
    package: "libpng16-16",
    format: "PNG"
  )

  static func probe() -> Availability {
    library.availability { table in
      let number = table.access_version_number()
      return "\(number / 10000).\(number / 100 % 100).\(number % 100)"
    }
  }

  static func decode(_ bytes: ByteView) throws -> Image {
    let png = try library.get()
    let plain = try withoutColorChunks(bytes)
    return try unsafe plain.withUnsafeBytes { raw in
      var image = unsafe CImagePNGImage()
      unsafe image.version = UInt32(CIMAGE_PNG_VERSION)
      defer { unsafe png.free(&image) }
      func words(_ image: CImagePNGImage) -> String {
        let text = unsafe withUnsafeBytes(of: image.message) { unsafe Array($0.prefix { $0 != 0 }) }
        return String(decoding: text, as: UTF8.self)
      }
      guard unsafe png.begin_read_from_memory(&image, raw.baseAddress, raw.count) != 0 else {
        throw unsafe corrupt("PNG", words(image))
      }
      let (width, height) = unsafe (Int(image.width), Int(image.height))
      try checkExtents(width, height, "PNG")
      let format = unsafe Int(image.format)
      let hasColor = format & CIMAGE_PNG_FORMAT_COLOR != 0
      let hasAlpha = format & CIMAGE_PNG_FORMAT_ALPHA != 0
      // 8 bits, neither linear nor by palette, alpha last. 16-bit values are scaled to 8 bits as
      // they are, without a change of gamma.
      unsafe image.format = UInt32(format & (CIMAGE_PNG_FORMAT_COLOR | CIMAGE_PNG_FORMAT_ALPHA))
      unsafe image.flags |= UInt32(CIMAGE_PNG_FLAG_16BIT_SRGB)
      let channels = hasColor ? 3 : 1
      let stored = channels + (hasAlpha ? 1 : 0)
      var pixels = [UInt8](repeating: 0, count: width * height * stored)
      let status = unsafe pixels.withUnsafeMutableBytes {
        unsafe png.finish_read(&image, nil, $0.baseAddress, 0, nil)
      }
      guard status != 0 else { throw unsafe corrupt("PNG", words(image)) }
      if hasAlpha { pixels = dropLast(of: stored, pixels) }
      return Image(width: width, height: height, channels: channels, pixels: pixels)
    }
  }

  private static func dropLast(of stored: Int, _ pixels: [UInt8]) -> [UInt8] {
    var result: [UInt8] = []
    result.reserveCapacity(pixels.count / stored * (stored - 1))
    for start in stride(from: 0, to: pixels.count, by: stored) {
      result += pixels[start..<start + stored - 1]
    }
    return result
  }

  /// The file without the chunks that change its colors.
  ///
  /// libpng's simplified interface converts colors by them; networks are trained on the values as
  /// they are stored, which is what Pillow and TensorFlow give.
  private static func withoutColorChunks(_ bytes: ByteView) throws -> ByteView {
    var kept: [Range<Int>] = [0..<8]
    var offset = 8
    var isChanged = false
    while offset < bytes.count {
      let length = Int(UInt32(bigEndian: try bytes.load(at: offset)))
      let kind = try bytes.slice(offset + 4, 4).array
      let end = offset + 12 + length
      guard end <= bytes.count else { throw corrupt("PNG", "it ends too early") }
      if offset == 8 {
        guard length == 13, kind == Array("IHDR".utf8) else { throw corrupt("PNG", "no header") }
        try checkExtents(
          Int(UInt32(bigEndian: try bytes.load(at: 16))),
          Int(UInt32(bigEndian: try bytes.load(at: 20))),
          "PNG"
        )
      }
      if colorChunks.contains(kind) { isChanged = true } else { kept.append(offset..<end) }
      if kind == Array("IEND".utf8) {
        guard isChanged else { return bytes }
        let all = bytes.array
        return ByteView(kept.flatMap { all[$0] })
      }
      offset = end
    }
    throw corrupt("PNG", "it ends too early")
  }

  private static let colorChunks = Set(
    ["gAMA", "cHRM", "sRGB", "iCCP", "sBIT", "cICP", "mDCv", "cLLi"].map { Array($0.utf8) }
  )
}

/// WebP by libwebp.
enum LibWebP {
  private static let library: Result<CImageWebP, Diagnostic> = unsafe load(
    ["libwebp.so.7", "libwebp.7.dylib", "libwebp.dylib"],
    symbols: cimage_webp_names(),
    empty: CImageWebP(),
    package: "libwebp7",
    format: "WebP"
  )

  static func probe() -> Availability {
    library.availability { table in
      let number = table.get_decoder_version()
      return "\(number >> 16 & 255).\(number >> 8 & 255).\(number & 255)"
    }
  }

  static func decode(_ bytes: ByteView) throws -> Image {
    let webp = try library.get()
    return try unsafe bytes.withUnsafeBytes { raw in
      let start = unsafe raw.bindMemory(to: UInt8.self).baseAddress
      var (width, height): (Int32, Int32) = (0, 0)
      guard unsafe webp.get_info(start, raw.count, &width, &height) != 0 else {
        throw corrupt("WebP")
      }
      try checkExtents(Int(width), Int(height), "WebP")
      let stride = Int(width) * 3
      var pixels = [UInt8](repeating: 0, count: stride * Int(height))
      let result = unsafe pixels.withUnsafeMutableBufferPointer {
        unsafe webp.decode_rgb_into(start, raw.count, $0.baseAddress, $0.count, Int32(stride))
      }
      guard unsafe result != nil else { throw corrupt("WebP", "its data cannot be decoded") }
      return Image(width: Int(width), height: Int(height), channels: 3, pixels: pixels)
    }
  }
}
