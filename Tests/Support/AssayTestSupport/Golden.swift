import AssayBase

#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#else
import Darwin
#endif

/// Text files that hold what the code is expected to say.
public enum Golden {
  /// Compares `text` with the file at `path` in the package.
  ///
  /// With `ASSAY_BLESS` set (`make bless`) the file is rewritten instead; review the difference. A
  /// file that does not exist is written, and the comparison fails once.
  ///
  /// - Returns: where they differ, or `nil` when they agree.
  public static func mismatch(_ text: String, _ path: String) -> String? {
    let full = TestData.package + "/" + path
    let expected = (try? MappedFile(path: full))?.view.utf8
    if text == expected { return nil }
    let isBlessing = unsafe getenv("ASSAY_BLESS") != nil
    if expected == nil || isBlessing {
      do { try AtomicFile.write(text, to: full) } catch { return "\(error)" }
      return expected == nil ? "\(path) did not exist and was written" : nil
    }
    let old = (expected ?? "").split(separator: "\n", omittingEmptySubsequences: false)
    let new = text.split(separator: "\n", omittingEmptySubsequences: false)
    for line in 0..<max(old.count, new.count) {
      let a = line < old.count ? String(old[line]) : "(no line)"
      let b = line < new.count ? String(new[line]) : "(no line)"
      if a != b { return "\(path):\(line + 1)\n  expected: \(a)\n  now:      \(b)" }
    }
    return "\(path) differs"
  }
}
