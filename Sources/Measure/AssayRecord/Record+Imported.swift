import AssayBase

extension Record {
  /// Where the figures of a record come from that Assay did not take itself.
  ///
  /// Such a record keeps every figure as its source states it, and says what the source leaves out. What
  /// it states of latency stands in for samples where it has none; what a model of the hardware
  /// estimated never does.
  public struct Imported: Sendable, Equatable {
    /// How the source came by its figures.
    public enum Origin: String, Sendable, CaseIterable {
      /// A program timed the network on hardware, out of Assay's sight.
      case measured
      /// A publication states them.
      case published
      /// A model of the hardware computed them; nothing ran.
      case estimated
    }

    /// One figure as the source states it.
    public struct Stated: Sendable, Equatable {
      /// What it is, such as `latency.median` or `memory.peak`.
      public var name: String
      /// The number as it stands in the source, finite.
      public var value: Double
      /// Its unit as the source has it: `ns`, `us`, `ms`, `s`, `1/s`, `J`, `KiB`; `1` for a count or part.
      public var unit: String
      /// Where it stands, such as `line 12`.
      public var place: String

      /// Makes a figure.
      public init(_ name: String, _ value: Double, _ unit: String, at place: String) {
        self.name = name
        self.value = value
        self.unit = unit
        self.place = place
      }

      /// The same in nanoseconds; `nil` when it is no time, or one that a record cannot hold.
      public var nanoseconds: Double? {
        let factor: Double? =
          switch unit {
          case "ns": 1
          case "us": 1e3
          case "ms": 1e6
          case "s": 1e9
          case "min": 60e9
          default: nil
          }
        guard let factor, abs(value * factor) < 9e18 else { return nil }
        return value * factor
      }

      /// The same in bytes; `nil` when it is no amount of memory.
      public var bytes: Double? {
        let factor: Double? =
          switch unit {
          case "B": 1
          case "kB": 1e3
          case "MB": 1e6
          case "KiB": 1024
          case "MiB": 1_048_576
          default: nil
          }
        guard let factor, abs(value * factor) < 9e18 else { return nil }
        return value * factor
      }
    }

    /// Something that a record of Assay's own would have, and why this one has not.
    public struct Gap: Sendable, Equatable {
      /// What is missing, such as `samples`.
      public var name: String
      /// Why.
      public var reason: String

      /// Makes a gap.
      public init(_ name: String, _ reason: String) {
        self.name = name
        self.reason = reason
      }
    }

    /// The importer's name for what it read, such as `benchmark_app`.
    public var format: String
    /// The program or publication that the figures are of.
    public var tool: String
    /// Its version; `nil` when the source does not tell.
    public var toolVersion: String?
    /// The file that was read, as the user gave it.
    public var file: String
    /// SHA-256 of that file, hexadecimal.
    public var fileSHA256: String
    /// Who imported it, in the user's own words or the name of the account.
    public var by: String
    /// When, nanoseconds since 1970 (UTC).
    public var at: Int64
    /// How the source came by its figures.
    public var origin: Origin
    /// What the source states.
    public var figures: [Stated]
    /// What it leaves out.
    public var gaps: [Gap]

    /// Makes a provenance without figures.
    public init(
      format: String,
      tool: String,
      toolVersion: String? = nil,
      file: String,
      fileSHA256: String,
      by: String,
      at: Int64,
      origin: Origin
    ) {
      self.format = format
      self.tool = tool
      self.toolVersion = toolVersion
      self.file = file
      self.fileSHA256 = fileSHA256
      self.by = by
      self.at = at
      self.origin = origin
      figures = []
      gaps = []
    }

    /// The first figure of a name.
    public subscript(name: String) -> Stated? { figures.first { $0.name == name } }

    /// What tables say beside the figures: `imported`, `published` or `estimated`.
    public var mark: String { origin == .measured ? "imported" : origin.rawValue }
  }
}

extension Record.Imported {
  /// What the source states of latency, in the place of what samples would say.
  ///
  /// Without intervals: nobody can tell them from an aggregate. Of an estimate nothing is taken over.
  var summary: Summary {
    var summary = Summary(samples: [])
    func nanoseconds(_ name: String) -> Figure<Int64> {
      guard let figure = self[name], let time = figure.nanoseconds, time > 0 else {
        return .missing(reason: "\(tool) does not state it")
      }
      guard origin != .estimated else {
        return .missing(
          reason: "\(tool) estimates \(Words.time(time)); nothing was measured"
        )
      }
      return .value(Int64(time.rounded()))
    }
    func quantile(_ name: String) -> Figure<Quantile> {
      nanoseconds(name).map {
        Quantile(value: $0, interval: .missing(reason: "\(tool) states no samples"))
      }
    }
    summary.minimum = nanoseconds("latency.min")
    summary.maximum = nanoseconds("latency.max")
    summary.mean = nanoseconds("latency.mean").map { Double($0) }
    summary.p50 = quantile("latency.median")
    summary.p90 = quantile("latency.p90")
    summary.p99 = quantile("latency.p99")
    if let rate = self["throughput"], rate.unit == "1/s", rate.value > 0 {
      summary.throughput =
        origin == .estimated
        ? .missing(
          reason: "\(tool) estimates \(Words.rate(rate.value)); nothing was measured"
        )
        : .value(rate.value)
    } else {
      summary.throughput = .missing(reason: "\(tool) does not state it")
    }
    return summary
  }

  /// The provenance as a record keeps it.
  var json: JSON {
    var object = JSON.object([
      "format": .string(format), "tool": .string(tool),
    ])
    object["toolVersion"] = toolVersion.map { .string($0) }
    object["file"] = .string(file)
    object["fileSha256"] = .string(fileSHA256)
    object["by"] = .string(by)
    object["at"] = .integer(at)
    object["origin"] = .string(origin.rawValue)
    object["stated"] = .array(
      figures.map {
        .object([
          "name": .string($0.name), "value": .number($0.value), "unit": .string($0.unit),
          "at": .string($0.place),
        ])
      }
    )
    object["missing"] = .array(
      gaps.map { .object(["name": .string($0.name), "reason": .string($0.reason)]) }
    )
    return object
  }

  /// Reads the form that `json` gives; `nil` when it is something else.
  init?(json: JSON) {
    guard let format = json["format"]?.string, let tool = json["tool"]?.string,
      let file = json["file"]?.string, let sha256 = json["fileSha256"]?.string,
      let by = json["by"]?.string, let at = json["at"]?.int,
      let origin = json["origin"]?.string.flatMap(Origin.init(rawValue:)),
      let stated = json["stated"]?.array, let missing = json["missing"]?.array
    else { return nil }
    self.init(
      format: format,
      tool: tool,
      toolVersion: json["toolVersion"]?.string,
      file: file,
      fileSHA256: sha256,
      by: by,
      at: Int64(at),
      origin: origin
    )
    for member in stated {
      guard let name = member["name"]?.string, let value = member["value"]?.double,
        value.isFinite, let unit = member["unit"]?.string, let place = member["at"]?.string
      else { return nil }
      figures.append(Stated(name, value, unit, at: place))
    }
    for member in missing {
      guard let name = member["name"]?.string, let reason = member["reason"]?.string else {
        return nil
      }
      gaps.append(Gap(name, reason))
    }
  }
}
