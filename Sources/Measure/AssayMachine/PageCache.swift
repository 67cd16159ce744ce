import AssayBase
import CProbe

/// How much of a file the system holds in memory.
public struct PageCache: Sendable, Equatable {
  /// Pages that are in memory.
  public var cached: Int
  /// Pages of the file.
  public var total: Int

  /// The part of the file that is in memory; 1 for an empty file.
  public var share: Double { total > 0 ? Double(cached) / Double(total) : 1 }

  /// The state of a file; `nil` when the system does not tell.
  ///
  /// Linux tells the owner of a file and those who may write to it; to others it says that
  /// everything is in memory.
  public static func state(of path: String) -> PageCache? {
    var cached: UInt64 = 0
    var total: UInt64 = 0
    guard unsafe cprobe_cached_pages(path, &cached, &total) == 0 else { return nil }
    return PageCache(cached: Int(clamping: cached), total: Int(clamping: total))
  }

  /// Asks the system to forget a file's pages, and looks whether it did.
  ///
  /// What another process has mapped stays in memory.
  ///
  /// - Returns: the state afterwards; `nil` when the system can neither forget nor tell.
  @discardableResult
  public static func drop(_ path: String) -> PageCache? {
    guard unsafe cprobe_drop_cached(path) == 0 else { return nil }
    return state(of: path)
  }
}
