import AssayBase
import AssayGraph
import AssayKernels
import AssayTensor

extension MatMul: DifferentiableOperator {
  var parameterInputs: [Int: Parameter.Role] { [0: .weight, 1: .weight] }

  func gradientStep(_ site: GradientSite) throws -> GradientStep {
    let (a, b) = (try site.shape(0), try site.shape(1))
    let (m, k) = transposesA ? (a[-1], a[-2]) : (a[-2], a[-1])
    let n = transposesB ? b[-2] : b[-1]
    let lead = Shape(Array(site.outputShape.dims.dropLast(2)))
    let count = lead.count
    let aPlaces = IndexMap.broadcast(Shape(Array(a.dims.dropLast(2))), to: lead)
    let bPlaces = IndexMap.broadcast(Shape(Array(b.dims.dropLast(2))), to: lead)
    let (x, z, y, dy) = (try site.input(0), try site.input(1), site.output, site.outputGradient)
    let (dx, dz) = (site.gradient(of: 0), site.gradient(of: 1))
    let context = site.context
    let (turnsA, turnsB) = (transposesA, transposesB)
    // Matrix number `index` of an operand, as it stands in the product.
    func first(_ buffer: FloatBuffer, _ place: Int) -> Matrix {
      let part = buffer.part(place * m * k, m * k)
      return turnsA ? Matrix(part, columns: m).transposed : Matrix(part, columns: k)
    }
    func second(_ buffer: FloatBuffer, _ place: Int) -> Matrix {
      let part = buffer.part(place * k * n, k * n)
      return turnsB ? Matrix(part, columns: k).transposed : Matrix(part, columns: n)
    }
    func result(_ buffer: FloatBuffer, _ place: Int) -> Matrix {
      Matrix(buffer.part(place * m * n, m * n), columns: n)
    }
    func product(_ shape: ProductShape, _ a: Matrix, _ b: Matrix, _ c: Matrix, adds: Bool) {
      context.training.multiply(
        shape,
        a,
        b,
        into: c,
        accumulates: adds,
        pool: context.pool,
        scratch: context.scratch
      )
    }
    return GradientStep {
      for index in 0..<count {
        product(
          ProductShape(m: m, n: n, k: k),
          first(x, Int(aPlaces[index])),
          second(z, Int(bPlaces[index])),
          result(y, index),
          adds: false
        )
      }
    } backward: {
      // A matrix that meets several gets the sum of their gradients.
      dx?.fill(0)
      dz?.fill(0)
      for index in 0..<count {
        let gradient = result(dy, index)
        let (p, q) = (Int(aPlaces[index]), Int(bPlaces[index]))
        if let dx {
          product(
            ProductShape(m: m, n: k, k: n),
            gradient,
            second(z, q).transposed,
            first(dx, p),
            adds: true
          )
        }
        if let dz {
          product(
            ProductShape(m: k, n: n, k: m),
            first(x, p).transposed,
            gradient,
            second(dz, q),
            adds: true
          )
        }
      }
    }
  }
}
