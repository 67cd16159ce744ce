import AssayBase
import AssayHost
import AssayTestSupport
import Testing

@testable import AssayDevice
@testable import AssayPhone

@Suite struct PhoneStateTests {
  private static let transcript = """
    @uptime
    349.91 1200.00
    @battery
    Current Battery Service state:
      AC powered: false
      USB powered: true
      Wireless powered: false
      Charge counter: 3120000
      status: 2
      level: 83
      scale: 100
      voltage: 4163
      temperature: 287
    @thermal
    IsStatusOverride: false
    Thermal Status: 2
    @zones
    cpu-0-0 45200
    battery 28700
    gpu 41
    off -273000
    @governor
    schedutil
    schedutil
    @frequency
    1803000
    @power
      mWakefulness=Awake
    @airplane
    0
    @saving
    1
    """

  @Test func aStateIsRead() throws {
    let state = PhoneState(transcript: Self.transcript)
    #expect(state.uptime == 349.91)
    #expect(state.batteryLevel == 83)
    #expect(state.isPowered == true)
    #expect(state.batteryStatus == "charging")
    #expect(state.batteryCelsius == 28.7)
    #expect(state.throttling == 2)
    #expect(state.zones.map(\.celsius) == [45.2, 28.7, 41])
    #expect(state.hottest?.name == "cpu-0-0")
    #expect(state.governors == ["schedutil", "schedutil"])
    #expect(state.frequencies == [1_803_000])
    #expect(state.isScreenOn == true)
    #expect(state.isAirplaneMode == false)
    #expect(state.isPowerSaving == true)
    #expect(
      PhoneState.findings(before: state, after: nil).map(\.code)
        == ["PHN001", "PHN004", "PHN005", "PHN006"]
    )
  }

  @Test func whatIsNotToldIsNotKnown() {
    let state = PhoneState(transcript: "@battery\nCan't find service: battery\n@airplane\nnull\n")
    #expect(state == PhoneState())
    #expect(state.json == .emptyObject)
    #expect(PhoneState.findings(before: state, after: state).isEmpty)
  }

  @Test func damagedTranscriptsAreReadOrLeftOut() {
    forAll(count: 300) { rng in
      var bytes = Array(Self.transcript.utf8)
      for _ in 0..<rng.int(1...8) {
        bytes[rng.int(0...bytes.count - 1)] = UInt8(rng.int(0...255))
      }
      let state = PhoneState(transcript: String(decoding: bytes, as: UTF8.self))
      try #require(state.batteryLevel.map { (0...100).contains($0) } ?? true)
      try #require(state.zones.allSatisfy { (-30...150).contains($0.celsius) })
    }
  }

  @Test func coresAreChosenByKind() throws {
    var facts = DeviceFacts()
    facts.processorCount = 8
    func cluster(_ processors: [Int], _ capacity: Int) -> DeviceFacts.Cluster {
      DeviceFacts.Cluster(
        processors: processors,
        capacity: capacity,
        maximumFrequency: capacity * 2000
      )
    }
    #expect(throws: Diagnostic.self) { try PhoneCores.big.processors(of: facts) }
    facts.clusters = [cluster([0, 1, 2, 3], 446), cluster([6, 7], 1024), cluster([4, 5], 870)]
    #expect(try PhoneCores(parsing: "big").processors(of: facts) == [6, 7])
    #expect(try PhoneCores(parsing: "little").processors(of: facts) == [0, 1, 2, 3])
    #expect(try PhoneCores(parsing: "all").processors(of: facts) == nil)
    #expect(try PhoneCores(parsing: "4-6,1").processors(of: facts) == [1, 4, 5, 6])
    #expect(throws: Diagnostic.self) { try PhoneCores(parsing: "8").processors(of: facts) }
    #expect(PhoneCores.mask([4, 5, 6, 7]) == "f0")
    for text in ["", "big,little", "-1", "7-4", "4-", "64", "x"] {
      #expect(throws: Diagnostic.self, "\(text)") { try PhoneCores(parsing: text) }
    }
  }

  @Test(.enabled(if: TestData.shared != nil, "the shared test data is absent"))
  func railsOfAPixelAreRead() throws {
    let path = try #require(
      TestData.sharedFile("fixtures/power/android/iio_device0_energy_value.txt")
    )
    let rails = PhoneRails(try #require(try MappedFile(path: path).view.utf8))
    #expect(rails.joules.count == 8)
    #expect(rails.joules[0].name == "S10M_VDD_TPU")
    #expect(rails.joules[0].joules == 5.578821)
  }

  @Test func metersOfPhonesAreRead() throws {
    let rails = PhoneRails("t=1000\nCH0(T=1000)[VDD_TPU], 4200017\nCH1(T=1000)[VDD_CPU], 17\n")
    #expect(rails.joules.map(\.name) == ["VDD_TPU", "VDD_CPU"])
    #expect(rails.joules.map(\.joules) == [4.200017, 0.000017])
    let gauge = try #require(PhoneGauge("-412500\n4163000\nDischarging\n"))
    #expect(abs(gauge.watts - 1.7172375) < 1e-9)
    #expect(!gauge.isFed)
    // Some tell milliamperes and millivolts.
    #expect(abs((PhoneGauge("412\n4163\nDischarging")?.watts ?? 0) - 1.715156) < 1e-9)
    #expect(PhoneGauge("412\n4163\nCharging")?.isFed == true)
    #expect(PhoneGauge("x\n4163") == nil)
  }
}
