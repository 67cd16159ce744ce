import AssayBench
import AssayRuntime
import RuntimeLiteRT
import RuntimeOnnxRuntime
import RuntimeOpenVINO

// A worker for tests: the real runtimes, the null runtime and one that fails on demand.
try Worker.serve(
  runtimes: [NullRuntime(), FaultyRuntime(), LiteRTRuntime(), OnnxRuntime(), OpenVINORuntime()],
  input: 0,
  output: 3
)
