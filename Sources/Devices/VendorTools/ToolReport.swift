import AssayBase
import AssayRecord

/// What the output of a vendor's tool states, in one form for every tool.
///
/// Every number in it stands in the text that was read: nothing is computed but the change of a unit.
public struct ToolReport: Sendable, Equatable {
  /// The time of one operator or layer.
  public struct Operator: Sendable, Equatable {
    /// The tool's word for its kind; empty when it does not tell.
    public var kind: String
    /// Its name.
    public var node: String
    /// Its time in one inference; `nil` when the tool says that it did not run.
    public var time: Record.Imported.Stated?
    /// Where it runs or what executes it, in the tool's words; empty when it does not tell.
    public var place: String
    /// What else the tool states of it.
    public var figures: [Record.Imported.Stated]

    /// Makes an operator.
    public init(
      kind: String,
      node: String,
      time: Record.Imported.Stated?,
      place: String = "",
      figures: [Record.Imported.Stated] = []
    ) {
      self.kind = kind
      self.node = node
      self.time = time
      self.place = place
      self.figures = figures
    }
  }

  /// The tool's name.
  public var tool: String
  /// Its version.
  public var version: String?
  /// The model as the tool names it.
  public var model: String?
  /// The hardware that it ran on, in the tool's words.
  public var device: String?
  /// Words that describe the run, such as a precision; by our names for them.
  public var facts = JSON.Members()
  /// What it states.
  public var figures: [Record.Imported.Stated] = []
  /// Latencies of single inferences in the order of the source, in `sampleUnit`.
  public var samples: [Double] = []
  /// The unit of `samples`.
  public var sampleUnit = "ms"
  /// Times of operators.
  public var operators: [Operator] = []
  /// Why the run failed, in the tool's words; `nil` when it did not.
  public var failure: String?
  /// How the tool came by its figures.
  public var origin: Record.Imported.Origin
  /// What the reader should know.
  public var findings: [Diagnostic] = []

  /// Makes a report without figures.
  public init(tool: String, origin: Record.Imported.Origin = .measured) {
    self.tool = tool
    self.origin = origin
  }

  /// The first figure of a name.
  public subscript(name: String) -> Record.Imported.Stated? { figures.first { $0.name == name } }

  /// Adds a figure; what is no finite number is left out.
  public mutating func state(_ name: String, _ value: Double?, _ unit: String, at place: String) {
    guard let value, value.isFinite else { return }
    figures.append(Record.Imported.Stated(name, value, unit, at: place))
  }

  /// Notes a fact; empty words are left out.
  public mutating func note(_ key: String, _ words: some StringProtocol) {
    let text = words.trimmed
    if !text.isEmpty { facts[key] = .string(String(text)) }
  }
}
