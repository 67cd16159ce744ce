import AssayBase

/// How a classifier did on labelled samples: which class was taken for which, and what follows from it.
public struct ClassificationReport: Sendable, Equatable {
  /// The names of the classes.
  public let names: [String]
  /// How often a sample of the class of the row was taken for the class of the column.
  public private(set) var confusion: [[Int]]

  /// Nothing counted yet.
  ///
  /// - Parameters:
  ///   - names: of the classes, as far as there are names.
  ///   - count: how many classes there are.
  public init(names: [String], count: Int) {
    self.names = (0..<max(count, 2)).map { names.indices.contains($0) ? names[$0] : "\($0)" }
    confusion = self.names.map { _ in [Int](repeating: 0, count: max(count, 2)) }
  }

  /// Counts one sample; classes that there are not are left out.
  public mutating func add(scores: [Float], label: Int) {
    let predicted = predictedClass(scores)
    guard confusion.indices.contains(label), confusion.indices.contains(predicted) else { return }
    confusion[label][predicted] += 1
  }

  /// How many samples were counted.
  public var count: Int { confusion.reduce(0) { $0 + $1.reduce(0, +) } }

  /// The part of all samples that was put into the right class.
  public var accuracy: Proportion {
    Proportion(confusion.indices.reduce(0) { $0 + confusion[$1][$1] }, of: count)
  }

  /// Of a class: how many of those taken for it belong to it, and how many that belong were found.
  public struct Row: Sendable, Equatable {
    /// The class.
    public var name: String
    /// The right part of what was taken for the class; `nil` when nothing was.
    public var precision: Proportion
    /// The part of the class that was found.
    public var recall: Proportion
    /// The harmonic mean of both.
    public var f1: Double? {
      guard let p = precision.fraction, let r = recall.fraction else { return nil }
      return p + r > 0 ? 2 * p * r / (p + r) : 0
    }
  }

  /// The classes in order.
  public var rows: [Row] {
    confusion.indices.map { index in
      let hits = confusion[index][index]
      return Row(
        name: names[index],
        precision: Proportion(hits, of: confusion.reduce(0) { $0 + $1[index] }),
        recall: Proportion(hits, of: confusion[index].reduce(0, +))
      )
    }
  }

  /// The report for scripts.
  public var json: JSON {
    let interval = accuracy.interval
    return .object([
      "accuracy": accuracy.fraction.map { JSON($0) } ?? .null,
      "interval": [JSON(interval.lowerBound), JSON(interval.upperBound)],
      "count": JSON(count),
      "classes": .array(
        rows.map { row in
          .object([
            "name": .string(row.name),
            "precision": row.precision.fraction.map { JSON($0) } ?? .null,
            "recall": row.recall.fraction.map { JSON($0) } ?? .null,
            "f1": row.f1.map { JSON($0) } ?? .null, "count": JSON(row.recall.count),
          ])
        }
      ),
      "confusion": .array(confusion.map { .array($0.map { JSON($0) }) }),
    ])
  }
}
