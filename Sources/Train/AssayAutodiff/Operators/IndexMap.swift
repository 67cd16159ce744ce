import AssayGraph
import AssayKernels
import AssayTensor

/// Where each element of a result comes from, for operators that only move elements.
///
/// Along every axis of the result a table gives the source's coordinate (negative: none). Samples that
/// are not mixed share one map.
struct IndexMap {
  /// Samples that the map serves one by one.
  let samples: Int
  /// Elements of one sample of source and result.
  let sourceCount: Int, resultCount: Int
  /// The source's element for each of a sample's result, negative for none.
  let places: [Int32]

  /// - Parameters:
  ///   - tables: for each axis of the result the source's coordinates.
  ///   - steps: elements of the source for one step of such a coordinate.
  ///   - sourceCount: elements of the source in all.
  init(tables: [[Int]], steps: [Int], sourceCount: Int) {
    let dims = tables.map(\.count)
    let resultCount = dims.reduce(1, *)
    // The first axis is one of samples when it is passed on as it is.
    var samples = 1
    if let first = tables.first, first.count > 1, first == Array(0..<first.count),
      steps[0] * first.count == sourceCount
    {
      samples = first.count
    }
    self.samples = samples
    self.sourceCount = sourceCount / samples
    self.resultCount = resultCount / samples
    var places: [Int32] = []
    places.reserveCapacity(self.resultCount)
    let inner = samples > 1 ? Array(tables.dropFirst()) : tables
    let innerSteps = samples > 1 ? Array(steps.dropFirst()) : steps
    func visit(_ axis: Int, _ offset: Int, _ isInside: Bool) {
      if axis == inner.count {
        places.append(isInside ? Int32(truncatingIfNeeded: offset) : -1)
        return
      }
      for coordinate in inner[axis] {
        visit(axis + 1, offset + max(coordinate, 0) * innerSteps[axis], isInside && coordinate >= 0)
      }
    }
    if resultCount > 0 { visit(0, 0, true) }
    self.places = places
  }

  /// The places of a broadcast operand's elements in the order of the result's.
  static func broadcast(_ shape: Shape, to target: Shape) -> [Int32] {
    let missing = target.rank - shape.rank
    let strides = shape.strides
    var places: [Int32] = []
    places.reserveCapacity(target.count)
    func visit(_ axis: Int, _ offset: Int) {
      if axis == target.rank { return places.append(Int32(truncatingIfNeeded: offset)) }
      let step = axis < missing || shape.dims[axis - missing] == 1 ? 0 : strides[axis - missing]
      for index in 0..<target.dims[axis] { visit(axis + 1, offset + index * step) }
    }
    if target.count > 0 { visit(0, 0) }
    return places
  }

  /// `result = source[places]`, `fill` where there is no source.
  func move(_ source: FloatBuffer, into result: FloatBuffer, fill: Float = 0, _ pool: ThreadPool) {
    pool.forEach(samples) { sample, _ in
      let from = source.part(sample * sourceCount, sourceCount)
      let to = result.part(sample * resultCount, resultCount)
      for index in 0..<resultCount {
        let place = Int(places[index])
        to[index] = place < 0 ? fill : from[place]
      }
    }
  }

  /// Sums the result's gradients at their sources.
  func collect(_ gradient: FloatBuffer, into target: FloatBuffer, _ pool: ThreadPool) {
    pool.forEach(samples) { sample, _ in
      let from = gradient.part(sample * resultCount, resultCount)
      let to = target.part(sample * sourceCount, sourceCount)
      to.fill(0)
      for index in 0..<resultCount {
        let place = Int(places[index])
        if place >= 0 { to[place] += from[index] }
      }
    }
  }
}

extension GradientSite {
  /// The step of an operator that moves the elements of input 0 as a map says.
  func movement(_ map: IndexMap, fill: Float = 0) throws -> GradientStep {
    let (x, y, dy, dx) = (try input(0), output, outputGradient, gradient(of: 0))
    let pool = pool
    return GradientStep {
      map.move(x, into: y, fill: fill, pool)
    } backward: {
      if let dx { map.collect(dy, into: dx, pool) }
    }
  }
}
