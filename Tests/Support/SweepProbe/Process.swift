#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#else
import Darwin
#endif

/// Ends this process as a runtime at fault does.
func crash() {
  _ = signal(SIGSEGV, SIG_DFL)
  _ = raise(SIGSEGV)
}

/// Ends this process with a status.
func finish(_ status: Int32) -> Never { exit(status) }
