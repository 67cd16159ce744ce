import AssayBase
import AssayGraph
import AssayTensor

let transposeReaders: [String: TFReader] = [
  "Transpose": { call, into in
    let x = try into.tensor(call, 0)
    return [.tensor(try into.transposed(call, x, try into.integers(call, 1)))]
  }
]
