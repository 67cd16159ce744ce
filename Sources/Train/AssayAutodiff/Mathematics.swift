#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#else
import Darwin
#endif

// The platform's functions under names that operators' own names do not hide.

func exponential(_ x: Float) -> Float { exp(x) }
func exponentialLess1(_ x: Float) -> Float { expm1(x) }
func logarithm(_ x: Float) -> Float { log(x) }
func hyperbolicTangent(_ x: Float) -> Float { tanh(x) }
func sine(_ x: Float) -> Float { sin(x) }
func cosine(_ x: Float) -> Float { cos(x) }
func errorFunction(_ x: Float) -> Float { erf(x) }
func power(_ x: Float, _ y: Float) -> Float { pow(x, y) }
