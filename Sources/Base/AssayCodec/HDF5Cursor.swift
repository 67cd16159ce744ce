import AssayBase

/// The bytes of an HDF5 file with what its superblock says of number widths.
struct HDF5Source: Sendable {
  /// The file from its superblock on; addresses count from here.
  var bytes: ByteView
  /// Bytes of an address: 2, 4 or 8.
  var addressWidth = 8
  /// Bytes of a length: 2, 4 or 8.
  var lengthWidth = 8
  /// The most bytes that one value may take in memory.
  var limit: Int

  /// Reads from `address` on.
  func cursor(at address: Int) -> HDF5Cursor {
    HDF5Cursor(
      bytes: bytes,
      offset: address,
      addressWidth: addressWidth,
      lengthWidth: lengthWidth
    )
  }

  /// Reads a part of the file, such as a message.
  func cursor(over part: ByteView) -> HDF5Cursor {
    HDF5Cursor(bytes: part, offset: 0, addressWidth: addressWidth, lengthWidth: lengthWidth)
  }
}

/// Reads little-endian fields one after the other.
struct HDF5Cursor {
  let bytes: ByteView
  var offset: Int
  let addressWidth: Int
  let lengthWidth: Int

  /// An unsigned number of 1 to 8 bytes.
  mutating func number(_ width: Int) throws -> UInt64 {
    var value: UInt64 = 0
    for index in 0..<width {
      value |= UInt64(try bytes.load(UInt8.self, at: offset + index)) << UInt64(index * 8)
    }
    offset += width
    return value
  }

  /// A number that counts something.
  mutating func int(_ width: Int) throws -> Int {
    let value = try number(width)
    guard value < 1 << 60 else { throw HDF5.broken("a number is impossible") }
    return Int(value)
  }

  /// The address of something; `nil` for the undefined address.
  mutating func address() throws -> Int? {
    let value = try number(addressWidth)
    let undefined = addressWidth == 8 ? UInt64.max : (1 << UInt64(addressWidth * 8)) - 1
    guard value != undefined else { return nil }
    guard value < 1 << 60 else { throw HDF5.broken("an address is impossible") }
    return Int(value)
  }

  /// The address of something that must be there.
  mutating func definedAddress() throws -> Int {
    guard let address = try address() else { throw HDF5.broken("an address is undefined") }
    return address
  }

  /// The size of something.
  mutating func length() throws -> Int { try int(lengthWidth) }

  /// Some bytes.
  mutating func take(_ count: Int) throws -> ByteView {
    let part = try bytes.slice(offset, count)
    offset += count
    return part
  }

  /// Steps over some bytes.
  mutating func skip(_ count: Int) { offset += count }

  /// Steps to the next multiple of eight, counted from `start`.
  mutating func align(from start: Int = 0) { offset += (8 - (offset - start) % 8) % 8 }

  /// Throws unless the next bytes are `text`.
  mutating func expect(_ text: StaticString) throws {
    let signature = Array("\(text)".utf8)
    guard try take(signature.count).starts(with: signature) else {
      throw HDF5.broken("'\(text)' was expected at byte \(offset - signature.count)")
    }
  }

  /// Throws unless the next byte is one of `known`; returns it.
  mutating func version(_ known: ClosedRange<Int>, of what: String) throws -> Int {
    let version = try int(1)
    guard known.contains(version) else {
      throw Diagnostic("HDF005", "version \(version) of \(what) is not read")
    }
    return version
  }
}

/// What the files of this reader share.
enum HDF5 {
  static func broken(_ what: String) -> Diagnostic {
    Diagnostic(
      "HDF002",
      "the file is broken: \(what)",
      remedy: "it may have been cut short or damaged; copy or save it again"
    )
  }

  /// Turns an access outside the file into a finding.
  static func checked<T>(_ body: () throws -> T) throws -> T {
    do { return try body() } catch let error as ByteView.OutOfBounds {
      throw broken("it points outside itself (byte \(error.offset) of \(error.count))")
    }
  }

  /// Bytes that a number up to `limit` takes in the file's variable-width fields.
  static func width(of limit: Int) -> Int {
    limit < 1 ? 1 : (Int.bitWidth - 1 - limit.leadingZeroBitCount) / 8 + 1
  }
}
