import AssayBase
import AssayTestSupport
import Testing

@testable import VendorPhone

@Suite(.enabled(if: TestData.shared != nil, "set ASSAY_TEST_DATA to the folder of real outputs"))
struct QualcommTests {
  private func text(_ name: String) throws -> String {
    let path = try #require(TestData.sharedFile("fixtures/\(name)"))
    return try #require(try MappedFile(path: path).view.utf8)
  }

  @Test(arguments: [
    ("cpu", "26431", "CPU", "us"), ("gpu", "11671", "GPU", "us"),
    ("dsp", "3311", "DSP", "cycles"),
  ])
  func diagnoses(name: String, inference: String, processor: String, unit: String) throws {
    let report = try SNPE.Diagnosis(parsing: text("snpe/diagview_\(name).txt"))
    #expect(report.inference?.text == inference)
    #expect(report.version == "2.9.0.4462")
    #expect(report.layers.map(\.index) == [0, 1, 2])
    #expect(Set(report.layers.map(\.unit)) == [unit])
    #expect(report.processors.map(\.name) == [processor])
    // Cycles are no time, and what was not measured is no zero.
    #expect((report.operators == nil) == (unit == "cycles"))
    #expect((report.microseconds["RPC Init Time"] == nil) == (name != "dsp"))
    #expect(report.microseconds["Init"] != nil)
  }

  @Test func throughput() throws {
    let two = try SNPE.Throughput(parsing: text("snpe/throughput_dsp_2threads.txt"))
    #expect(two.total.text == "1600.987")
    #expect(two.threads.map(\.number) == [0, 1])
    #expect(two.threads.map(\.runtime) == ["dsp_fixed8_tf", "dsp_fixed8_tf"])
    #expect(two.threads[1].images?.text == "7991")
    #expect(two.threads[0].teardown?.text == "10731")
    #expect(two.threads[0].batch?.text == "1")
    let one = try SNPE.Throughput(parsing: text("snpe/throughput_gpu.txt"))
    #expect(one.threads.map(\.rate.text) == ["118.402"])
    #expect(throws: Diagnostic.self) { try SNPE.Throughput(parsing: "[Thread 0 - x] 3 infs/sec") }
  }

  @Test func netRun() throws {
    let run = try SNPE.NetRun(parsing: text("snpe/net_run.txt"))
    #expect(run.version == "2.9.0.4462")
    #expect(run.inputs == ["cropped/chairs.raw", "cropped/plastic_cup.raw"])
    #expect(throws: Diagnostic.self) { try SNPE.NetRun(parsing: "error_code=500") }
  }

  @Test func profiles() throws {
    let basic = try QNN.Profile(parsing: text("qnn/profile_viewer_basic.txt"))
    #expect(basic.backend == "v2.26.0")
    #expect(
      [basic.minimum, basic.mean, basic.maximum].map { $0?.text } == ["2801", "2951", "3401"]
    )
    #expect(basic.accelerator?.text == "2491")
    #expect(basic["Init Stats", "NetRun"]?.figure.text == "331101")
    let rate = basic["Execute Stats (Overall)", "NetRun IPS (includes IO and misc. time)"]
    #expect(rate?.figure.text == "214.8801")
    #expect(rate?.unit == "inf/sec")
    #expect(basic.entries.count == 23)

    let cycles = try QNN.Profile(parsing: text("qnn/profile_viewer_detailed_cycles.txt"))
    #expect(cycles.operators.map(\.name) == ["Input", "conv1", "dwconv1"])
    #expect(cycles.operators.map(\.cycles.text) == ["0", "720301", "1995501"])
    #expect(cycles["Execute Stat 1", "QNN accelerator (execute) time"]?.figure.text == "2714601")
  }
}
