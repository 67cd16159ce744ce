/// COCO's rules: which overlaps, sizes and counts a detector is judged by.
public enum DetectionRules {
  /// The overlaps at which a find counts as right: 0.5, 0.55, …, 0.95.
  public static let overlaps: [Double] = steps(from: 0.5, to: 0.95, count: 10)
  /// The recalls at which precision is read: 0, 0.01, …, 1.
  public static let recalls: [Double] = steps(from: 0, to: 1, count: 101)
  /// The most finds of a class that count in a picture.
  public static let maximumFinds = 100

  /// Sizes of objects, by their areas in square pixels.
  public enum Size: Int, Sendable, CaseIterable {
    case all, small, medium, large

    /// The areas, both ends included.
    public var areas: ClosedRange<Double> {
      switch self {
      case .all: 0...1e10
      case .small: 0...1024
      case .medium: 1024...9216
      case .large: 9216...1e10
      }
    }
  }

  /// What is compared.
  public enum Kind: String, Sendable, CaseIterable { case box, mask }

  /// Evenly spaced numbers, computed as NumPy does, so that comparisons fall out alike.
  private static func steps(from low: Double, to high: Double, count: Int) -> [Double] {
    let step = (high - low) / Double(count - 1)
    return (0..<count).map { $0 == count - 1 ? high : Double($0) * step + low }
  }
}
