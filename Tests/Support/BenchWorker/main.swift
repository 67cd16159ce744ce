import AssayBench
import AssayHost
import AssayRuntime
import RuntimeLiteRT
import RuntimeOnnxRuntime
import RuntimeOpenVINO

let words = CommandLine.arguments
if let place = words.firstIndex(of: "--memory-limit"), place + 1 < words.count,
  let bytes = Int(words[place + 1])
{
  Host.limitMemory(bytes: bytes)
}

// A worker for tests: the real runtimes, the null runtime and one that fails on demand.
try Worker.serve(
  runtimes: [NullRuntime(), FaultyRuntime(), LiteRTRuntime(), OnnxRuntime(), OpenVINORuntime()],
  input: 0,
  output: 3
)
