import AssayBase

extension Record {
  /// When the timed inferences of one round ran, on the machine's monotonic clock.
  ///
  /// Nanoseconds since an unspecified moment, comparable between processes of one machine until it is
  /// started anew; what other instruments saw meanwhile is found by them.
  public struct Window: Sendable, Equatable {
    /// Before the first inference.
    public var begin: Int64
    /// After the last inference.
    public var end: Int64

    /// Makes a window.
    public init(begin: Int64, end: Int64) {
      self.begin = begin
      self.end = end
    }

    /// The window as `[begin, end]`.
    var json: JSON { .array([.integer(begin), .integer(end)]) }

    /// Reads `[begin, end]`; `nil` when it is anything else.
    init?(json: JSON) {
      guard let numbers = json.array, numbers.count == 2, let begin = numbers[0].int,
        let end = numbers[1].int
      else { return nil }
      self.init(begin: Int64(begin), end: Int64(end))
    }
  }
}
