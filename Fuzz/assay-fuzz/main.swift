// The entry point that libFuzzer calls for each input. ASSAY_FUZZ_TARGET names the target.

import AssayFuzzTargets

#if canImport(Glibc)
import Glibc
#else
import Darwin
#endif

private let target: FuzzTarget = {
  let name = unsafe getenv("ASSAY_FUZZ_TARGET").map { unsafe String(cString: $0) } ?? ""
  guard let found = FuzzTarget.all.first(where: { $0.name == name }) else {
    let names = FuzzTarget.all.map(\.name).joined(separator: ", ")
    fatalError("ASSAY_FUZZ_TARGET is '\(name)'; there are \(names)")
  }
  return found
}()

/// Runs the chosen target on one input; always 0, as libFuzzer wants it.
@_cdecl("LLVMFuzzerTestOneInput")
public func testOneInput(_ data: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
  let bytes = unsafe Array(UnsafeBufferPointer(start: data, count: count))
  do { try target.run(bytes) } catch { fatalError("\(error)") }
  return 0
}
