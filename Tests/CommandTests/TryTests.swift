import AssayBase
import AssayHost
import AssayTestSupport
import Testing

struct TryTests {
  @Test("without any runtime the reference stands in: table, page, models and records are there")
  func whole() throws {
    try withFolder { folder in
      let run = try assay(
        "try",
        "\(digits)/model.h5",
        "-r",
        "\(digits)/representative",
        "-l",
        "\(digits)/images/labels.csv",
        "-p",
        "scale=1/255",
        "--runtimes",
        "reference",
        "--recipes",
        "float32,static_int8",
        "--preset",
        "quick",
        "--limit",
        "40",
        "--max-drop",
        "5%",
        "--store",
        "store.sqlite",
        "--json",
        "-",
        in: folder
      )
      #expect(try run.hasMeasured, "\(run.errors) \(run.output)")
      let json = try run.json()
      #expect(json["records"]?.array?.count == 2)
      #expect(json["recommendation"] != nil)
      for record in json["records"]?.array ?? [] {
        #expect((record["accuracy"]?.double ?? 0) > 0.9)
        #expect((record["samplesNs"]?.array?.count ?? 0) > 20)
      }
      let page = try #require(json["report"]?.string)
      #expect(Host.exists(folder + "/" + page))
      #expect(Host.exists(folder + "/assay-out/models/model-static_int8.tflite"))
      #expect(Host.exists(folder + "/store.sqlite"))
    }
  }

  @Test("the project file gives what the command line leaves out, and is checked")
  func project() throws {
    try withFolder { folder in
      try AtomicFile.write(
        """
        model: \(digits)/model.keras
        runtimes: [reference]
        recipes: [float32]
        preset: quick
        limit: 4
        """,
        to: folder + "/assay.yaml"
      )
      let run = try assay("try", "--store", "s.sqlite", "-q", "--json", "-", in: folder)
      #expect(try run.hasMeasured, "\(run.errors) \(run.output)")
      let records = try run.json()["records"]?.array ?? []
      #expect(records.map { $0["variant"]?.string } == ["float32"])
      try AtomicFile.write("modle: x\nruntime: y\n", to: folder + "/assay.yaml")
      let broken = try assay("try", in: folder)
      #expect(broken.status == 2)
      #expect(broken.errors.contains("'modle'"))
      #expect(broken.errors.contains("did you mean runtimes?"))
    }
  }

  @Test(
    "OpenVINO is given its own format, which is known by its weights too"
  )
  func formats() throws {
    try withFolder { folder in
      let words = [
        "try", "\(digits)/model.h5", "--runtimes", "openvino,reference", "--recipes", "float32",
        "--preset", "quick", "--limit", "4", "--store", "s.sqlite", "--json", "-",
      ]
      func model(
        _ more: [String]
      ) throws -> (format: String?, path: String, hash: String?, bytes: Int?) {
        let run = try assay(words + more, in: folder, home: folder + "/empty")
        #expect(try run.hasMeasured, "\(run.errors) \(run.output)")
        let record = try run.json()["records"]?.array?.first { $0["runtime"] == "openvino" }
        let model = record?["model"]
        return (
          record?["artefact"]?.string, model?["path"]?.string ?? "", model?["sha256"]?.string,
          model?["bytes"]?.int
        )
      }
      let own = try model([])
      #expect(own.format == "openvino" && own.path.hasSuffix("models/model-float32.xml"))
      let files = [own.path, String(own.path.dropLast(4)) + ".bin"].map {
        Host.join(folder, $0)
      }
      let views = try files.map { try MappedFile(path: $0).view }
      #expect(own.bytes == views.reduce(0) { $0 + $1.count })
      #expect(own.hash == sha256(views))
      let told = try model(["--openvino-format", "onnx"])
      #expect(told.format == "onnx" && told.path.hasSuffix("models/model-float32.onnx"))
    }
  }

  @Test("a runtime that is absent is a row with its remedy, not the end")
  func absent() throws {
    try withFolder { folder in
      let run = try assay(
        "try",
        "\(digits)/model.h5",
        "--runtimes",
        "litert,reference",
        "--recipes",
        "float32",
        "--preset",
        "quick",
        "--limit",
        "4",
        "--store",
        "s.sqlite",
        "--json",
        "-",
        in: folder,
        home: folder + "/empty"
      )
      #expect(try run.hasMeasured, "\(run.errors) \(run.output)")
      let records = try run.json()["records"]?.array ?? []
      // Whether a figure is steady enough to be VALID is the machine's affair.
      let measured = try #require(records.first { $0["runtime"] == "reference" })
      #expect((measured["samplesNs"]?.array?.count ?? 0) > 20)
      #expect(measured["reasons"]?.array?.allSatisfy { $0["code"] != "HST030" } == true)
      let absent = try #require(records.first { $0["runtime"] == "litert" })
      #expect(absent["verdict"] == "INVALID" && records.count == 2)
      let reason = try #require(absent["reasons"]?.array?.first)
      #expect(reason["code"] == "HST030")
      #expect(reason["remedy"]?.string?.isEmpty == false)
      #expect(absent["samplesNs"]?.array?.isEmpty ?? true)
    }
  }
}
