import AssayBase
import AssayCodec
import AssayHost
import AssayRecord

/// The files that a model's bytes lie in, its own first: OpenVINO's `.xml` has its weights in a `.bin` of
/// its name, and an `.onnx` of more than 2 GB in a `.onnx.data`.
///
/// A file that is not there is left out; loading the model tells of it.
public func modelFiles(_ path: String) -> [String] {
  let companions = [path + ".data"] + (path.hasSuffix(".xml") ? [path.dropLast(4) + ".bin"] : [])
  return [path] + companions.map { String($0) }.filter { Host.kind(of: $0) == .file }
}

/// SHA-256 of a model, hexadecimal: of the bytes of all its files, one after the other.
///
/// - Throws: `Diagnostic` FIL001 or FIL002 when one cannot be read.
public func modelHash(_ path: String) throws -> String {
  sha256(try modelFiles(path).map { try MappedFile(path: $0).view })
}

extension Record.Model {
  /// A model as a record tells of it: the size, the hash and the deflated size of all its files.
  ///
  /// - Throws: `Diagnostic` FIL001 or FIL002 when one cannot be read.
  public init(file path: String) throws {
    let views = try modelFiles(path).map { try MappedFile(path: $0).view }
    let deflated: Figure<Int>
    do {
      deflated = .value(try views.reduce(0) { try $0 + Zlib.deflatedByteCount($1) })
    } catch {
      deflated = .missing(reason: "\(error)")
    }
    self.init(
      path: path,
      sha256: AssayBase.sha256(views),
      byteCount: views.reduce(0) { $0 + $1.count },
      deflatedByteCount: deflated
    )
  }
}
