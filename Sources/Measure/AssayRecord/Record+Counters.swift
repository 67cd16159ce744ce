import AssayBase

extension Record {
  /// What processor and kernel counted during one block of steady inferences, which is not among the
  /// samples.
  public struct Counters: Sendable, Equatable {
    /// The number of inferences.
    public var runs: Int
    /// Time of the block by the clock, nanoseconds.
    public var wall: Int64
    /// Time that the worker's threads spent on processors, nanoseconds.
    public var processor: Int64
    /// Page faults that needed no disk.
    public var minorFaults: Figure<Int>
    /// Counts of all runs together by the event's name; a reason where it cannot be counted.
    public var events: [String: Figure<Int>]

    /// Makes counters.
    public init(
      runs: Int,
      wall: Int64,
      processor: Int64,
      minorFaults: Figure<Int> = .missing(reason: "not told"),
      events: [String: Figure<Int>] = [:]
    ) {
      self.runs = runs
      self.wall = wall
      self.processor = processor
      self.minorFaults = minorFaults
      self.events = events
    }

    /// How many processors were kept busy on average.
    public var utilization: Double { wall > 0 ? Double(processor) / Double(wall) : 0 }

    /// The counters as a record keeps them.
    public var json: JSON {
      var members = JSON.Members()
      for (name, count) in events.sorted(by: { $0.key < $1.key }) { members[name] = count.json }
      return .object([
        "runs": JSON(runs), "wallNs": .integer(wall), "processorNs": .integer(processor),
        "minorFaults": minorFaults.json, "events": .members(members),
      ])
    }

    /// Reads counters; `nil` when these are none.
    public init?(json: JSON) {
      guard let runs = json["runs"]?.int, let wall = json["wallNs"]?.int,
        let processor = json["processorNs"]?.int, runs > 0
      else { return nil }
      self.init(runs: runs, wall: Int64(wall), processor: Int64(processor))
      minorFaults = Figure(json: json["minorFaults"], \.int)
      for (name, value) in json["events"]?.pairs ?? [] {
        events[name] = Figure(json: value, \.int)
      }
    }
  }
}
