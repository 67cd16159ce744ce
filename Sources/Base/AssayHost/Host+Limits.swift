#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#else
import Darwin
#endif

extension Host {
  /// Limits the memory that this process may have of its own (heap and private mappings, not files),
  /// bytes: allocations beyond it fail.
  ///
  /// - Returns: whether the system took the limit.
  @discardableResult
  public static func limitMemory(bytes: Int) -> Bool {
    guard bytes > 0 else { return false }
    var limit = rlimit(rlim_cur: rlim_t(bytes), rlim_max: rlim_t(bytes))
    #if canImport(Glibc)
    return unsafe setrlimit(__rlimit_resource_t(RLIMIT_DATA.rawValue), &limit) == 0
    #else
    return unsafe setrlimit(RLIMIT_DATA, &limit) == 0
    #endif
  }
}
