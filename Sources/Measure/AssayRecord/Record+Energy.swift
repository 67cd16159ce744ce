import AssayBase

extension Record {
  /// What one meter says of the energy of the record's timed inferences.
  public struct Energy: Sendable, Equatable {
    /// Where figures come from; the three are never mixed.
    public enum Provenance: String, Sendable {
      /// An instrument told them.
      case measured
      /// Watts that the user gave, times time.
      case estimated
      /// An instrument that tells the same number whatever runs.
      case constant
    }

    /// A figure with its uncertainty.
    public struct Quantity: Sendable, Equatable {
      /// The figure: joules or watts.
      public var value: Double
      /// Half of the interval that holds the true value with 95 % confidence (GUM: expanded
      /// uncertainty); `nil` when nothing is known, as for estimates.
      public var uncertainty: Double?

      /// Makes a figure.
      public init(_ value: Double, uncertainty: Double? = nil) {
        self.value = value
        self.uncertainty = uncertainty
      }

      /// The same for a part of it.
      public func divided(by count: Int) -> Quantity {
        Quantity(value / Double(count), uncertainty: uncertainty.map { $0 / Double(count) })
      }
    }

    /// One line of a budget of uncertainty.
    public struct Contribution: Sendable, Equatable {
      /// Where it comes from: `gain`, `offset`, `resolution`, `sampling`, `join`, `baseline`.
      public var name: String
      /// Standard uncertainty of the total, joules.
      public var total: Double
      /// Standard uncertainty of the energy above idle, joules.
      public var net: Double
      /// What it was made of, in words.
      public var source: String

      /// Makes a line.
      public init(_ name: String, total: Double, net: Double, source: String) {
        self.name = name
        self.total = total
        self.net = net
        self.source = source
      }
    }

    /// What one of the meter's channels says.
    public struct Domain: Sendable, Equatable {
      /// The channel's name, such as `package-0`.
      public var name: String
      /// What it covers, such as `package` or `board`.
      public var scope: String
      /// Whether it stands for the device; others are parts of it.
      public var isPrimary: Bool
      /// Readings within the windows.
      public var readingCount: Int
      /// Joules of all windows.
      public var total: Figure<Quantity>
      /// The same without what the idle machine takes.
      public var net: Figure<Quantity>
      /// Watts of the idle machine, before and after.
      public var idlePower: Figure<Quantity>
      /// The budget of the uncertainties.
      public var budget: [Contribution]

      /// Makes a domain.
      public init(
        name: String,
        scope: String,
        isPrimary: Bool,
        readingCount: Int,
        total: Figure<Quantity>,
        net: Figure<Quantity>,
        idlePower: Figure<Quantity>,
        budget: [Contribution] = []
      ) {
        self.name = name
        self.scope = scope
        self.isPrimary = isPrimary
        self.readingCount = readingCount
        self.total = total
        self.net = net
        self.idlePower = idlePower
        self.budget = budget
      }
    }

    /// How the meter's clock was joined with that of the windows.
    public struct Join: Sendable, Equatable {
      /// `host`, `marker` or `given`.
      public var method: String
      /// This machine's time less the meter's, nanoseconds.
      public var offsetNanoseconds: Double
      /// By how much this machine's clock gains on the meter's, parts per million.
      public var driftPPM: Double
      /// Standard uncertainty of a joined time, nanoseconds.
      public var uncertaintyNanoseconds: Double

      /// Makes a join.
      public init(
        method: String,
        offsetNanoseconds: Double,
        driftPPM: Double,
        uncertaintyNanoseconds: Double
      ) {
        self.method = method
        self.offsetNanoseconds = offsetNanoseconds
        self.driftPPM = driftPPM
        self.uncertaintyNanoseconds = uncertaintyNanoseconds
      }
    }

    /// The driver's word, such as `rapl`; `estimate` for an estimate.
    public var driver: String
    /// What the instrument calls itself.
    public var meter: String
    /// Its serial number.
    public var serial: String?
    /// Its version.
    public var version: String?
    /// Where the figures come from.
    public var provenance: Provenance
    /// Seconds of all windows.
    public var seconds: Double
    /// Inferences in the windows.
    public var inferenceCount: Int
    /// How many windows there are.
    public var windowCount: Int
    /// Readings a second; `nil` for an estimate.
    public var rate: Double?
    /// How the clocks were joined; `nil` for an estimate.
    public var join: Join?
    /// What each channel says.
    public var domains: [Domain]

    /// Makes an energy without domains.
    public init(
      driver: String,
      meter: String,
      provenance: Provenance,
      seconds: Double,
      inferenceCount: Int,
      windowCount: Int
    ) {
      self.driver = driver
      self.meter = meter
      self.provenance = provenance
      self.seconds = seconds
      self.inferenceCount = inferenceCount
      self.windowCount = windowCount
      domains = []
    }

    /// The domain that stands for the device.
    public var primary: Domain? { domains.first { $0.isPrimary } ?? domains.first }

    /// Joules of one inference, idle included.
    public var perInference: Figure<Quantity> { each(primary?.total) }

    /// Joules of one inference above what the idle machine takes.
    public var netPerInference: Figure<Quantity> { each(primary?.net) }

    private func each(_ figure: Figure<Quantity>?) -> Figure<Quantity> {
      guard let figure else { return .missing(reason: "the meter has no channel") }
      guard inferenceCount > 0 else { return .missing(reason: "no inference was timed") }
      return figure.map { $0.divided(by: inferenceCount) }
    }
  }

  /// The energy that tables show: measured before estimated, in the order of the meters.
  public var mainEnergy: Energy? {
    energy.first { $0.provenance == .measured && $0.perInference.value != nil }
      ?? energy.first { $0.perInference.value != nil } ?? energy.first
  }
}
