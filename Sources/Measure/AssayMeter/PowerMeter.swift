import AssayBase

/// An instrument that tells power or energy: a counter of the processor, a sensor on a board, or a
/// device on the bench.
///
/// A driver is a small value; `open` takes the instrument. Nothing here computes energy from time:
/// what does not measure is no meter.
public protocol PowerMeter: Sendable {
  /// The word that names it on the command line, such as `rapl`.
  var id: String { get }
  /// What it measures, in a few words.
  var summary: String { get }
  /// Whether there is such an instrument here and it may be read.
  func probe() -> Availability
  /// Takes the instrument.
  ///
  /// - Throws: `Diagnostic` MTR… with a remedy.
  func open(_ options: MeterOptions) throws -> any MeterReader
}

extension PowerMeter {
  /// Whether it can be taken, told by doing so: its channels, or why not.
  ///
  /// - Parameter remedy: what mends a fault that does not say so itself.
  public func probeByOpening(remedy: String) -> Availability {
    do {
      let reader = try open(MeterOptions())
      return .available(version: reader.channels.map(\.name).joined(separator: ", "))
    } catch {
      return Availability(unavailableBecauseOf: error, remedy: remedy)
    }
  }
}

/// What the user asks of a meter: `rapl:rate=50;gain=2%`.
public struct MeterOptions: Sendable, Equatable {
  /// Readings a second; `nil` for the driver's own rate.
  public var rate: Double?
  /// The rest, by name: a path, a command, a voltage.
  public var values: [String: String]
  /// Processors that a thread of the driver may run on; empty for any.
  public var processors: [Int]

  /// Makes options.
  public init(rate: Double? = nil, values: [String: String] = [:], processors: [Int] = []) {
    self.rate = rate
    self.values = values
    self.processors = processors
  }
}

/// What a channel of a meter covers, from the widest to the narrowest.
public enum MeterScope: String, Sendable, CaseIterable {
  /// Everything behind the plug.
  case wall
  /// What the battery gives.
  case battery
  /// What a bench supply gives to the device.
  case supply
  /// A whole board.
  case board
  /// Processor, memory and what else the platform counts.
  case platform
  /// A processor's package.
  case package
  /// A graphics card.
  case gpu
  /// The cores of a package.
  case core
  /// What of a package is no core.
  case uncore
  /// Memory.
  case memory
  /// One rail of a board.
  case rail
}

/// One figure that a meter gives.
public struct MeterChannel: Sendable, Equatable {
  /// What its numbers are.
  public enum Quantity: String, Sendable {
    /// Power, watts.
    case power
    /// Energy since some moment, joules; never falls.
    case energy
    /// Current, amperes: shown, not integrated.
    case current
    /// Voltage, volts: shown, not integrated.
    case voltage

    /// The unit of its numbers.
    public var unit: String {
      switch self {
      case .power: "W"
      case .energy: "J"
      case .current: "A"
      case .voltage: "V"
      }
    }
  }

  /// Its name, such as `package-0` or `VDD_IN`.
  public var name: String
  /// What its numbers are.
  public var quantity: Quantity
  /// What it covers.
  public var scope: MeterScope
  /// Whether it is the one that stands for the device; the others are parts of it or beside it.
  public var isPrimary: Bool
  /// How well it is known.
  public var accuracy: MeterAccuracy

  /// Makes a channel.
  public init(
    _ name: String,
    _ quantity: Quantity,
    _ scope: MeterScope,
    isPrimary: Bool = false,
    accuracy: MeterAccuracy
  ) {
    self.name = name
    self.quantity = quantity
    self.scope = scope
    self.isPrimary = isPrimary
    self.accuracy = accuracy
  }

  /// Whether energy can be made of it.
  public var tellsEnergy: Bool { quantity == .power || quantity == .energy }
}

/// Which instrument it was.
public struct MeterIdentity: Sendable, Equatable {
  /// The driver's word.
  public var driver: String
  /// What the instrument calls itself.
  public var name: String
  /// Its serial number, where it has one.
  public var serial: String?
  /// Versions of its firmware or of the library that reads it.
  public var version: String?
  /// Whether its numbers are made by a model and not by an instrument.
  public var isEstimate: Bool

  /// Makes an identity.
  public init(
    driver: String,
    name: String,
    serial: String? = nil,
    version: String? = nil,
    isEstimate: Bool = false
  ) {
    self.driver = driver
    self.name = name
    self.serial = serial
    self.version = version
    self.isEstimate = isEstimate
  }
}

/// An open instrument.
///
/// Belongs to the thread that samples it.
public protocol MeterReader: AnyObject {
  /// Which instrument it is.
  var identity: MeterIdentity { get }
  /// What it gives, in the order of its rows.
  var channels: [MeterChannel] { get }
  /// Nanoseconds between readings.
  var period: UInt64 { get }
  /// Whether the sampler has to ask at each period; otherwise `read` waits for what comes.
  var isPolled: Bool { get }
  /// Which clock its times are of.
  var clock: PowerTrace.Clock { get }
  /// Adds what there is to read.
  ///
  /// A reader that is not polled returns by `deadline` (monotonic nanoseconds) at the latest, with or
  /// without rows.
  ///
  /// - Throws: `Diagnostic` MTR010 when the instrument fails.
  func read(into trace: inout PowerTrace, until deadline: UInt64) throws
  /// Lets the instrument go; what is known only now goes into the trace.
  func finish(_ trace: inout PowerTrace)
}

extension MeterReader {
  public var clock: PowerTrace.Clock { .host }
  public func finish(_ trace: inout PowerTrace) {}
}
