import AssayBase

extension Record {
  /// The memory of a worker after loading, compiling and the first inference, bytes.
  ///
  /// A figure above a null worker is what the model and its runtime add to a worker that has loaded
  /// nothing.
  public struct Memory: Sendable, Equatable {
    /// The greatest resident set, and that of the null worker.
    public var peakResident: Figure<Int>
    public var nullPeakResident: Figure<Int>
    /// The resident set when the first inference was over.
    public var resident: Figure<Int>
    /// The resident set, shared pages divided among those that share them, and the null worker's.
    public var proportional: Figure<Int>
    public var nullProportional: Figure<Int>
    /// The most that a control group of the worker's own was charged with since its null state: page
    /// cache and the kernel's memory included.
    public var groupPeak: Figure<Int>
    /// What the runtime itself tells, such as the bytes of its arena; empty where it tells nothing.
    public var runtime: [String: Int]

    /// Makes figures that are all missing.
    public init(reason: String = "not measured") {
      peakResident = .missing(reason: reason)
      nullPeakResident = .missing(reason: reason)
      resident = .missing(reason: reason)
      proportional = .missing(reason: reason)
      nullProportional = .missing(reason: reason)
      groupPeak = .missing(reason: reason)
      runtime = [:]
    }

    /// The memory as a record keeps it.
    var json: JSON {
      var members = JSON.Members()
      for (name, bytes) in runtime.sorted(by: { $0.key < $1.key }) { members[name] = JSON(bytes) }
      return .object([
        "peakResident": peakResident.json, "nullPeakResident": nullPeakResident.json,
        "resident": resident.json, "proportional": proportional.json,
        "nullProportional": nullProportional.json, "groupPeak": groupPeak.json,
        "runtime": .members(members),
      ])
    }

    /// Reads figures; `nil` when these are none.
    init?(json: JSON) {
      guard json.pairs != nil else { return nil }
      self.init()
      peakResident = Figure(json: json["peakResident"], \.int)
      nullPeakResident = Figure(json: json["nullPeakResident"], \.int)
      resident = Figure(json: json["resident"], \.int)
      proportional = Figure(json: json["proportional"], \.int)
      nullProportional = Figure(json: json["nullProportional"], \.int)
      groupPeak = Figure(json: json["groupPeak"], \.int)
      for (name, value) in json["runtime"]?.pairs ?? [] { runtime[name] = value.int }
    }
  }
}
