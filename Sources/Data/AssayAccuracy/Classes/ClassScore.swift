import AssayBase

/// How texts, or anything else with one class each, were classified: accuracy and F1.
public struct ClassScore: Sendable, Equatable {
  /// How often the class of the row was taken for that of the column.
  public private(set) var confusion: [[Int]]

  /// Counts nothing yet.
  public init(classCount: Int) {
    let row = [Int](repeating: 0, count: max(classCount, 2))
    confusion = [[Int]](repeating: row, count: max(classCount, 2))
  }

  /// Counts one sample; classes that there are not are left out.
  public mutating func add(_ outcome: ClassOutcome) {
    guard confusion.indices.contains(outcome.label), confusion.indices.contains(outcome.predicted)
    else { return }
    confusion[outcome.label][outcome.predicted] += 1
  }

  /// How many samples were counted.
  public var count: Int { confusion.reduce(0) { $0 + $1.reduce(0, +) } }

  /// The part that was put into the right class.
  public var accuracy: Proportion {
    Proportion(confusion.indices.reduce(0) { $0 + confusion[$1][$1] }, of: count)
  }

  /// The F1 of each class, 2·right / (belonging + taken); `nil` for one that neither is there nor was
  /// taken.
  public var f1: [Double?] {
    confusion.indices.map { label in
      let belong = confusion[label].reduce(0, +)
      let taken = confusion.reduce(0) { $0 + $1[label] }
      guard belong + taken > 0 else { return nil }
      return 2 * Double(confusion[label][label]) / Double(belong + taken)
    }
  }

  /// The mean F1 of the classes that are there or were taken.
  public var macroF1: Double? {
    let known = f1.compactMap(\.self)
    return known.isEmpty ? nil : known.reduce(0, +) / Double(known.count)
  }

  /// The 95 % interval of the mean F1 when samples are drawn again.
  public func macroF1Interval(replicates: Int = 1000, seed: UInt64 = 1) -> ClosedRange<Double>? {
    let n = count
    guard n > 1 else { return nil }
    var cells: [(row: Int, column: Int)] = []
    for row in confusion.indices {
      for column in confusion.indices {
        for _ in 0..<confusion[row][column] { cells.append((row, column)) }
      }
    }
    var rng = SeededRNG(seed: seed)
    let draws = (0..<max(replicates, 2)).compactMap { _ -> Double? in
      var drawn = ClassScore(classCount: confusion.count)
      for _ in 0..<n {
        let cell = cells[Int.random(in: cells.indices, using: &rng)]
        drawn.confusion[cell.row][cell.column] += 1
      }
      return drawn.macroF1
    }
    return draws.count > 1 ? percentiles(draws) : nil
  }
}
