/// Whether a plug-in (a runtime, a device, a meter, a library) can be used here.
public enum Availability: Sendable, Equatable {
  /// Usable, in this version.
  case available(version: String)
  /// Not usable: why, and what to do about it.
  case unavailable(reason: String, remedy: String)

  /// Whether it can be used.
  public var isAvailable: Bool {
    if case .available = self { true } else { false }
  }

  /// Not usable, for the reason that an error gives.
  ///
  /// - Parameter remedy: what mends an error that does not say so itself.
  public init(unavailableBecauseOf error: any Error, remedy: String = "make setup") {
    let finding = error as? Diagnostic
    let reason = finding.map { [$0.summary, $0.cause].compactMap(\.self).joined(separator: ": ") }
    self = .unavailable(reason: reason ?? "\(error)", remedy: finding?.remedy ?? remedy)
  }
}
