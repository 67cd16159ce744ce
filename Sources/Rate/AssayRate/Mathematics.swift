#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#else
import Darwin
#endif

func logarithm(_ x: Double) -> Double { log(x) }
func logarithm2(_ x: Double) -> Double { log2(x) }
func power2(_ x: Double) -> Double { exp2(x) }
