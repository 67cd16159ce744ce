import AssayBase

/// How the pixels of labelled pictures were classified: the mean intersection over union (mIoU).
///
/// Each picture's counts are kept, so that the interval can draw whole pictures again: the pixels of a
/// picture are no independent samples.
public struct RegionScore: Sendable, Equatable {
  /// One picture's counts, by class.
  public struct Counts: Sendable, Equatable {
    /// Pixels of the class that were taken for it.
    public var hits: [Int]
    /// Pixels that belong to the class.
    public var truths: [Int]
    /// Pixels that were taken for it.
    public var found: [Int]

    /// Makes counts of zero.
    public init(classCount: Int) {
      hits = [Int](repeating: 0, count: classCount)
      truths = hits
      found = hits
    }

    /// Counts a picture's pixels.
    ///
    /// - Parameters:
    ///   - found: the class of each pixel.
    ///   - truth: the right class of each pixel; 255 and other values that are no class are left out.
    public init(found: [UInt8], truth: [UInt8], classCount: Int) {
      self.init(classCount: classCount)
      for (a, b) in zip(found, truth) where Int(b) < classCount {
        truths[Int(b)] += 1
        guard Int(a) < classCount else { continue }
        self.found[Int(a)] += 1
        if a == b { hits[Int(a)] += 1 }
      }
    }
  }

  /// How many classes there are.
  public let classCount: Int
  /// The pictures' counts.
  public private(set) var images: [Counts] = []

  /// Counts nothing yet.
  public init(classCount: Int) { self.classCount = classCount }

  /// Adds a picture; counts of another number of classes are left out.
  public mutating func add(_ counts: Counts) {
    guard counts.hits.count == classCount, counts.truths.count == classCount,
      counts.found.count == classCount
    else { return }
    images.append(counts)
  }

  /// Intersection over union of each class; `nil` for one that neither is there nor was found.
  public var byClass: [Double?] { RegionScore.overlaps(total(images.indices)) }

  /// The mean over the classes that are there or were found; `nil` without a pixel.
  public var mean: Double? { RegionScore.mean(byClass) }

  /// The part of all pixels whose class is right; `nil` without a pixel.
  public var pixelAccuracy: Double? {
    let all = total(images.indices)
    let count = all.truths.reduce(0, +)
    return count > 0 ? Double(all.hits.reduce(0, +)) / Double(count) : nil
  }

  /// The 95 % interval of the mean when pictures are drawn again; `nil` for fewer than two.
  public func interval(replicates: Int = 1000, seed: UInt64 = 1) -> ClosedRange<Double>? {
    guard images.count > 1 else { return nil }
    var rng = SeededRNG(seed: seed)
    let draws = (0..<max(replicates, 2)).compactMap { _ in
      let drawn = images.indices.map { _ in Int.random(in: images.indices, using: &rng) }
      return RegionScore.mean(RegionScore.overlaps(total(drawn)))
    }
    return draws.count > 1 ? percentiles(draws) : nil
  }

  private func total(_ indices: some Sequence<Int>) -> Counts {
    var sum = Counts(classCount: classCount)
    for index in indices {
      for label in 0..<classCount {
        sum.hits[label] += images[index].hits[label]
        sum.truths[label] += images[index].truths[label]
        sum.found[label] += images[index].found[label]
      }
    }
    return sum
  }

  private static func overlaps(_ counts: Counts) -> [Double?] {
    counts.hits.indices.map { label in
      let union = counts.truths[label] + counts.found[label] - counts.hits[label]
      return union > 0 ? Double(counts.hits[label]) / Double(union) : nil
    }
  }

  private static func mean(_ values: [Double?]) -> Double? {
    let known = values.compactMap(\.self)
    return known.isEmpty ? nil : known.reduce(0, +) / Double(known.count)
  }
}
