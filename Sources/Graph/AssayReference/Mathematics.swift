#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#else
import Darwin
#endif

// The platform's functions under names that operators' own names do not hide.

func exponential(_ x: Double) -> Double { exp(x) }
func exponentialLess1(_ x: Double) -> Double { expm1(x) }
func logarithm(_ x: Double) -> Double { log(x) }
func hyperbolicTangent(_ x: Double) -> Double { tanh(x) }
func sine(_ x: Double) -> Double { sin(x) }
func cosine(_ x: Double) -> Double { cos(x) }
func errorFunction(_ x: Double) -> Double { erf(x) }
func power(_ x: Double, _ y: Double) -> Double { pow(x, y) }
