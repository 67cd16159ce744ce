#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#else
import Darwin
#endif

func logarithm10(_ x: Double) -> Double { log10(x) }
