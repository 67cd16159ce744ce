import AssayBase
import AssayCodec
import AssayRecord

extension Record.Model {
  /// A file as a record tells of it: its size, its hash and its deflated size.
  ///
  /// - Throws: `Diagnostic` FIL001 or FIL002 when it cannot be read.
  public init(file path: String) throws {
    let view = try MappedFile(path: path).view
    let hash = AssayBase.sha256(view)
    let deflated: Figure<Int>
    do {
      deflated = .value(try Zlib.deflatedByteCount(view))
    } catch {
      deflated = .missing(reason: "\(error)")
    }
    self.init(
      path: path,
      sha256: hash,
      byteCount: view.count,
      deflatedByteCount: deflated
    )
  }
}
