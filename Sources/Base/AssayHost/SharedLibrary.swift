import AssayBase

#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#else
import Darwin
#endif

// Safe because: the handle is set once and the library is never closed.
/// A shared library that is loaded while the program runs and never unloaded.
///
/// Symbols stay local to the library and all of them are bound at once, so that a library that does
/// not fit fails here and two runtimes with the same dependencies do not meet.
@safe public final class SharedLibrary: @unchecked Sendable {
  /// The path or name that was loaded.
  public let path: String
  private let handle: UnsafeMutableRawPointer

  /// Loads a library by its path, or by its name from the system's folders.
  ///
  /// - Throws: `Diagnostic` HST020 with the loader's words.
  public init(path: String) throws {
    guard let handle = unsafe dlopen(path, RTLD_NOW | RTLD_LOCAL) else {
      let words = unsafe dlerror().map { unsafe String(cString: $0) }
      throw Diagnostic("HST020", "the library cannot be loaded", at: [path], cause: words)
    }
    self.path = path
    unsafe self.handle = handle
  }

  /// The address of a symbol, or `nil` when the library has no such symbol.
  public func symbol(_ name: String) -> UnsafeMutableRawPointer? { unsafe dlsym(handle, name) }

  /// Fills a table of function pointers, a struct that holds nothing else.
  ///
  /// - Parameter names: the functions' names in the order of the fields, each ended by NUL, an empty
  ///   name at the end.
  /// - Returns: the names that the library does not have; their fields stay null.
  /// - Precondition: the table has one pointer-sized field for each name.
  public func fill<Table: BitwiseCopyable>(
    _ table: inout Table,
    names: UnsafePointer<CChar>
  ) -> [String] {
    var missing: [String] = []
    unsafe withUnsafeMutableBytes(of: &table) { fields in
      var offset = 0
      var name = unsafe names
      while unsafe name.pointee != 0 {
        precondition(
          offset + MemoryLayout<UInt>.size <= fields.count,
          "more names than fields"
        )
        let address = unsafe dlsym(handle, name)
        if unsafe address == nil { unsafe missing.append(String(cString: name)) }
        unsafe fields.storeBytes(of: UInt(bitPattern: address), toByteOffset: offset, as: UInt.self)
        offset += MemoryLayout<UInt>.size
        unsafe name += strlen(name) + 1
      }
      precondition(offset == fields.count, "more fields than names")
    }
    return missing
  }
}
