import AssayBase
import AssayMeter

extension Catalog {
  /// Power meters, the finest first.
  public static let meters: [any PowerMeter] = [
    MonsoonMeter(), RAPLMeter(), NVMLMeter(), JetsonMeter(), HwmonMeter(), RaspberryPiMeter(),
    BatteryMeter(), LineMeter(.command), LineMeter(.serial), FileMeter(), VirtualMeter(),
  ]

  /// The state of each meter.
  public static func meterProbes() -> [(meter: any PowerMeter, probe: Probe)] {
    meters.map { ($0, Probe(name: $0.id, availability: $0.probe())) }
  }

  /// The meter with this id.
  ///
  /// - Throws: `Diagnostic` MTR003 with the nearest name.
  public static func meter(_ id: String) throws -> any PowerMeter {
    if let found = meters.first(where: { $0.id == id }) { return found }
    let guess = nearest(to: id, among: meters.map(\.id)).map { "; did you mean \($0)?" } ?? ""
    throw Diagnostic(
      "MTR003",
      "there is no meter '\(id)'",
      remedy: "one of \(meters.map(\.id).joined(separator: ", "))\(guess)"
    )
  }
}
