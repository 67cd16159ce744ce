import AssayBase

/// The faults of the way to a device, in the same words for every driver.
public enum DeviceFault {
  /// Codes after which the way to the device may be climbed back by `DeviceLadder`.
  public static let ofTheWay: Set<String> = ["DEV010", "DEV011"]

  /// DEV010: the connection broke, or there is none.
  public static func lost(
    _ address: DeviceAddress,
    _ action: String,
    remedy: String? = nil,
    cause: String? = nil
  ) -> Diagnostic {
    Diagnostic(
      "DEV010",
      "the device was lost in \(action)",
      at: [address.text],
      remedy: remedy ?? "look at its power, cable or network; assay devices probe \(address.text)",
      cause: cause
    )
  }

  /// DEV011: no answer within the time limit.
  public static func silent(
    _ address: DeviceAddress,
    _ action: String,
    _ seconds: Double,
    cause: String? = nil
  ) -> Diagnostic {
    Diagnostic(
      "DEV011",
      "the device gave no answer in \(action) within \(Words.significant(seconds)) s",
      at: [address.text],
      remedy: "it hangs, or is slower than expected: \"patience\" in devices.json allows for more",
      cause: cause
    )
  }

  /// DEV012: the device is there and refuses.
  public static func refused(
    _ address: DeviceAddress,
    _ action: String,
    _ cause: String?
  ) -> Diagnostic {
    Diagnostic(
      "DEV012",
      "the device refused \(action)",
      at: [address.text],
      remedy: "see its words",
      cause: cause
    )
  }
}
