import AssayBase
import AssayHost
import AssayTestSupport
import Testing

/// `assay edgetpu` as a user runs it.
@Suite(.enabled(if: TestData.shared != nil, "set ASSAY_TEST_DATA to the folder of real models"))
struct EdgeTPUCommandTests {
  private func coral(_ name: String) throws -> String {
    try #require(TestData.sharedFile("models/coral/" + name))
  }

  @Test func predictionsAreCalledSo() throws {
    try withFolder { folder in
      let model = try coral("deeplabv3_mnv2_dm05_pascal_quant.tflite")
      let run = try assay("edgetpu", model, in: folder)
      #expect(run.status == 0)
      #expect(run.output.contains("a prediction, the compiler was not asked"))
      #expect(run.output.contains("64 of 72 operators would run on the Edge TPU, in one part"))
      #expect(run.output.contains("RESIZE_BILINEAR") && run.output.contains("what to do"))
      let json = try assay("edgetpu", model, "--json", "-", in: folder).json()
      #expect(json["prediction"]?["origin"]?.string == "prediction")
      #expect(json["prediction"]?["mapped"]?.int == 64)
      #expect(json["prediction"]?["parameterBytes"]?.int == 766_720)
    }
  }

  @Test func theTwinIsComparedWith() throws {
    try withFolder { folder in
      let run = try assay(
        "edgetpu",
        coral("movenet_single_pose_lightning_ptq.tflite"),
        "--against",
        coral("movenet_single_pose_lightning_ptq_edgetpu.tflite"),
        in: folder
      )
      #expect(run.status == 0)
      #expect(run.output.contains("every operator's fate is as predicted"))
      let other = try assay(
        "edgetpu",
        coral("movenet_single_pose_lightning_ptq.tflite"),
        "--against",
        coral("split_concat_edgetpu.tflite"),
        in: folder
      )
      #expect(other.status == 1 && other.errors.contains("TPU009"), "\(other.errors)")
    }
  }

  @Test func compiledFilesAreDescribed() throws {
    try withFolder { folder in
      let model = try coral("keras_lstm_mnist_ptq_edgetpu.tflite")
      let run = try assay("edgetpu", model, in: folder)
      #expect(run.status == 0)
      #expect(run.output.contains("43968 bytes cached on the chip, 576 streamed"))
      // Its compiler gave no estimate of cycles; none is made up.
      #expect(!run.output.contains("cycles a run"))
      let inspect = try assay("inspect", model, in: folder)
      #expect(inspect.output.contains("Edge TPU transfers: 1424 bytes to the chip"))
      let json = try assay("edgetpu", model, "--json", "-", in: folder).json()
      let executables = json["packages"]?.array?.first?["executables"]?.array
      #expect(executables?.count == 2)
    }
  }

  @Test func faultsHaveTheirCodes() throws {
    try withFolder { folder in
      try AtomicFile.write("nothing", to: folder + "/x.tflite")
      let other = try assay("edgetpu", "x.tflite", in: folder)
      #expect(other.status != 0 && other.errors.contains("TPU009"))
      let none = try assay("edgetpu", in: folder)
      #expect(none.status == 2)
      let log = try assay("edgetpu", "--log", "x.tflite", in: folder)
      #expect(log.errors.contains("TPU003"))
      let version = try assay(
        "edgetpu",
        coral("split_concat.tflite"),
        "--min-runtime",
        "15",
        in: folder
      )
      #expect(version.status == 2 && version.errors.contains("10 to 14"))
    }
  }

  @Test func logsBecomeTables() throws {
    try withFolder { folder in
      let log = try #require(
        TestData.sharedFile("fixtures/edgetpu_compiler/v16_partial_s.txt")
      )
      let run = try assay("edgetpu", "--log", log, in: folder)
      #expect(run.status == 0 && run.output.contains("96 of 141 operators mapped in 1 part"))
      #expect(run.output.contains("LEAKY_RELU") && run.output.contains("-> "))
      let failed = try #require(
        TestData.sharedFile("fixtures/edgetpu_compiler/v16_fail_activations.txt")
      )
      #expect(try assay("edgetpu", "--log", failed, in: folder).status == 1)
    }
  }

  /// A file of our own exporter is taken whole: versions of its operators are those that the compiler
  /// knows.
  @Test func ourOwnFilesAreTakenWhole() throws {
    let model = TestData.package + "/Examples/digits/model.h5"
    try withFolder { folder in
      let made = try assay(
        "convert",
        model,
        "--recipe",
        "static_int8",
        "--representative",
        digits + "/representative",
        "-p",
        "scale=1/255",
        "-o",
        "digits.tflite",
        in: folder
      )
      #expect(made.status == 0, "\(made.errors)")
      let json = try assay("edgetpu", "digits.tflite", "--json", "-", in: folder).json()
      #expect(json["prediction"]?["refusal"] == nil)
      #expect(json["prediction"]?["mapped"]?.int == json["prediction"]?["total"]?.int)
    }
  }

  /// Both clocks in one command, against a library that implements libedgetpu's interfaces.
  @Test(
    .enabled(
      if: Host.exists(Host.join(AssayHome.path, "runtimes/litert")),
      "LiteRT is not installed: run `make setup`"
    )
  )
  func clocksAreComparedInOneCommand() throws {
    let model = try #require(
      TestData.sharedFile("models/coral/mobilenet_v1_0.25_128_quant_edgetpu.tflite")
    )
    try withFolder { folder in
      let library = folder + "/libedgetpu.so.1"
      let made = try ChildProcess(
        "/bin/sh",
        [
          "-c",
          "for c in cc clang gcc; do command -v $c >/dev/null && exec $c -shared -fPIC -DNEW -o "
            + "'\(library)' '\(TestData.fixture("edgetpu/mockedgetpu.c"))'; done; exit 9",
        ],
        descriptors: [:]
      )
      guard made.wait() == .exited(0) else {
        print("skipping the comparison of clocks: there is no C compiler")
        return
      }
      let shell = try ChildProcess(
        "/bin/sh",
        [
          "-c",
          "cd '\(folder)' && exec '\(command)' compare '\(model)' --clock standard,maximum --preset quick "
            + "--store store.sqlite --json out.json >out 2>err",
        ],
        environment: ["ASSAY_EDGETPU_LIB": library],
        descriptors: [:]
      )
      _ = shell.wait()
      let words = try MappedFile(path: folder + "/err").view.utf8 ?? ""
      let json = try JSON(parsing: MappedFile(path: folder + "/out.json").view.array)
      func clock(_ side: String) -> Int? {
        json[side]?["record"]?["accelerator"]?["clockMHz"]?.int
      }
      #expect(clock("a") == 250 && clock("b") == 500, "\(words)")
      #expect(json["a"]?["name"] != json["b"]?["name"])
    }
  }
}
