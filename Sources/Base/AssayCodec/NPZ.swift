import AssayBase
import AssayTensor

/// NumPy's archive of named arrays: a ZIP of `.npy` files.
public enum NPZ {
  /// The arrays, in the archive's order, named without their `.npy`.
  ///
  /// Arrays that are stored (`numpy.savez`) stay where they are; deflated ones are inflated.
  ///
  /// - Throws: `Diagnostic` ZIP…, NPY…, at the array.
  public static func read(_ bytes: ByteView) throws -> [(name: String, tensor: Tensor)] {
    let archive = try ZipArchive(bytes)
    return try archive.entries.map { entry in
      guard entry.name.hasSuffix(".npy") else {
        throw Diagnostic(
          "NPY004",
          "the archive holds something else than arrays",
          at: ["entry '\(entry.name)'"],
          remedy: "write it with numpy.savez"
        )
      }
      let content = try archive.read(entry)
      let name = String(entry.name.dropLast(4))
      return (name, try locating("array '\(name)'") { try NPY.read(content) })
    }
  }

  /// The archive's bytes, in pieces.
  ///
  /// - Parameter deflated: whether the arrays are deflated, as by `numpy.savez_compressed`.
  public static func write(
    _ arrays: [(name: String, tensor: Tensor)],
    deflated: Bool = false
  ) throws -> [ByteView] {
    var writer = ZipWriter()
    var names: Set<String> = []
    for (name, tensor) in arrays {
      guard names.insert(name).inserted else {
        throw Diagnostic("NPY004", "two arrays have one name", at: ["array '\(name)'"])
      }
      let content = try locating("array '\(name)'") { try NPY.write(tensor) }
      try writer.add(name + ".npy", content, deflated: deflated)
    }
    return writer.finish()
  }
}
