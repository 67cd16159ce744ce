import AssayBase
import AssayBench
import AssayCatalog
import AssayDevice
import AssayHost
import AssayMeter
import AssayPhone
import AssayRemote

/// Meters of a measurement on a device: its own, or instruments beside it.
///
/// Those that tell of this machine are refused.
func deviceMeters(
  _ words: String,
  on session: DeviceSession
) throws -> [(meter: any PowerMeter, options: MeterOptions)] {
  try MeterSpec.list(words).map { spec in
    let own = PhoneMeter.Source.allCases.first { "phone-\($0.rawValue)" == spec.driver }
    if own != nil || spec.driver == "board" {
      guard let device = session.device as? any ShellDevice else {
        throw Diagnostic(
          "MTR001",
          "\(session.name) has no shell that its meters could be read by",
          remedy: "an instrument beside it: see assay power list"
        )
      }
      if let own {
        guard device.address.scheme == "adb" else {
          throw Diagnostic("CLI009", "\(spec.driver) is a phone's", remedy: "--meter board")
        }
        return (PhoneMeter(device, own), spec.options)
      }
      return (BoardMeter(device), spec.options)
    }
    let meter = try Catalog.meter(spec.driver)
    guard ["monsoon", "command", "serial", "file", "virtual"].contains(meter.id) else {
      let phone = session.device.address.scheme == "adb"
      throw Diagnostic(
        "CLI009",
        "\(meter.id) measures this machine, not \(session.name)",
        remedy: phone
          ? "--meter phone-rails or phone-battery, or an instrument beside it: monsoon, serial, command, "
            + "file"
          : "--meter board for the board's own sensors, or an instrument beside it: monsoon, "
            + "serial, command, file"
      )
    }
    return (meter, spec.options)
  }
}
