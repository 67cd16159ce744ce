import AssayBase

/// What Qualcomm's QNN tools print.
public enum QNN {
  /// One figure of a report with the way to it.
  public struct Entry: Sendable, Equatable {
    /// The section, such as `Execute Stats (Average)` or `Execute Stat 1`.
    public var section: String
    /// The label as printed, such as `Backend (QNN accelerator (execute) time)`.
    public var label: String
    /// The figure.
    public var figure: Printed
    /// Its unit as printed: `us`, `cycles`, `count`, `inf/sec`.
    public var unit: String
    /// How far it was indented, which tells operators from what they belong to.
    public var depth: Int
  }

  /// The report of `qnn-profile-viewer`, in its basic or its detailed form.
  public struct Profile: Sendable, Equatable {
    /// Versions of the viewer and of the backend.
    public var version: String?
    public var backend: String?
    /// Every figure, in order.
    public var entries: [Entry] = []

    /// Every figure that was read, for checks.
    public var figures: [Printed] { entries.map(\.figure) }

    /// A figure of a section.
    public subscript(section: String, label: String) -> Entry? {
      entries.first { $0.section == section && $0.label == label }
    }

    /// The least, mean and greatest time of an inference as the host sees it, microseconds.
    public var mean: Printed? { self["Execute Stats (Average)", "NetRun"]?.figure }
    public var minimum: Printed? { self["Execute Stats (Min)", "NetRun"]?.figure }
    public var maximum: Printed? { self["Execute Stats (Max)", "NetRun"]?.figure }

    /// The mean time on the accelerator alone, microseconds.
    public var accelerator: Printed? {
      self["Execute Stats (Average)", "Backend (Accelerator (execute) time)"]?.figure
    }

    /// Operators with their cycles, in order: `name:OpId_16 (cycles)`.
    public var operators: [(name: String, cycles: Printed)] {
      entries.compactMap { entry in
        guard entry.unit == "cycles", let id = entry.label.range("OpId_"),
          let end = entry.label.range(" (cycles)")
        else { return nil }
        var name = entry.label[..<id.lowerBound].trimmed
        if name.last == ":" { name.removeLast() }
        return (name.isEmpty ? String(entry.label[..<end.lowerBound]) : String(name), entry.figure)
      }
    }

    /// Reads the report.
    ///
    /// - Throws: `Diagnostic` QCM004 when it holds no figure.
    public init(parsing text: String) throws {
      var section = ""
      for line in text.rows {
        let depth = line.prefix { $0 == " " }.count
        let content = line.trimmed
        if content.isEmpty || content.allSatisfy({ $0 == "-" }) { continue }
        if let found = content.after("qnn-net-run version: ") { version = String(found) }
        if let found = content.after("Backend Version: ") { backend = String(found) }
        if let entry = Profile.entry(content, section, depth) {
          entries.append(entry)
        } else if depth == 0 {
          // `Execute Stats (Average):`, `Execute Stat 1`; other headings stand below these.
          let heading = content.last == ":" ? content.dropLast() : content
          if heading.range(" Stat") != nil, heading.range("Statistics") == nil {
            section = String(heading)
          }
        }
      }
      guard !entries.isEmpty else {
        throw Diagnostic(
          "QCM004",
          "this is no report of qnn-profile-viewer",
          remedy: "give what qnn-profile-viewer --input_log qnn-profiling-data_0.log printed"
        )
      }
    }

    /// `LABEL: 2951 us`; the label may hold colons.
    private static func entry(_ text: Substring, _ section: String, _ depth: Int) -> Entry? {
      guard !section.isEmpty, let colon = text.lastIndex(of: ":") else { return nil }
      let words = text[text.index(after: colon)...].split(separator: " ")
      guard words.count == 2, units.contains(String(words[1])), let figure = Printed(words[0]),
        figure.value >= 0
      else { return nil }
      return Entry(
        section: section,
        label: String(text[..<colon].trimmed),
        figure: figure,
        unit: String(words[1]),
        depth: depth
      )
    }

    private static let units: Set<String> = ["us", "cycles", "count", "inf/sec"]
  }
}
