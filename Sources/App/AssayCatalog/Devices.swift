import AssayBase
import AssayDevice
import DeviceADB
import DeviceSSH

extension Catalog {
  /// Kinds of devices.
  public static let deviceDrivers: [any DeviceDriver] = [
    LocalDriver(), SSHDriver(), ADBDriver(), ProgramDriver(),
  ]

  /// The state of each kind.
  public static func deviceProbes() -> [(driver: any DeviceDriver, probe: Probe)] {
    deviceDrivers.map { ($0, Probe(name: $0.scheme, availability: $0.probe())) }
  }

  /// The devices that can be seen, and those of the configuration file.
  public static func devices(_ book: DeviceBook) -> [DeviceListing] {
    var listings = deviceDrivers.flatMap { $0.list(book) }
    // One that a driver sees and that has a name is told once.
    for entry in book.entries {
      if let index = listings.firstIndex(where: { $0.address == entry.address }) {
        listings[index].name = listings[index].name ?? entry.name
      } else {
        listings.append(
          DeviceListing(address: entry.address, name: entry.name, note: "not seen now")
        )
      }
    }
    return listings
  }

  /// Opens the device that a word means: a name of the book or an address.
  ///
  /// - Throws: `Diagnostic` DEV001 to DEV004, or DEV014 for one in quarantine.
  public static func device(
    _ word: String,
    _ book: DeviceBook
  ) throws -> (device: any Device, settings: DeviceSettings) {
    let entry = try book.entry(word)
    guard let driver = deviceDrivers.first(where: { $0.scheme == entry.address.scheme }) else {
      throw Diagnostic(
        "DEV004",
        "there is no driver for \(entry.address.scheme) devices",
        remedy: "one of \(deviceDrivers.map(\.scheme).joined(separator: ", "))"
      )
    }
    if case .unavailable(let reason, let remedy) = driver.probe() {
      throw Diagnostic(
        "DEV004",
        "\(entry.address.scheme) devices cannot be driven from here: \(reason)",
        remedy: remedy
      )
    }
    try DeviceQuarantine().refuse(entry.address)
    return (try driver.open(entry.address, entry.settings), entry.settings)
  }
}
