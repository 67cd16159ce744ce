import Synchronization

#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#else
import Darwin
#endif

/// Set by a signal's handler, which may do no more than that.
private let interrupts = Atomic<Int>(0)

extension Host {
  /// From now on the first ctrl-C (SIGINT) or SIGTERM only raises a flag; the second ends the process.
  ///
  /// Long jobs ask `isInterrupted` between steps, so that they stop where nothing is lost.
  public static func catchInterrupts() {
    // The flag must exist before a handler touches it.
    interrupts.store(0, ordering: .sequentiallyConsistent)
    for number in [SIGINT, SIGTERM] {
      _ = signal(number) { number in
        if interrupts.add(1, ordering: .sequentiallyConsistent).oldValue > 0 {
          _ = signal(number, SIG_DFL)
          _ = raise(number)
        }
      }
    }
  }

  /// Whether the user has asked this process to stop.
  public static var isInterrupted: Bool { interrupts.load(ordering: .sequentiallyConsistent) > 0 }

  /// Leaves ctrl-C to the process that started this one: a terminal sends it to both.
  public static func ignoreInterrupts() { _ = signal(SIGINT, SIG_IGN) }
}
