import AssayGraph
import AssayTensor

extension MatMul: ReferenceOperator {
  func evaluate(_ arguments: Arguments) throws -> [Tensor] {
    let (a, b) = (try arguments.input(0), try arguments.input(1))
    let type = arguments.output
    let (m, n) = (type.shape[-2], type.shape[-1])
    let k = transposesA ? a.shape[-2] : a.shape[-1]
    let lead = Shape(Array(type.shape.dims.dropLast(2)))
    let matrixOfA = broadcastPositions(from: Shape(Array(a.shape.dims.dropLast(2))), to: lead)
    let matrixOfB = broadcastPositions(from: Shape(Array(b.shape.dims.dropLast(2))), to: lead)
    let (x, y) = (a.reals, b.reals)
    var sums: [Double] = []
    sums.reserveCapacity(type.shape.count)
    for matrix in 0..<lead.count {
      let (baseOfA, baseOfB) = (matrixOfA[matrix] * m * k, matrixOfB[matrix] * k * n)
      for row in 0..<m {
        for column in 0..<n {
          var sum = 0.0
          for i in 0..<k {
            sum +=
              x[baseOfA + (transposesA ? i * m + row : row * k + i)]
              * y[baseOfB + (transposesB ? column * k + i : i * n + column)]
          }
          sums.append(sum)
        }
      }
    }
    return [try tensor(sums, type)]
  }
}
