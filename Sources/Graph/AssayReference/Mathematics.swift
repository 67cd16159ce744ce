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
func arcsine(_ x: Double) -> Double { asin(x) }
func arccosine(_ x: Double) -> Double { acos(x) }
func arctangent(_ x: Double) -> Double { atan(x) }
func arctangent(_ y: Double, _ x: Double) -> Double { atan2(y, x) }
func hyperbolicSine(_ x: Double) -> Double { sinh(x) }
func hyperbolicCosine(_ x: Double) -> Double { cosh(x) }
func inverseHyperbolicSine(_ x: Double) -> Double { asinh(x) }
func inverseHyperbolicCosine(_ x: Double) -> Double { acosh(x) }
func inverseHyperbolicTangent(_ x: Double) -> Double { atanh(x) }
func remainder(_ x: Double, _ y: Double) -> Double { fmod(x, y) }
