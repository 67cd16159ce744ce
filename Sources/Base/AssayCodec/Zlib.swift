import AssayBase
import CZlib

/// Deflate (RFC 1951) by the system's zlib.
public enum Zlib {
  /// What surrounds the deflated bytes.
  public enum Wrapping: Sendable {
    /// A two-byte header and an Adler-32 (RFC 1950): PNG, HDF5.
    case zlib
    /// Nothing: ZIP.
    case raw
    /// A header and a CRC-32 (RFC 1952).
    case gzip

    fileprivate var windowBits: Int32 {
      switch self {
      case .zlib: MAX_WBITS
      case .raw: -MAX_WBITS
      case .gzip: MAX_WBITS + 16
      }
    }
  }

  /// The most that deflate can shrink: no stream stands for more bytes than this times its length.
  public static let greatestRatio = 1032

  /// The inflated bytes.
  ///
  /// - Parameter limit: the number of bytes above which the stream is refused.
  /// - Throws: `Diagnostic` ZIP001 for a broken stream, ZIP002 when it stands for more than `limit`
  ///   bytes.
  public static func inflate(
    _ bytes: ByteView,
    wrapping: Wrapping = .zlib,
    limit: Int
  ) throws -> ByteView {
    let stream = try InflateStream(wrapping)
    return try unsafe bytes.withUnsafeBytes { source in
      var output: [UInt8] = []
      var piece = [UInt8](repeating: 0, count: 1 << 16)
      unsafe stream.feed(source)
      while true {
        let count = try unsafe piece.withUnsafeMutableBytes { try unsafe stream.inflate(to: $0) }
        guard count <= limit - output.count else { throw tooLarge(limit) }
        output.append(contentsOf: piece[..<count])
        if stream.isAtEnd { return ByteView(output) }
        guard count == piece.count else { throw broken("it ends too early") }
      }
    }
  }

  /// The inflated bytes of a stream that stands for exactly `count` bytes.
  ///
  /// - Throws: `Diagnostic` ZIP001 for a broken stream or one that stands for more or fewer bytes.
  public static func inflate(
    _ bytes: ByteView,
    wrapping: Wrapping = .zlib,
    count: Int
  ) throws -> ByteView {
    guard count >= 0, count / greatestRatio <= bytes.count else {
      throw broken("\(bytes.count) bytes cannot stand for \(count)")
    }
    let stream = try InflateStream(wrapping)
    return try unsafe bytes.withUnsafeBytes { source in
      try unsafe ByteView(byteCount: count) { target in
        unsafe stream.feed(source)
        let written = try unsafe stream.inflate(to: target)
        guard written == count else { throw broken("it stands for fewer than \(count) bytes") }
        var spare: UInt8 = 0
        let more = try unsafe withUnsafeMutableBytes(of: &spare) {
          try unsafe stream.isAtEnd ? 0 : stream.inflate(to: $0)
        }
        guard more == 0, stream.isAtEnd else {
          throw broken("it stands for more than \(count) bytes")
        }
      }
    }
  }

  /// The deflated bytes.
  ///
  /// - Parameter level: 1 (fast) to 9 (small).
  public static func deflate(
    _ pieces: [ByteView],
    wrapping: Wrapping = .zlib,
    level: Int = 6
  ) throws -> ByteView {
    var output: [UInt8] = []
    try unsafe deflate(pieces, wrapping: wrapping, level: level) {
      unsafe output.append(contentsOf: $0)
    }
    return ByteView(output)
  }

  /// The deflated bytes.
  public static func deflate(_ bytes: ByteView) throws -> ByteView { try deflate([bytes]) }

  /// How many bytes the deflated stream (zlib's level 6, no wrapping) takes, without keeping it.
  public static func deflatedByteCount(_ bytes: ByteView) throws -> Int {
    var count = 0
    try unsafe deflate([bytes], wrapping: .raw, level: 6) { count += $0.count }
    return count
  }

  /// The CRC-32 of ZIP, gzip and PNG.
  public static func crc32(_ bytes: ByteView, continuing start: UInt32 = 0) -> UInt32 {
    unsafe bytes.withUnsafeBytes { raw in
      guard let address = raw.baseAddress else { return start }
      return UInt32(
        truncatingIfNeeded: unsafe crc32_z(
          UInt(start),
          address.assumingMemoryBound(to: UInt8.self),
          raw.count
        )
      )
    }
  }

  private static func deflate(
    _ pieces: [ByteView],
    wrapping: Wrapping,
    level: Int,
    _ sink: (UnsafeRawBufferPointer) -> Void
  ) throws {
    let stream = try DeflateStream(wrapping, level: level)
    for (index, piece) in pieces.enumerated() {
      try unsafe piece.withUnsafeBytes { source in
        try unsafe stream.deflate(source, isLast: index == pieces.count - 1, sink)
      }
    }
    if pieces.isEmpty {
      try unsafe stream.deflate(UnsafeRawBufferPointer(start: nil, count: 0), isLast: true, sink)
    }
  }

  fileprivate static func broken(_ what: String) -> Diagnostic {
    Diagnostic("ZIP001", "the deflated stream is broken: \(what)")
  }

  private static func tooLarge(_ limit: Int) -> Diagnostic {
    Diagnostic("ZIP002", "the deflated stream stands for more than \(limit) bytes")
  }
}

/// zlib counts bytes in 32 bits: longer runs are handed over in pieces of this many.
private let largestPiece = 1 << 30

// Safe because: the stream is allocated once, never moves (zlib keeps its address) and is ended by
// the class that owns it; the pointers into it are used only while their buffers live.
@safe private final class InflateStream {
  private let stream: UnsafeMutablePointer<z_stream>
  private var remaining: UnsafeRawBufferPointer
  private(set) var isAtEnd = false

  init(_ wrapping: Zlib.Wrapping) throws {
    unsafe stream = .allocate(capacity: 1)
    unsafe remaining = UnsafeRawBufferPointer(start: nil, count: 0)
    unsafe stream.initialize(to: z_stream())
    let size = Int32(unsafe MemoryLayout<z_stream>.size)
    let status = unsafe inflateInit2_(stream, wrapping.windowBits, ZLIB_VERSION, size)
    guard status == Z_OK else { throw Zlib.broken("zlib does not start (\(status))") }
  }

  deinit {
    unsafe inflateEnd(stream)
    unsafe stream.deallocate()
  }

  func feed(_ source: UnsafeRawBufferPointer) { unsafe remaining = source }

  /// Fills `target` as far as the stream goes; fewer bytes mean that it ended or needs more.
  func inflate(to target: UnsafeMutableRawBufferPointer) throws -> Int {
    var written = 0
    while !isAtEnd {
      let room = min(target.count - written, largestPiece)
      let offered = min(unsafe remaining.count, largestPiece)
      unsafe stream.pointee.next_in = UnsafeMutablePointer(
        mutating: remaining.baseAddress?.assumingMemoryBound(to: UInt8.self)
      )
      unsafe stream.pointee.avail_in = UInt32(offered)
      var spare: UInt8 = 0
      let status = unsafe withUnsafeMutablePointer(to: &spare) { spare in
        unsafe stream.pointee.next_out =
          target.baseAddress.map { unsafe ($0 + written).assumingMemoryBound(to: UInt8.self) }
          ?? spare
        unsafe stream.pointee.avail_out = UInt32(room)
        return unsafe CZlib.inflate(stream, Z_NO_FLUSH)
      }
      let consumed = unsafe offered - Int(stream.pointee.avail_in)
      let made = unsafe room - Int(stream.pointee.avail_out)
      unsafe remaining = UnsafeRawBufferPointer(rebasing: remaining[consumed...])
      written += made
      switch status {
      case Z_STREAM_END: isAtEnd = true
      case Z_OK where consumed + made > 0: continue
      case Z_OK, Z_BUF_ERROR: return written
      case Z_NEED_DICT: throw Zlib.broken("it needs a dictionary")
      default:
        throw Zlib.broken(
          unsafe stream.pointee.msg.map { unsafe String(cString: $0) } ?? "\(status)"
        )
      }
    }
    return written
  }
}

// Safe because: as InflateStream.
@safe private final class DeflateStream {
  private let stream: UnsafeMutablePointer<z_stream>
  private var buffer = [UInt8](repeating: 0, count: 1 << 16)

  init(_ wrapping: Zlib.Wrapping, level: Int) throws {
    unsafe stream = .allocate(capacity: 1)
    unsafe stream.initialize(to: z_stream())
    let status = unsafe deflateInit2_(
      stream,
      Int32(min(max(level, 1), 9)),
      Z_DEFLATED,
      wrapping.windowBits,
      8,
      Z_DEFAULT_STRATEGY,
      ZLIB_VERSION,
      Int32(MemoryLayout<z_stream>.size)
    )
    guard status == Z_OK else {
      throw Diagnostic("ZIP003", "zlib does not start (\(status))")
    }
  }

  deinit {
    unsafe deflateEnd(stream)
    unsafe stream.deallocate()
  }

  func deflate(
    _ source: UnsafeRawBufferPointer,
    isLast: Bool,
    _ sink: (UnsafeRawBufferPointer) -> Void
  ) throws {
    var remaining = unsafe source
    repeat {
      let offered = min(remaining.count, largestPiece)
      unsafe stream.pointee.next_in = UnsafeMutablePointer(
        mutating: remaining.baseAddress?.assumingMemoryBound(to: UInt8.self)
      )
      unsafe stream.pointee.avail_in = UInt32(offered)
      unsafe remaining = UnsafeRawBufferPointer(rebasing: remaining[offered...])
      let flush = unsafe isLast && remaining.isEmpty ? Z_FINISH : Z_NO_FLUSH
      var isFull = true
      while isFull {
        isFull = try unsafe buffer.withUnsafeMutableBytes { raw in
          let room = raw.count
          unsafe stream.pointee.next_out = raw.baseAddress?.assumingMemoryBound(to: UInt8.self)
          unsafe stream.pointee.avail_out = UInt32(room)
          let status = unsafe CZlib.deflate(stream, flush)
          guard status == Z_OK || status == Z_STREAM_END || status == Z_BUF_ERROR else {
            throw Diagnostic("ZIP003", "zlib does not deflate (\(status))")
          }
          let made = unsafe room - Int(stream.pointee.avail_out)
          unsafe sink(UnsafeRawBufferPointer(rebasing: raw[..<made]))
          return unsafe stream.pointee.avail_out == 0
        }
      }
    } while unsafe !remaining.isEmpty
  }
}
