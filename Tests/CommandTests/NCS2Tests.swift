import AssayBase
import AssayHost
import AssayTestSupport
import Testing

/// The stick's own release of OpenVINO, with its processor in the stick's place.
@Suite(
  .enabled(
    if: Host.exists(Host.join(AssayHome.path, "tools/openvino2021")),
    "OpenVINO 2021.4 is not installed: scripts/setup --ncs2"
  )
) struct NCS2Tests {
  @Test func aNetworkIsAskedForAndMeasured() throws {
    try withFolder { folder in
      func run(_ words: String...) throws -> CommandRun {
        try assay(
          ["ncs2", digits + "/model.h5", "--store", folder + "/store.sqlite"] + words,
          in: folder
        )
      }
      let asked = try run()
      #expect(asked.status == 0, "\(asked.errors)")
      #expect(asked.output.hasPrefix("the MYRIAD plugin takes all"))
      let measured = try run("--measure", "--target", "CPU", "--preset", "quick")
      #expect(measured.output.contains("VALID: \(digits)/model.h5 on openvino2021 2021.4.2"))
      #expect(measured.output.contains("latency p50"))
      // Without a stick its plugin's own words are the reason.
      let absent = try run("--measure", "--preset", "quick")
      #expect(absent.status == 1)
      #expect(absent.output.contains("VND032") || absent.output.contains("latency p50"))
    }
  }
}
