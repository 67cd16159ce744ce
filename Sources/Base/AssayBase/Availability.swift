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
}
