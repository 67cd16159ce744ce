import AssayBase

extension Record {
  /// The accelerator that ran the model, and what was compiled for it.
  public struct Accelerator: Sendable, Equatable {
    /// What it is: `edgetpu`.
    public var kind: String
    /// The system's name for it.
    public var path: String?
    /// How it is connected: `usb`, `pcie`.
    public var bus: String?
    /// The link in words, such as `USB 3 (5000 Mb/s)`.
    public var link: String?
    /// The link's speed, megabits a second.
    public var linkMbps: Int?
    /// The clock that was asked for, such as `maximum`; `nil` for the library's own choice.
    public var clock: String?
    /// The same in megahertz.
    public var clockMHz: Int?
    /// The library that drives it.
    public var library: String?
    /// Its own words for its version.
    public var libraryVersion: String?
    /// The version of its runtime.
    public var runtimeVersion: Int?
    /// The version of the compiler that made the file.
    public var compiler: String?
    /// The oldest runtime that the file is for.
    public var minimumRuntime: Int?
    /// Degrees Celsius before and after.
    public var celsiusBefore: Figure<Double>
    public var celsiusAfter: Figure<Double>

    /// Makes an accelerator of which nothing else is known.
    public init(kind: String) {
      self.kind = kind
      celsiusBefore = .missing(reason: "it does not tell its temperature")
      celsiusAfter = .missing(reason: "it does not tell its temperature")
    }

    /// As a record keeps it.
    public var json: JSON {
      var object = JSON.object(["kind": .string(kind)])
      object["path"] = path.map { .string($0) }
      object["bus"] = bus.map { .string($0) }
      object["link"] = link.map { .string($0) }
      object["linkMbps"] = linkMbps.map { JSON($0) }
      object["clock"] = clock.map { .string($0) }
      object["clockMHz"] = clockMHz.map { JSON($0) }
      object["library"] = library.map { .string($0) }
      object["libraryVersion"] = libraryVersion.map { .string($0) }
      object["runtimeVersion"] = runtimeVersion.map { JSON($0) }
      object["compiler"] = compiler.map { .string($0) }
      object["minimumRuntime"] = minimumRuntime.map { JSON($0) }
      object["celsiusBefore"] = celsiusBefore.json
      object["celsiusAfter"] = celsiusAfter.json
      return object
    }

    /// Reads an accelerator; `nil` when it is none.
    public init?(json: JSON) {
      guard let kind = json["kind"]?.string else { return nil }
      self.init(kind: kind)
      note(json)
      celsiusBefore = Figure(json: json["celsiusBefore"], \.double)
      celsiusAfter = Figure(json: json["celsiusAfter"], \.double)
    }

    /// Takes over what a session tells (`Session.accelerator`); what it does not tell stays.
    public mutating func note(_ facts: JSON) {
      path = facts["path"]?.string ?? path
      bus = facts["bus"]?.string ?? bus
      link = facts["link"]?.string ?? link
      linkMbps = facts["linkMbps"]?.int ?? linkMbps
      clock = facts["clock"]?.string ?? clock
      clockMHz = facts["clockMHz"]?.int ?? clockMHz
      library = facts["library"]?.string ?? library
      libraryVersion = facts["libraryVersion"]?.string ?? libraryVersion
      runtimeVersion = facts["runtimeVersion"]?.int ?? runtimeVersion
      compiler = facts["compiler"]?.string ?? compiler
      minimumRuntime = facts["minimumRuntime"]?.int ?? minimumRuntime
    }

    /// It in a few words, such as `maximum clock, USB 3 (5000 Mb/s), libedgetpu RuntimeVersion 14`.
    public var text: String {
      var words: [String] = []
      if let clock { words.append("\(clock) clock" + (clockMHz.map { " (\($0) MHz)" } ?? "")) }
      if let link { words.append(link) }
      if let celsius = celsiusAfter.value { words.append("\(Words.fixed(celsius, 1)) °C after") }
      if let libraryVersion { words.append("library \(libraryVersion)") }
      if let minimumRuntime {
        words.append(
          "compiled" + (compiler.map { " by \($0)" } ?? "") + " for runtime \(minimumRuntime)"
        )
      }
      return words.joined(separator: ", ")
    }
  }
}
