import AssayBase
import AssayStatistics

extension Record {
  /// Throughput over a long time of uninterrupted load.
  public struct Sustained: Sendable, Equatable {
    /// One short stretch of the load.
    public struct Window: Sendable, Equatable {
      /// When it began, nanoseconds from the beginning of the load.
      public var begin: Int64
      /// How long it took, nanoseconds.
      public var duration: Int64
      /// Inputs that were done.
      public var count: Int

      /// Makes a window.
      public init(begin: Int64, duration: Int64, count: Int) {
        self.begin = begin
        self.duration = duration
        self.count = count
      }

      /// Inputs per second.
      public var throughput: Double { duration > 0 ? Double(count) * 1e9 / Double(duration) : 0 }
    }

    /// A stretch at one level.
    public struct Level: Sendable, Equatable {
      /// When it began, nanoseconds from the beginning of the load.
      public var begin: Int64
      /// When it ended.
      public var end: Int64
      /// Inputs per second: the median of its windows.
      public var throughput: Double
    }

    /// The windows in order.
    public var windows: [Window]

    /// Makes a course of throughput.
    public init(windows: [Window]) { self.windows = windows }

    /// The levels between changes of throughput of at least 2 %, by change points at 1 %.
    public var levels: [Level] {
      ChangePoints(minimumChange: 0.02).segments(of: windows.map(\.throughput)).map { segment in
        let last = windows[segment.range.upperBound - 1]
        return Level(
          begin: windows[segment.range.lowerBound].begin,
          end: last.begin + last.duration,
          throughput: segment.median
        )
      }
    }

    /// What became of the first level.
    public struct Throttling: Sendable, Equatable {
      /// When throughput first fell by 5 % or more, nanoseconds from the beginning.
      public var onset: Int64
      /// The part of the first level that was lost at worst.
      public var loss: Double
      /// When it came back to within 2 % of the first level; `nil` when it did not.
      public var recovery: Int64?
    }

    /// Where throughput fell by 5 % or more of its first level; `nil` when it did not.
    public var throttling: Throttling? {
      let levels = levels
      guard let first = levels.first, first.throughput > 0,
        let fall = levels.firstIndex(where: { $0.throughput <= 0.95 * first.throughput })
      else { return nil }
      let worst = levels.map(\.throughput).min() ?? 0
      let back = levels[fall...].first { $0.throughput >= 0.98 * first.throughput }
      return Throttling(
        onset: levels[fall].begin,
        loss: 1 - worst / first.throughput,
        recovery: back?.begin
      )
    }

    /// The course as a record keeps it; levels and throttling are derived, never read back.
    var json: JSON {
      var object = JSON.object([
        "windows": .array(
          windows.map { .array([.integer($0.begin), .integer($0.duration), JSON($0.count)]) }
        ),
        "levels": .array(
          levels.map {
            .object([
              "beginNs": .integer($0.begin), "endNs": .integer($0.end),
              "throughputPerSecond": .number($0.throughput),
            ])
          }
        ),
      ])
      if let throttling {
        object["throttling"] = .object([
          "onsetNs": .integer(throttling.onset), "loss": .number(throttling.loss),
          "recoveryNs": throttling.recovery.map { .integer($0) } ?? .null,
        ])
      }
      return object
    }

    /// Reads a course; `nil` when it is none.
    init?(json: JSON) {
      guard let rows = json["windows"]?.array else { return nil }
      windows = rows.compactMap { row in
        guard let numbers = row.ints, numbers.count == 3, numbers.allSatisfy({ $0 >= 0 }),
          numbers.allSatisfy({ $0 < 1 << 60 })
        else { return nil }
        return Window(begin: Int64(numbers[0]), duration: Int64(numbers[1]), count: numbers[2])
      }
      guard windows.count == rows.count else { return nil }
    }
  }
}
