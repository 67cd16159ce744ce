import Synchronization

#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#else
import Darwin
#endif

/// Lets a command end in good order when the user presses Ctrl-C; a second one ends it at once.
public enum Interrupt {
  private static let count = Atomic(0)

  /// Takes over SIGINT and SIGTERM.
  public static func install() {
    // Made before a handler could be the first to touch it.
    _ = count.load(ordering: .relaxed)
    for number in [SIGINT, SIGTERM] {
      _ = signal(number) { number in
        if Interrupt.count.add(1, ordering: .relaxed).oldValue > 0 {
          _exit(128 + number)
        }
      }
    }
  }

  /// Whether the user has asked for the end.
  public static var isRequested: Bool { count.load(ordering: .relaxed) > 0 }
}
