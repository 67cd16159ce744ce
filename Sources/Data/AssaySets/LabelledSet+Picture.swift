import AssayBase
import AssayData

extension LabelledSet.Item {
  /// The item's picture, if it is still the one that was verified.
  ///
  /// - Parameter isOriented: turn a JPEG as its EXIF orientation says.
  /// - Throws: `Diagnostic` DST013 when the file's content is another than it was when the set was prepared;
  ///   FIL… and DAT… as `Image.read`.
  public func picture(isOriented: Bool) throws -> Image {
    let bytes = try MappedFile(path: path).view
    guard AssayBase.sha256(bytes) == sha256 else {
      throw Diagnostic(
        "DST013",
        "the picture '\(name)' has changed since the set was prepared",
        at: [path],
        remedy: "bring the file back, or prepare the set again with the same assay data prepare"
      )
    }
    return try Image.decode(bytes, name: path, isOriented: isOriented)
  }
}
