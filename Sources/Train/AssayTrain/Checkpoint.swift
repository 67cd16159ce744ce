import AssayBase
import AssayKernels

/// The state of a run between two steps, as a file.
///
/// Format (docs/training.md): `ASSAYTRN`, the length of the header as a little-endian 64-bit number, a
/// JSON header that names the arrays and their lengths, padding to 64 bytes, the arrays as
/// little-endian float32, and the SHA-256 of all that in hexadecimal digits. It is written beside its
/// place and renamed, so that a run that is killed at any moment leaves the old file or the new one.
public struct Checkpoint: Sendable {
  /// What the run remembers beside arrays.
  public var header: JSON
  /// The arrays by name, in order.
  public var arrays: [(name: String, elements: [Float])]

  /// Makes a state.
  public init(header: JSON, arrays: [(name: String, elements: [Float])]) {
    self.header = header
    self.arrays = arrays
  }

  private static let magic = Array("ASSAYTRN".utf8)
  /// The greatest number of floats that is read: 16 GB.
  private static let mostFloats = 1 << 32

  /// Writes the state in one move.
  ///
  /// - Throws: `Diagnostic` FIL003, such as a full disk; what was there stays.
  public func write(to path: String) throws {
    let listed = JSON.array(
      arrays.map { .object(["name": .string($0.name), "count": JSON($0.elements.count)]) }
    )
    let text = JSON.object(["version": 1, "state": header, "arrays": listed]).text()
    let head = Array(text.utf8)
    var front = Self.magic
    front += (0..<8).map { UInt8(truncatingIfNeeded: head.count >> (8 * $0)) }
    front += head
    front += [UInt8](repeating: 0, count: (64 - front.count % 64) % 64)
    let count = arrays.reduce(0) { $0 + $1.elements.count }
    let body = unsafe ByteView(byteCount: count * 4) { target in
      var offset = 0
      for array in arrays {
        for element in array.elements {
          unsafe target.storeBytes(
            of: element.bitPattern.littleEndian,
            toByteOffset: offset,
            as: UInt32.self
          )
          offset += 4
        }
      }
    }
    let parts = [ByteView(front), body]
    try AtomicFile.write(parts + [ByteView(Array(sha256(parts).utf8))], to: path)
  }

  /// Reads a state.
  ///
  /// - Throws: `Diagnostic` TRN030 for a file that is no checkpoint, or a damaged one.
  public init(path: String) throws {
    try self.init(try MappedFile(path: path).view, name: path)
  }

  /// Reads a state from bytes.
  public init(_ bytes: ByteView, name: String) throws {
    func fault(_ what: String) -> Diagnostic {
      Diagnostic(
        "TRN030",
        "the checkpoint cannot be read: \(what)",
        at: [name],
        remedy: "remove the file to begin the training anew"
      )
    }
    do {
      guard bytes.starts(with: Self.magic), bytes.count >= 16 + 64 else {
        throw fault("it is none")
      }
      let digest = try bytes.dropFirst(bytes.count - 64)
      guard digest.utf8 == sha256(try bytes.slice(0, bytes.count - 64)) else {
        throw fault("it is damaged")
      }
      let length = try bytes.load(UInt64.self, at: 8)
      guard length <= UInt64(bytes.count - 80) else { throw fault("its header is too long") }
      let head = try JSON(parsing: try bytes.slice(16, Int(length)).array)
      guard head["version"]?.int == 1, let state = head["state"],
        let listed = head["arrays"]?.array
      else { throw fault("its header is of another version") }
      var offset = (16 + Int(length) + 63) / 64 * 64
      header = state
      arrays = []
      for entry in listed {
        guard let name = entry["name"]?.string, let count = entry["count"]?.int, count >= 0,
          count < Self.mostFloats
        else { throw fault("an array has no name or length") }
        let part = try bytes.slice(offset, count * 4)
        let elements = try (0..<count).map { index in
          Float(bitPattern: UInt32(littleEndian: try part.load(UInt32.self, at: index * 4)))
        }
        arrays.append((name, elements))
        offset += count * 4
      }
      guard offset == bytes.count - 64 else { throw fault("it has bytes too many") }
    } catch let error as Diagnostic {
      throw error.code == "TRN030" ? error : fault(error.summary)
    } catch {
      throw fault("it ends too early")
    }
  }

  /// The elements of an array by name.
  public subscript(name: String) -> [Float]? { arrays.first { $0.name == name }?.elements }
}
