import AssayBase
import AssayDevice

/// Which of a phone's cores a measurement is bound to.
///
/// Phones have two or three kinds; without a mask the scheduler moves a benchmark between them, and a
/// figure is of neither.
public enum PhoneCores: Sendable, Equatable {
  /// Wherever the scheduler puts it.
  case all
  /// The strongest kind.
  case big
  /// The weakest kind.
  case little
  /// These.
  case list([Int])

  /// Reads `all`, `big`, `little` or numbers such as `4-7`.
  ///
  /// - Throws: `Diagnostic` PHN010.
  public init(parsing text: String) throws {
    switch text {
    case "all": self = .all
    case "big": self = .big
    case "little": self = .little
    default:
      guard let numbers = PhoneCores.numbers(text) else {
        throw Diagnostic(
          "PHN010",
          "'\(text)' names no cores",
          remedy: "all, big, little, or numbers such as 4-7 or 0,2"
        )
      }
      self = .list(numbers)
    }
  }

  /// `0-3,6` as numbers below 64; `nil` for anything else.
  static func numbers(_ text: String) -> [Int]? {
    var all: Set<Int> = []
    for part in text.split(separator: ",", omittingEmptySubsequences: false) {
      let ends = part.split(separator: "-", omittingEmptySubsequences: false).map { Int($0) }
      guard (1...2).contains(ends.count), let first = ends[0], let last = ends[ends.count - 1],
        0 <= first, first <= last, last < 64
      else { return nil }
      all.formUnion(first...last)
    }
    return all.isEmpty ? nil : all.sorted()
  }

  /// The cores by number; `nil` for no mask.
  ///
  /// - Throws: `Diagnostic` PHN011 when the phone does not tell its kinds of cores, or has not these.
  public func processors(of facts: DeviceFacts) throws -> [Int]? {
    func kinds() throws -> [DeviceFacts.Cluster] {
      guard facts.clusters.count > 1 else {
        throw Diagnostic(
          "PHN011",
          "the phone does not tell which of its cores are big",
          remedy: "name them: --cores 4-7; without --cores the scheduler chooses"
        )
      }
      return facts.clusters.sorted { strength($0) < strength($1) }
    }
    switch self {
    case .all: return nil
    case .big: return try kinds().last?.processors
    case .little: return try kinds().first?.processors
    case .list(let numbers):
      if let count = facts.processorCount, let beyond = numbers.first(where: { $0 >= count }) {
        throw Diagnostic("PHN011", "there is no core \(beyond): the phone has \(count)")
      }
      return numbers
    }
  }

  private func strength(_ cluster: DeviceFacts.Cluster) -> (Int, Int) {
    (cluster.capacity ?? 0, cluster.maximumFrequency ?? 0)
  }

  /// The mask of some cores as `taskset` takes it, such as `f0`.
  public static func mask(_ processors: [Int]) -> String {
    String(
      processors.filter { (0..<64).contains($0) }.reduce(UInt64(0)) { $0 | 1 << UInt64($1) },
      radix: 16
    )
  }
}
