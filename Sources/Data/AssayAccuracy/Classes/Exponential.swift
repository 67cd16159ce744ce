#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#else
import Darwin
#endif

/// e to the power of a number.
func exponential(_ x: Double) -> Double { exp(x) }

/// The natural logarithm of the gamma function.
func logarithmOfGamma(_ x: Double) -> Double {
  var sign: Int32 = 0
  return unsafe lgamma_r(x, &sign)
}
