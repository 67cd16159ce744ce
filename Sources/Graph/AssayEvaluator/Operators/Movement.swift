import AssayKernels
import AssayTensor

/// A tensor whose elements are chosen elements of another one: transposes, slices, paddings.
struct Movement {
  private struct Run {
    var source: Int
    var step: Int
    var target: Int
    var count: Int
  }

  private var runs: [Run] = []
  private let fillsFirst: Bool

  /// Plans the movement.
  ///
  /// - Parameter offsets: for each axis of the output and each index along it, what it adds to the
  ///   offset in the source; -1 where the source has no element.
  init(_ shape: Shape, offsets: [[Int]]) {
    fillsFirst = offsets.contains { $0.contains(-1) }
    guard let last = offsets.last else {
      runs = [Run(source: 0, step: 1, target: 0, count: 1)]
      return
    }
    // The last axis in pieces of constant step.
    var pieces: [Run] = []
    for (index, offset) in last.enumerated() where offset >= 0 {
      if var piece = pieces.last, piece.target + piece.count == index {
        let step = offset - (piece.source + piece.step * (piece.count - 1))
        if piece.count == 1 || step == piece.step {
          piece.step = step
          piece.count += 1
          pieces[pieces.count - 1] = piece
          continue
        }
      }
      pieces.append(Run(source: offset, step: 1, target: index, count: 1))
    }
    var target = 0
    forEachIndex(Array(shape.dims.dropLast())) { index in
      var source = 0
      var isInside = true
      for axis in index.indices {
        let offset = offsets[axis][index[axis]]
        if offset < 0 { isInside = false }
        source += offset
      }
      if isInside {
        for piece in pieces {
          append(
            Run(
              source: source + piece.source,
              step: piece.step,
              target: target + piece.target,
              count: piece.count
            )
          )
        }
      }
      target += last.count
    }
  }

  private mutating func append(_ run: Run) {
    if let last = runs.last, last.target + last.count == run.target,
      last.step == 1 || last.count == 1, run.step == 1 || run.count == 1,
      last.source + last.count == run.source
    {
      runs[runs.count - 1].step = 1
      runs[runs.count - 1].count += run.count
    } else {
      runs.append(run)
    }
  }

  /// Moves the elements; places without a source get `fill`.
  func apply(_ input: FloatBuffer, into output: FloatBuffer, fill: Float = 0) {
    if fillsFirst { output.fill(fill) }
    for run in runs {
      if run.step == 1 {
        output.part(run.target, run.count).copy(input.part(run.source, run.count))
      } else {
        var source = run.source
        for index in run.target..<run.target + run.count {
          output[index] = input[source]
          source &+= run.step
        }
      }
    }
  }
}
