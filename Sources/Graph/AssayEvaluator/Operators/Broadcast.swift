import AssayTensor

/// For each element of `target`, the element of a tensor of `shape` that it is paired with.
func broadcastIndices(_ shape: Shape, to target: Shape) -> [Int] {
  let strides = broadcastStrides(shape, to: target)
  var result: [Int] = []
  result.reserveCapacity(target.count)
  forEachIndex(target.dims) { index in
    var offset = 0
    for axis in index.indices { offset &+= index[axis] &* strides[axis] }
    result.append(offset)
  }
  return result
}

/// The steps through a tensor of `shape` along the axes of `target`; 0 where it is spread.
func broadcastStrides(_ shape: Shape, to target: Shape) -> [Int] {
  let missing = target.rank - shape.rank
  let own = shape.strides
  return target.dims.indices.map { axis in
    axis < missing || shape.dims[axis - missing] == 1 ? 0 : own[axis - missing]
  }
}

/// Calls `body` with every index of a tensor, in row-major order.
func forEachIndex(_ dims: [Int], _ body: ([Int]) -> Void) {
  if dims.contains(0) { return }
  var index = [Int](repeating: 0, count: dims.count)
  while true {
    body(index)
    var axis = dims.count - 1
    while axis >= 0 {
      index[axis] += 1
      if index[axis] < dims[axis] { break }
      index[axis] = 0
      axis -= 1
    }
    if axis < 0 { return }
  }
}

/// Two operands cut into runs in which each is either read on or stays at one element.
struct BroadcastRuns {
  /// Elements of a run.
  private(set) var length = 1
  /// Whether an operand stays at one element through a run.
  private(set) var aSpreads = true, bSpreads = true
  private let outer: [Int]
  private let aStrides: [Int], bStrides: [Int]

  init(_ a: Shape, _ b: Shape, to target: Shape) {
    let aSteps = broadcastStrides(a, to: target)
    let bSteps = broadcastStrides(b, to: target)
    var axis = target.rank
    // Inner axes join the run while each operand keeps its way of being read.
    while axis > 0 {
      let dim = target.dims[axis - 1]
      if dim != 1 {
        let (aSpread, bSpread) = (aSteps[axis - 1] == 0, bSteps[axis - 1] == 0)
        if length == 1 {
          (aSpreads, bSpreads) = (aSpread, bSpread)
        } else if (aSpread, bSpread) != (aSpreads, bSpreads) {
          break
        }
        length *= dim
      }
      axis -= 1
    }
    outer = Array(target.dims[..<axis])
    aStrides = Array(aSteps[..<axis])
    bStrides = Array(bSteps[..<axis])
  }

  /// Calls `body` with the first elements of a, b and the result of each run.
  func forEach(_ body: (_ a: Int, _ b: Int, _ result: Int) -> Void) {
    guard length > 0, !outer.contains(0) else { return }
    if outer.isEmpty { return body(0, 0, 0) }
    var start = 0
    var index = [Int](repeating: 0, count: outer.count)
    var (a, b) = (0, 0)
    while true {
      body(a, b, start)
      start += length
      var axis = outer.count - 1
      while axis >= 0 {
        index[axis] += 1
        a += aStrides[axis]
        b += bStrides[axis]
        if index[axis] < outer[axis] { break }
        a -= outer[axis] * aStrides[axis]
        b -= outer[axis] * bStrides[axis]
        index[axis] = 0
        axis -= 1
      }
      if axis < 0 { return }
    }
  }
}
