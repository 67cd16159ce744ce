import AssayBase
import AssayTensor

/// An HDF5 file, read without libhdf5: the parts of the format (version 3.0 of its specification)
/// that h5py and Keras write.
///
/// Superblocks 0 to 3, both kinds of object headers, groups by symbol table, by link messages and in
/// dense storage, attributes in headers and in dense storage, strings of fixed and variable length,
/// contiguous, compact and chunked datasets with deflate, shuffle and Fletcher-32. Nothing is read
/// before it is asked for; contiguous datasets stay where they are.
///
/// Every offset and count is checked: a hostile file ends in a `Diagnostic` HDF00x.
public struct HDF5File: Sendable {
  let source: HDF5Source
  private let rootAddress: Int

  /// Whether the bytes begin like an HDF5 file.
  public static func sniff(_ bytes: ByteView) -> Bool { bytes.starts(with: signature) }

  private static let signature: [UInt8] = [0x89, 0x48, 0x44, 0x46, 0x0D, 0x0A, 0x1A, 0x0A]

  /// Reads the superblock.
  ///
  /// - Parameter limit: the most bytes that one value may take in memory when it is not simply a
  ///   part of the file; by default 64 times the file's size, at least 64 MiB.
  /// - Throws: `Diagnostic` HDF00x.
  public init(_ bytes: ByteView, limit: Int? = nil) throws {
    let (scaled, overflow) = bytes.count.multipliedReportingOverflow(by: 64)
    let limit = limit ?? max(1 << 26, overflow ? Int.max : scaled)
    (source, rootAddress) = try HDF5.checked {
      var source = HDF5Source(bytes: try HDF5File.skippingUserBlock(bytes), limit: limit)
      let root = try HDF5File.readSuperblock(&source)
      return (source, root)
    }
  }

  /// The outermost group.
  public func root() throws -> HDF5Object {
    try HDF5Object(address: rootAddress, path: "/", in: self, ancestors: [])
  }

  /// The object at a path, parts joined by `/`; `nil` when there is none.
  public func object(_ path: String) throws -> HDF5Object? { try root().object(path) }

  /// A user block of 512, 1024, … bytes may stand before the superblock.
  private static func skippingUserBlock(_ bytes: ByteView) throws -> ByteView {
    var offset = 0
    while offset < bytes.count {
      let rest = try bytes.dropFirst(offset)
      if rest.starts(with: signature) { return rest }
      offset = offset == 0 ? 512 : offset * 2
    }
    throw Diagnostic("HDF001", "this is not an HDF5 file")
  }

  private static func readSuperblock(_ source: inout HDF5Source) throws -> Int {
    var cursor = source.cursor(at: 8)
    let version = try cursor.version(0...3, of: "the superblock")
    if version < 2 { cursor.skip(4) }
    source.addressWidth = try cursor.int(1)
    source.lengthWidth = try cursor.int(1)
    guard [2, 4, 8].contains(source.addressWidth), [2, 4, 8].contains(source.lengthWidth) else {
      throw HDF5.broken("addresses of \(source.addressWidth) bytes")
    }
    cursor = source.cursor(at: version < 2 ? (version == 0 ? 24 : 28) : 12)
    let base = try cursor.address() ?? 0
    _ = try cursor.address()
    // The end counts from the start of the file, before a user block.
    if let end = try cursor.address().map({ $0 - base }) {
      let count = source.bytes.count
      guard end <= count else {
        throw Diagnostic(
          "HDF003",
          "the file is cut short: \(end) bytes were written, \(count) are there",
          remedy: "copy or download it again"
        )
      }
    }
    if version < 2 {
      // The driver's address, then the root's entry in no symbol table: its name, its header.
      _ = try cursor.address()
      _ = try cursor.address()
    }
    return try cursor.definedAddress()
  }
}
