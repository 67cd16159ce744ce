import AssayBase
import AssayHost
import AssayTestSupport
import PhoneEmulation
import Synchronization
import Testing

/// `assay` and an emulated phone behind an emulated adb server.
@Suite struct PhoneTests {
  /// Says what a GPU delegate that takes all does, and of NNAPI that it took nothing.
  private static let tool = """
    #!/bin/sh
    echo 'INFO: STARTING!'
    echo 'INFO: Loaded model m'
    case " $* " in
    *--use_gpu*) echo 'INFO: Explicitly applied GPU delegate, and the model graph will be completely executed by the delegate.';;
    *--use_nnapi*) echo 'INFO: Though NNAPI delegate is explicitly applied, the model graph will not be executed by the delegate.';;
    esac
    echo 'INFO: Running benchmark for at least 1 iterations'
    echo 'INFO: count=94 first=9011 curr=5171 min=5101 max=9011 avg=5311.42 std=410'
    echo 'INFO: Running benchmark for at least 50 iterations'
    echo 'INFO: count=189 first=5201 curr=5188 min=5099 max=6120 avg=5271.03 std=130 p5=5130 median=5240 p95=5511'
    echo 'INFO: Inference timings in us: Init: 812441, First inference: 9011, Warmup (avg): 5311.42, Inference (avg): 5271.03'
    echo 'INFO: Memory footprint delta from the start of the tool (MB): init=94.2031 overall=94.5'
    """

  private func run(_ words: String, _ port: Int, in folder: String) throws -> CommandRun {
    let (output, errors) = (folder + "/out", folder + "/err")
    let process = try ChildProcess(
      "/bin/sh",
      ["-c", "cd '\(folder)' && exec '\(command)' \(words) >'\(output)' 2>'\(errors)'"],
      environment: [
        "ASSAY_HOME": folder + "/home", "ANDROID_ADB_SERVER_PORT": "\(port)",
        "ADB_SERVER_SOCKET": "tcp:127.0.0.1:\(port)",
      ]
    )
    guard case .exited(let status) = process.wait() else {
      throw Diagnostic("TST001", "it crashed")
    }
    return CommandRun(
      status: status,
      output: try MappedFile(path: output).view.utf8 ?? "",
      errors: try MappedFile(path: errors).view.utf8 ?? ""
    )
  }

  @Test func aPhoneIsListedMeasuredAndLeftAsItWas() throws {
    try withFolder { folder in
      try Host.makeFolders(folder + "/home")
      let phone = try EmulatedPhone(serial: "0A1B2C3D4E5F", root: folder + "/phone")
      let server = try EmulatedServer([phone])
      defer { server.end() }
      func assay(_ words: String) throws -> CommandRun { try run(words, server.port, in: folder) }

      phone.faults.withLock { $0.state = "unauthorized" }
      var shown = try assay("devices")
      #expect(shown.output.contains("has not allowed this machine yet"))
      #expect(try assay("devices probe adb:0A1B2C3D4E5F").status == 3)
      phone.faults.withLock { $0.state = "device" }
      shown = try assay("devices probe adb:0A1B2C3D4E5F --json -")
      let facts = try shown.json()["facts"]
      #expect(facts?["model"] == "Google Pixel 6")
      #expect(facts?["further"]?["abi"] == "arm64-v8a")

      let model = folder + "/model.tflite"
      try AtomicFile.write(
        [
          try MappedFile(
            path: TestData.package + "/Fuzz/Corpus/tflite/conv2d_transpose.float32.tflite"
          ).view
        ],
        to: model
      )
      let bench = "bench model.tflite --device adb:0A1B2C3D4E5F --threads 4 --no-profile"
      shown = try assay(bench + " --provider gpu")
      #expect(shown.status == 3)
      #expect(shown.errors.contains("TOL005"))

      try AtomicFile.write(Self.tool + "\n", to: folder + "/tool")
      let hash = sha256(try MappedFile(path: folder + "/tool").view)
      let row = """
        {"name": "t", "kind": "benchmark_model", "path": "\(folder)/tool", "abis": ["arm64-v8a"],
        "sha256": "\(hash)", "at": 1}
        """
      try AtomicFile.write("{\"tools\": [\(row)]}", to: folder + "/home/tools.json")
      #expect(try assay("tools list").output.contains("arm64-v8a"))

      shown = try assay(bench + " --provider gpu --json -")
      #expect(shown.status == 0, "\(shown.errors)")
      let record = try shown.json()
      #expect(record["verdict"] == "VALID")
      #expect(record["latencyNs"]?["mean"]?.double == 5_271_030)
      #expect(record["device"] == "adb:0A1B2C3D4E5F")
      shown = try assay(bench + " --provider nnapi")
      #expect(shown.status == 1)
      #expect(shown.output.hasPrefix("INVALID"))
      #expect(shown.output.contains("BMK013"))

      shown = try assay("phone table model.tflite --device adb:0A1B2C3D4E5F --preset quick")
      #expect(shown.status == 1)
      #expect(shown.output.contains("5.27 ms"))
      #expect(shown.output.contains("INVALID"))
      #expect(phone.files() == [])

      #expect(try assay("bench model.tflite --provider nnapi").errors.contains("CLI009"))
      #expect(try assay("tools remove t").status == 0)
    }
  }

  /// A home with a stand-in for benchmark_model, an emulated phone, and what is run with them.
  private func withTool(
    _ body: (_ folder: String, _ phone: EmulatedPhone, _ run: (String) throws -> CommandRun) throws
      ->
      Void
  ) throws {
    try withFolder { folder in
      try Host.makeFolders(folder + "/home")
      let phone = try EmulatedPhone(serial: "0A1B2C3D4E5F", root: folder + "/phone")
      let server = try EmulatedServer([phone])
      defer { server.end() }
      try AtomicFile.write(Self.tool + "\n", to: folder + "/tool")
      let hash = sha256(try MappedFile(path: folder + "/tool").view)
      try AtomicFile.write(
        """
        {"tools": [{"name": "t", "kind": "benchmark_model", "path": "\(folder)/tool",
        "abis": ["arm64-v8a"], "sha256": "\(hash)", "at": 1}]}
        """,
        to: folder + "/home/tools.json"
      )
      try body(folder, phone) { try run($0, server.port, in: folder) }
    }
  }

  /// The well-known table of five variants on three paths is one command.
  @Test func aNetworkBecomesFiveVariantsOnThreePaths() throws {
    try withTool { folder, phone, run in
      let shown = try run(
        "phone table '\(digits)/model.h5' --device adb:0A1B2C3D4E5F -t 4 --preset quick -o variants "
          + "--json table.json"
      )
      // NNAPI took nothing: its cells have a reason and no time.
      #expect(shown.status == 1, "\(shown.errors)")
      let table = try JSON(parsing: MappedFile(path: folder + "/table.json").view.array)
      let rows = table["rows"]?.array ?? []
      #expect(
        rows.map { $0["variant"]?.string } == [
          "float32", "dynamic_int8", "float16", "cluster8+dynamic_int8", "prune50+dynamic_int8",
        ]
      )
      let bytes = rows.compactMap { $0["bytes"]?.int }
      #expect(bytes.count == 5 && bytes[1] < bytes[2] && bytes[2] < bytes[0])
      for row in rows {
        let cells = row["cells"]?.array ?? []
        #expect(cells.map { $0["provider"]?.string } == ["cpu", "gpu", "nnapi"])
        #expect(cells.map { $0["verdict"]?.string } == ["VALID", "VALID", "INVALID"])
        #expect(cells.prefix(2).allSatisfy { $0["meanNs"]?.double == 5_271_030 })
        #expect(cells.last?["meanNs"]?.double == nil)
        #expect(cells.last?["reasons"]?.array?.contains { $0["code"] == "BMK013" } == true)
      }
      #expect(try Host.list(folder + "/variants").filter { $0.hasSuffix(".tflite") }.count == 5)
      #expect(phone.files() == [])
      #expect(phone.processes().isEmpty)
    }
  }

  /// Other networks go through SNPE's own converter, with its words where it refuses.
  @Test func snpesConverterIsAsked() throws {
    try withTool { folder, phone, run in
      let root = folder + "/snpe-2.26.0.240828"
      func put(_ name: String, _ text: String) throws {
        try Host.makeFolders(Host.folder(of: root + "/" + name))
        try AtomicFile.write("#!/bin/sh\n" + text + "\n", to: root + "/" + name)
        try Host.makeProgram(root + "/" + name)
      }
      try put(
        "bin/x86_64-linux-clang/snpe-tflite-to-dlc",
        """
        [ -n "$PYTHONPATH" ] || { echo "no module named snpe"; exit 9; }
        while [ $# -gt 0 ]; do case "$1" in --input_network) i=$2;; --output_path) o=$2;;
        *) echo "unknown option $1"; exit 2;; esac; shift 2; done
        grep -q TFL3 "$i" || { echo "ERROR - Conversion FAILED: no TFLite file"; exit 1; }
        { echo converted; cat "$i"; } >"$o"
        """
      )
      try put(
        "bin/aarch64-android/snpe-net-run",
        """
        while [ $# -gt 0 ]; do case "$1" in --container) head -c 9 "$2" | grep -q converted || exit 3;;
        --output_dir) mkdir -p "$2/Result_0"; echo x >"$2/SNPEDiag_0.log";; --input_list) l=$2;; esac; shift; done
        echo "SNPE v2.26.0.240828"; echo "Processing DNN input(s):"; sed 's/.*:=//' "$l"; echo "Successfully executed!"
        """
      )
      try put("bin/aarch64-android/snpe-throughput-net-run", "exit 1")
      try put(
        "bin/x86_64-linux-clang/snpe-diagview",
        "printf 'Average SNPE Statistics:\\n------\\nTotal Inference Time: 3311 us\\n'"
      )
      try AtomicFile.write(
        [
          try MappedFile(
            path: TestData.package + "/Fuzz/Corpus/tflite/conv2d_transpose.float32.tflite"
          ).view
        ],
        to: folder + "/model.tflite"
      )
      try AtomicFile.write("not one", to: folder + "/broken.tflite")
      #expect(try run("tools add snpe-2.26.0.240828").output.contains("snpe for arm64-v8a"))
      let words = "--device adb:0A1B2C3D4E5F --seconds 0 --shape x=1x4 --json -"
      let record = try run("snpe model.tflite \(words)")
      let reasons = try record.json()["reasons"]?.text() ?? ""
      #expect(record.status == 0, "\(record.errors) \(reasons)")
      #expect(try record.json()["latencyNs"]?["mean"]?.double == 3_311_000)
      let refused = try run("snpe broken.tflite \(words)")
      #expect(refused.status == 1)
      #expect(refused.errors.contains("QCM012") && refused.errors.contains("no TFLite file"))
      let other = try run("snpe '\(digits)/model.h5' \(words)")
      #expect(other.errors.contains("assay convert"))
      #expect(phone.files() == [])
    }
  }
}
