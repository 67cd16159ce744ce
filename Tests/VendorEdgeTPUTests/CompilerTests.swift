import AssayBase
import AssayHost
import AssayTestSupport
import Testing
import VendorEdgeTPU

/// The driver of the compiler, with a script in its place.
@Suite struct CompilerTests {
  private let folder: String

  init() throws { folder = try Host.makeTemporaryFolder("assay-compiler-test") }

  /// A program that prints and writes what the real one does, and notes its arguments.
  private func compiler(_ body: String) throws -> EdgeTPUCompiler {
    let path = Host.join(folder, "edgetpu_compiler")
    try AtomicFile.write(
      """
      #!/bin/sh
      echo "$@" >> "\(folder)/calls"
      out=. model= until= search=
      while [ $# -gt 0 ]; do
        case "$1" in
          --version) echo "Edge TPU Compiler version 16.0.384591198"; exit 0;;
          -o) out=$2; shift;; -m|-k|-n|-t) shift;; -i) until=$2; shift;;
          -d) search=1;; -s|-a) ;; *) model=$1;;
        esac
        shift
      done
      stem=$(basename "$model" .tflite)
      echo "Edge TPU Compiler version 16.0.384591198"
      echo "Started a compilation timeout timer of 180 seconds."
      succeed() {
        echo compiled > "$out/${stem}_edgetpu.tflite"
        echo log > "$out/${stem}_edgetpu.log"
        printf '\\nModel compiled successfully in 12 ms.\\n\\nInput model: %s\\n' "$model"
        printf 'Number of Edge TPU subgraphs: 1\\nTotal number of operations: 3\\n\\n'
        printf 'Operator                       Count      Status\\n\\n'
        printf 'CONV_2D                        3          Mapped to Edge TPU\\n'
        echo "Compilation child process completed within timeout period."
        echo "Compilation succeeded! "
        exit 0
      }
      fail() { echo "Compilation failed: $1"; echo "Compilation failed! "; exit 1; }
      \(body)
      """,
      to: path
    )
    try Host.makeProgram(path)
    return EdgeTPUCompiler(path: path)
  }

  private func model() throws -> String {
    let path = Host.join(folder, "net.tflite")
    try AtomicFile.write("a model", to: path)
    return path
  }

  private var calls: [String] {
    (Host.smallText(folder + "/calls") ?? "").split(whereSeparator: \.isNewline).map { String($0) }
  }

  @Test func aSuccess() throws {
    defer { try? Host.remove(folder) }
    let compiler = try compiler("succeed")
    var options = EdgeTPUCompiler.Options()
    options.runtime = 13
    options.compilesAllParts = true
    let out = folder + "/out"
    let result = try compiler.compile(model(), into: out, options)
    #expect(result.isSuccess && result.fault == nil)
    #expect(result.files == [out + "/net_edgetpu.log", out + "/net_edgetpu.tflite"])
    #expect(try Host.list(out).count == 2)
    #expect(calls.last?.contains("-s -m 13 -a") == true)
    #expect(result.report?.models.first?.rows.first?.count == 3)
  }

  @Test func aRefusal() throws {
    defer { try? Host.remove(folder) }
    let compiler = try compiler(
      #"fail "Compilation failed due to large activation tensors in model.""#
    )
    let out = folder + "/out"
    let result = try compiler.compile(model(), into: out)
    #expect(!result.isSuccess && result.end == .exited(1))
    #expect(result.fault?.code == "TPU007")
    #expect(result.fault?.cause?.contains("large activation") == true)
    #expect(result.fault?.remedy?.contains("--search") == true)
    #expect(try Host.list(out).isEmpty)
  }

  @Test func aCrash() throws {
    defer { try? Host.remove(folder) }
    let compiler = try compiler("kill -SEGV $$")
    let result = try compiler.compile(model(), into: folder + "/out")
    #expect(result.fault?.code == "TPU006" && result.fault?.summary.contains("SIGSEGV") == true)
  }

  @Test func aHang() throws {
    defer { try? Host.remove(folder) }
    // It works in a child, as the real one does: that must end too.
    let compiler = try compiler(#"sleep 60 & echo $! > "\#(folder)/child"; wait"#)
    var options = EdgeTPUCompiler.Options()
    options.seconds = 1
    let begin = Host.monotonicNanoseconds()
    let result = try compiler.compile(model(), into: folder + "/out", options)
    #expect(result.fault?.code == "TPU005" && result.end == nil)
    #expect(Host.monotonicNanoseconds() - begin < 30_000_000_000)
    let child = try #require(Host.smallText(folder + "/child")).filter(\.isNumber)
    // It was told to end; a busy machine takes a moment to do so.
    func isGone() -> Bool {
      let state = Host.smallText("/proc/\(child)/stat") ?? ""
      return state.isEmpty || state.contains(") Z")
    }
    for _ in 0..<500 where !isGone() { Host.sleep(nanoseconds: 10_000_000) }
    #expect(isGone())
  }

  /// A compiler that crashes on the whole and on every part that reaches beyond the third operator.
  @Test func theSearchFindsThePartThatCompiles() throws {
    defer { try? Host.remove(folder) }
    let compiler = try compiler(
      #"[ -n "$search" ] && kill -ABRT $$; case "$until" in a|b|c) succeed;; *) kill -SEGV $$;; esac"#
    )
    var told: [String] = []
    let result = try compiler.search(
      model(),
      into: folder + "/out",
      EdgeTPUCompiler.Options(),
      stops: ["a", "b", "c", "d", "e"],
      step: 1
    ) { told.append($0) }
    #expect(result.isSuccess && result.failedParts == ["e", "d"])
    #expect(calls.count == 4 && calls[0].contains("-d -k 1") && calls[3].contains("-i c"))
    #expect(told.count == 3)
  }

  @Test func theCompilersOwnSearchComesFirst() throws {
    defer { try? Host.remove(folder) }
    let compiler = try compiler(#"[ -n "$search" ] && succeed; kill -SEGV $$"#)
    let result = try compiler.search(
      model(),
      into: folder + "/out",
      EdgeTPUCompiler.Options(),
      stops: ["a", "b"],
      step: 10
    )
    #expect(result.isSuccess && calls.count == 1)
  }

  @Test func nothingCompiles() throws {
    defer { try? Host.remove(folder) }
    let compiler = try compiler("kill -SEGV $$")
    let result = try compiler.search(
      model(),
      into: folder + "/out",
      EdgeTPUCompiler.Options(),
      stops: ["a", "b", "c", "d"],
      step: 2
    )
    #expect(
      !result.isSuccess && result.failedParts == ["d", "b"] && result.fault?.code == "TPU006"
    )
  }

  @Test func absentFilesAndCompilers() throws {
    defer { try? Host.remove(folder) }
    let nowhere = EdgeTPUCompiler(path: folder + "/nothing")
    #expect(throws: Diagnostic.self) {
      _ = try nowhere.compile(folder + "/no.tflite", into: folder)
    }
    let result = try nowhere.compile(model(), into: folder + "/out")
    #expect(!result.isSuccess && result.fault != nil)
  }
}
