import AssayBase
import AssayHost
import AssayTestSupport
import Testing

@testable import AssayMeter

@Suite struct SysfsMeterTests {
  private let powercap = "sys/class/powercap"

  @Test func raplReadsEveryDomainAndAddsPackagesAndMemory() throws {
    let tree = try Tree([
      "\(powercap)/intel-rapl/enabled": "1\n",
      "\(powercap)/intel-rapl:0/name": "package-0\n",
      "\(powercap)/intel-rapl:0/energy_uj": "1000000\n",
      "\(powercap)/intel-rapl:0/max_energy_range_uj": "262143328850\n",
      "\(powercap)/intel-rapl:0:0/name": "core\n",
      "\(powercap)/intel-rapl:0:0/energy_uj": "10\n",
      "\(powercap)/intel-rapl:0:0/max_energy_range_uj": "262143328850\n",
      "\(powercap)/intel-rapl:0:1/name": "dram\n",
      "\(powercap)/intel-rapl:0:1/energy_uj": "65712999000\n",
      "\(powercap)/intel-rapl:0:1/max_energy_range_uj": "65712999613\n",
      "\(powercap)/intel-rapl-mmio:0/name": "package-0\n",
      "\(powercap)/intel-rapl-mmio:0/energy_uj": "5\n",
    ])
    let meter = RAPLMeter(root: tree.path)
    #expect(meter.probe().version == "package-0, package-0/core, package-0/dram")
    let reader = try meter.open(MeterOptions(rate: 200))
    #expect(reader.period == 5_000_000)
    let trace = try rows(reader, 2) { index in
      guard index == 0 else { return }
      try tree.update("\(powercap)/intel-rapl:0/energy_uj", "3500000\n")
      try tree.update("\(powercap)/intel-rapl:0:0/energy_uj", "20\n")
      // The memory's counter starts anew.
      try tree.update("\(powercap)/intel-rapl:0:1/energy_uj", "387\n")
    }
    #expect(
      trace.channels.map(\.name) == [
        "package-0", "package-0/core", "package-0/dram", "packages and memory",
      ]
    )
    #expect(trace.values.map { $0[1] - $0[0] } == [2.5, 1e-5, 0.001, 2.501])
    #expect(trace.channels.filter(\.isPrimary).map(\.name) == ["packages and memory"])
    #expect(trace.times[0] < trace.times[1])
  }

  @Test func raplOfTheFixturesWrapsAsItsAuthorsSay() throws {
    guard let folder = TestData.sharedFile("fixtures/power/rapl"),
      let text = Host.smallText(folder + "/wrap_case.json"), let shared = TestData.shared
    else { return }
    let facts = try JSON(parsing: text)
    let meter = RAPLMeter(root: shared + "/fixtures/power/rapl")
    #expect(meter.probe().version?.contains("psys") == true)
    var counter = WrappingCounter(range: Int64(try #require(facts["max_energy_range_uj"]?.int)))
    _ = counter.advanced(to: Int64(try #require(facts["before_uj"]?.int)))
    #expect(
      counter.advanced(to: Int64(try #require(facts["after_uj"]?.int)))
        == Int64(try #require(facts["delta_uj"]?.int))
    )
    let trace = try rows(try meter.open(MeterOptions()), 2)
    // The platform's counter covers the packages.
    #expect(trace.channels.filter(\.isPrimary).map(\.name) == ["psys"])
  }

  @Test func raplSaysHowToGetPermission() throws {
    let empty = try Tree()
    #expect(RAPLMeter(root: empty.path).probe().isAvailable == false)
    let tree = try Tree([
      "\(powercap)/intel-rapl:0/name": "package-0\n",
      "\(powercap)/intel-rapl:0/energy_uj": "1\n",
    ])
    PlainFile.setMode(Host.join(tree.path, "\(powercap)/intel-rapl:0/energy_uj"), 0)
    guard !PlainFile.isRoot else { return }
    let state = RAPLMeter(root: tree.path).probe()
    #expect(state.reason?.contains("root only") == true)
    #expect(state.remedy?.contains("chmod") == true)
    #expect(throws: Diagnostic.self) { try RAPLMeter(root: tree.path).open(MeterOptions()) }
  }

  @Test func aCounterThatVanishesIsAFault() throws {
    let tree = try Tree([
      "\(powercap)/intel-rapl:0/name": "package-0\n",
      "\(powercap)/intel-rapl:0/energy_uj": "1\n",
      "\(powercap)/intel-rapl:0/max_energy_range_uj": "100\n",
    ])
    let reader = try RAPLMeter(root: tree.path).open(MeterOptions())
    try tree.update("\(powercap)/intel-rapl:0/energy_uj", "not a number\n")
    #expect { try rows(reader, 1) } throws: { ($0 as? Diagnostic)?.code == "MTR010" }
  }

  @Test func hwmonTakesPowerEnergyOrVoltsTimesAmperes() throws {
    let tree = try Tree([
      "sys/class/hwmon/hwmon0/name": "ina226\n",
      "sys/class/hwmon/hwmon0/power1_input": "2500000\n",
      "sys/class/hwmon/hwmon0/power1_label": "VBAT\n",
      "sys/class/hwmon/hwmon1/name": "acpitz\n",
      "sys/class/hwmon/hwmon1/temp1_input": "40000\n",
      "sys/class/hwmon/hwmon2/name": "amd_energy\n",
      "sys/class/hwmon/hwmon2/energy1_input": "7000000\n",
      "sys/class/hwmon/hwmon3/name": "board\n",
      "sys/class/hwmon/hwmon3/in1_input": "5000\n",
      "sys/class/hwmon/hwmon3/curr1_input": "300\n",
      "sys/class/hwmon/hwmon4/name": "amdgpu\n",
      "sys/class/hwmon/hwmon4/power1_average": "31000000\n",
    ])
    let trace = try rows(try HwmonMeter(root: tree.path).open(MeterOptions()), 1)
    #expect(
      trace.channels.map(\.name) == [
        "VBAT", "amd_energy energy1", "board in1", "amdgpu power1",
      ]
    )
    #expect(trace.values.map { $0[0] } == [2.5, 7, 1.5, 31])
    #expect(trace.channels.map(\.quantity) == [.power, .energy, .power, .power])
    #expect(trace.channels[3].scope == .gpu && trace.channels[0].isPrimary)
    #expect(HwmonMeter(root: try Tree().path).probe().isAvailable == false)
  }

  @Test(arguments: [
    ("jp4_nano", ["POM_5V_IN", "POM_5V_GPU", "POM_5V_CPU"], "POM_5V_IN", 2.871),
    ("jp5_orin_nano", ["VDD_IN", "VDD_CPU_GPU_CV", "VDD_SOC"], "VDD_IN", 4.936 * 1.012),
    (
      "jp5_agx_orin",
      ["VDD_GPU_SOC", "VDD_CPU_CV", "VIN_SYS_5V0", "VDDQ_VDD2_1V8AO", "all rails"], "all rails",
      19.92 * 0.16 + 19.92 * 0.04 + 4.968 * 0.912 + 4.968 * 0.144
    ),
  ])
  func jetsonRailsOfEachGeneration(
    _ board: String,
    _ names: [String],
    _ primary: String,
    _ watts: Double
  ) throws {
    guard let shared = TestData.shared else { return }
    let meter = JetsonMeter(root: shared + "/fixtures/power/jetson/\(board)")
    let trace = try rows(try meter.open(MeterOptions()), 1)
    #expect(trace.channels.map(\.name) == names)
    let index = try #require(trace.primary)
    #expect(trace.channels[index].name == primary)
    #expect(abs(trace.values[index][0] - watts) < 1e-9)
  }

  @Test func aBatteryCountsOnlyWhileItIsInUse() throws {
    let supply = "sys/class/power_supply/BAT0"
    let tree = try Tree([
      "\(supply)/type": "Battery\n", "\(supply)/status": "Charging\n",
      "\(supply)/model_name": "45N1\n", "\(supply)/power_now": "9120000\n",
      "sys/class/power_supply/hidpp_battery_0/type": "Battery\n",
      "sys/class/power_supply/hidpp_battery_0/scope": "Device\n",
      "sys/class/power_supply/hidpp_battery_0/power_now": "1\n",
    ])
    let meter = BatteryMeter(root: tree.path)
    #expect(meter.probe().reason?.contains("charging") == true)
    try tree.write("\(supply)/status", "Discharging\n")
    #expect(meter.probe().version == "45N1")
    #expect(try rows(try meter.open(MeterOptions()), 1).values == [[9.12]])
  }

  @Test(arguments: [("-412500", 4.163 * 0.4125), ("412", 4.163 * 0.412)])
  func phonesTellCurrentsInTwoUnitsAndSigns(_ current: String, _ watts: Double) throws {
    let supply = "sys/class/power_supply/battery"
    let tree = try Tree([
      "\(supply)/status": "Discharging\n", "\(supply)/current_now": current + "\n",
      "\(supply)/voltage_now": "4163000\n",
    ])
    let trace = try rows(try BatteryMeter(root: tree.path).open(MeterOptions()), 1)
    #expect(abs(trace.values[0][0] - watts) < 1e-12)
  }
}
