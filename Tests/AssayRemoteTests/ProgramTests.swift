import AssayBase
import AssayBench
import AssayDevice
import AssayHost
import AssayRuntime
import AssayTensor
import AssayTestSupport
import Testing

@testable import AssayRemote

/// Programs of the user's that stand for runtimes and importers.
@Suite struct ProgramTests {
  /// A runtime of two requests in a shell: it doubles nothing, but answers every line.
  private static let runtime = """
    #!/bin/sh
    port='[{"name":"x","dtype":"float32","shape":[1,2]}]'
    while read -r line; do case "$line" in
    *'"do":"quit"'*) exit 0;;
    *'"do":"load"'*'broken'*) echo '{"error":{"code":"RTM005","severity":"error","summary":"no such operator","location":[]}}';;
    *'"do":"load"'*) echo "{\\"ok\\":true,\\"version\\":\\"7\\",\\"read\\":1,\\"compile\\":2,\\"placement\\":{\\"provider\\":\\"shell\\",\\"placed\\":1,\\"total\\":1,\\"notes\\":[]},\\"inputs\\":$port,\\"outputs\\":$port}";;
    *'"do":"feed"'*) x=$(printf '%s' "$line" | sed 's/.*"inline":"\\([^"]*\\)".*/\\1/'); echo '{"ok":true}';;
    *'"do":"first"'*) echo '{"ok":true,"ns":1500}';;
    *'"do":"read"'*) echo "{\\"ok\\":true,\\"inline\\":\\"$x\\"}";;
    *'"do":"block"'*) echo '{"ok":true,"samples":[1500,1501,1499],"begin":1,"end":4501}';;
    *) echo '{"error":{"code":"BEN002","severity":"error","summary":"unknown","location":[]}}';;
    esac; done
    """

  private func program(_ text: String, _ folder: String) throws -> String {
    let path = folder + "/program"
    try AtomicFile.write(text + "\n", to: path)
    try Host.makeProgram(path)
    return path
  }

  @Test func aProgramIsARuntime() throws {
    try withFolder { folder in
      let path = try program(Self.runtime, folder)
      try AtomicFile.write(
        #"{"runtimes": {"mine": {"program": ["\#(path)"], "formats": ["onnx"]}}}"#,
        to: folder + "/programs.json"
      )
      let runtime = try #require(try ProgramBook(home: folder).runtimes.first)
      #expect(runtime.id == "mine" && runtime.formats == ["onnx"])
      #expect(runtime.probe().isAvailable)
      try AtomicFile.write("a network", to: folder + "/net.onnx")
      let session = try runtime.load(path: folder + "/net.onnx", options: SessionOptions())
      #expect(session.inputs.map(\.name) == ["x"])
      let data = Tensor([Float(1), 2], [1, 2])
      try session.write(data.bytes, toInput: 0)
      #expect(try session.timedRun() == 1500)
      #expect(try session.readOutput(0).array == data.bytes.array)
      // Its own loop tells the times, and its clock is not asked when it does not know the request.
      let worker = try runtime.makeWorker()
      defer { worker.end() }
      let block = try worker.ask(.object(["do": "block"]), seconds: 60)
      #expect(block["samples"]?.ints == [1500, 1501, 1499] && block["begin"] == 1)
      try AtomicFile.write("broken", to: folder + "/broken.onnx")
      let fault = #expect(throws: Diagnostic.self) {
        try runtime.load(path: folder + "/broken.onnx", options: SessionOptions())
      }
      #expect(fault?.code == "RTM005")
    }
  }

  @Test func aProgramIsAnImporter() throws {
    try withFolder { folder in
      let path = try program(
        """
        #!/bin/sh
        read -r line
        from=$(printf '%s' "$line" | sed 's/.*"path":"\\([^"]*\\)".*/\\1/')
        to=$(printf '%s' "$line" | sed 's/.*"folder":"\\([^"]*\\)".*/\\1/')
        grep -q good "$from" || { echo '{"error":{"code":"CAF001","severity":"error","summary":"not mine","location":[]}}'; exit; }
        cp "$from" "$to/made.onnx"; echo "{\\"ok\\":true,\\"model\\":\\"$to/made.onnx\\"}"
        """,
        folder
      )
      let importer = ProgramImporter(id: "caffe", extensions: ["caffemodel"], program: [path])
      try AtomicFile.write("good", to: folder + "/net.caffemodel")
      #expect(
        try importer.convert(folder + "/net.caffemodel", in: folder) == folder + "/made.onnx"
      )
      try AtomicFile.write("bad", to: folder + "/net.caffemodel")
      let fault = #expect(throws: Diagnostic.self) {
        try importer.convert(folder + "/net.caffemodel", in: folder)
      }
      #expect(fault?.code == "CAF001")
      for (text, code) in [("exit 0", "PRG002"), ("echo nothing", "PRG002"), ("echo {}", "PRG002")]
      {
        let odd = ProgramImporter(
          id: "odd",
          extensions: ["x"],
          program: [try program("#!/bin/sh\n" + text, folder)]
        )
        let fault = #expect(throws: Diagnostic.self) {
          try odd.convert(folder + "/net.caffemodel", in: folder, seconds: 60)
        }
        #expect(fault?.code == code)
      }
    }
  }

  @Test(
    arguments: [
      "[]", #"{"runtime": {}}"#, #"{"runtimes": {"a": {"program": []}}}"#,
      #"{"runtimes": {"a": {"program": ["x"]}}}"#, #"{"runtimes": {"a b": {"program": ["x"]}}}"#,
      #"{"importers": {"a": {"program": ["x"], "extensions": [".x"]}}}"#,
      #"{"importers": {"a": {"program": ["x", 1], "extensions": ["x"]}}}"#,
    ]
  )
  func aBookThatIsNoneIsRefused(text: String) {
    let fault = #expect(throws: Diagnostic.self) { try ProgramBook(text: text) }
    #expect(fault?.code == "PRG001")
  }
}
