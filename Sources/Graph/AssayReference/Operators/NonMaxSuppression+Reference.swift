import AssayGraph
import AssayTensor

extension NonMaxSuppression: ReferenceOperator {
  func evaluate(_ arguments: Arguments) throws -> [Tensor] {
    let (boxes, given) = (try arguments.input(0).reals, try arguments.input(1).reals)
    var candidates = given.enumerated().filter { $0.element > Double(scoreThreshold) }
      .map { (box: $0.offset, score: $0.element, checked: 0) }
    var kept: [(box: Int, score: Double)] = []
    // The best candidate is kept unless boxes kept since it was looked at last overlap it; with
    // falling scores it may have to wait for a better one.
    while kept.count < count, !candidates.isEmpty {
      var best = 0
      for index in candidates.indices {
        let (a, b) = (candidates[index], candidates[best])
        if a.score > b.score || a.score == b.score && a.box < b.box { best = index }
      }
      var candidate = candidates.remove(at: best)
      let before = candidate.score
      var isDropped = false
      for other in kept[candidate.checked...].reversed() {
        let overlap = overlap(boxes, candidate.box, other.box)
        if softSigma > 0 {
          let weight = exponential(-overlap * overlap / (2 * Double(softSigma)))
          candidate.score *= overlap <= Double(overlapThreshold) ? weight : 0
        } else if overlap > Double(overlapThreshold) {
          isDropped = true
        }
        if isDropped || candidate.score <= Double(scoreThreshold) { break }
      }
      if isDropped || candidate.score <= Double(scoreThreshold) { continue }
      candidate.checked = kept.count
      if candidate.score == before {
        kept.append((candidate.box, candidate.score))
      } else {
        candidates.append(candidate)
      }
    }
    let rest = count - kept.count
    let positions = kept.map(\.box) + [Int](repeating: 0, count: rest)
    let scores = kept.map(\.score) + [Double](repeating: 0, count: rest)
    return [
      try tensor(integers: positions, arguments.outputs[0]),
      try tensor(scores, arguments.outputs[1]),
      try tensor(integers: [kept.count], arguments.outputs[2]),
    ]
  }

  /// Intersection over union of two boxes.
  private func overlap(_ boxes: [Double], _ a: Int, _ b: Int) -> Double {
    func side(_ box: Int, _ axis: Int) -> (low: Double, high: Double) {
      let (p, q) = (boxes[box * 4 + axis], boxes[box * 4 + axis + 2])
      return (min(p, q), max(p, q))
    }
    let (ay, ax, by, bx) = (side(a, 0), side(a, 1), side(b, 0), side(b, 1))
    let areaOfA = (ay.high - ay.low) * (ax.high - ax.low)
    let areaOfB = (by.high - by.low) * (bx.high - bx.low)
    guard areaOfA > 0, areaOfB > 0 else { return 0 }
    let height = max(min(ay.high, by.high) - max(ay.low, by.low), 0)
    let width = max(min(ax.high, bx.high) - max(ax.low, bx.low), 0)
    let common = height * width
    return common / (areaOfA + areaOfB - common)
  }
}
