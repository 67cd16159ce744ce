#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#else
import Darwin
#endif

/// Where tests find files.
public enum TestData {
  /// The package's folder.
  public static let package: String = {
    var parts = #filePath.split(separator: "/", omittingEmptySubsequences: false)
    parts.removeLast(4)
    return parts.joined(separator: "/")
  }()

  /// The folder of large real inputs that are not part of the package: `ASSAY_TEST_DATA`, else
  /// `../shared/data`; `nil` when neither exists.
  public static let shared: String? = {
    let given = unsafe getenv("ASSAY_TEST_DATA").map { unsafe String(cString: $0) }
    let path = given ?? package + "/../shared/data"
    return unsafe access(path, R_OK) == 0 ? path : nil
  }()

  /// A file of `shared`, or `nil` when it is absent.
  public static func sharedFile(_ path: String) -> String? {
    guard let shared, unsafe access(shared + "/" + path, R_OK) == 0 else { return nil }
    return shared + "/" + path
  }

  /// The folder of a test target, such as `Tests/AssayCodecTests`.
  public static func tests(_ target: String) -> String { package + "/Tests/" + target }

  /// A file of `Tests/Fixtures`, which lies outside the targets so that SwiftPM leaves it alone.
  public static func fixture(_ path: String) -> String { package + "/Tests/Fixtures/" + path }
}
