import AssayBase
import AssayRuntime
import COnnxRuntime

/// The options of a session, released with the object.
@safe final class OnnxOptions {
  let handle: OrtOptionsRef
  /// The execution provider that was asked for.
  private(set) var provider = "CPUExecutionProvider"
  private let library: OnnxLibrary

  /// Options with every number of threads explicit and no spinning; all graph optimizations on.
  init(_ library: OnnxLibrary, _ options: SessionOptions, profile prefix: String?) throws {
    self.library = library
    var handle: OrtOptionsRef?
    let f = unsafe library.functions
    unsafe try library.check(unsafe f.pointee.CreateSessionOptions(&handle))
    guard let handle = unsafe handle else {
      throw Diagnostic("RTM005", "ONNX Runtime gave no session options")
    }
    unsafe self.handle = handle
    unsafe try library.check(
      unsafe f.pointee.SetIntraOpNumThreads(handle, Int32(max(options.threads, 1)))
    )
    unsafe try library.check(unsafe f.pointee.SetInterOpNumThreads(handle, 1))
    unsafe try library.check(unsafe f.pointee.SetSessionExecutionMode(handle, Int32(OrtSequential)))
    unsafe try library.check(
      unsafe f.pointee.SetSessionGraphOptimizationLevel(handle, Int32(OrtOptimizeAll))
    )
    unsafe try library.check(
      unsafe f.pointee.SetSessionLogSeverityLevel(handle, Int32(OrtLogFatal))
    )
    // A parked session must leave the processors to the one that is measured.
    for key in ["session.intra_op.allow_spinning", "session.inter_op.allow_spinning"] {
      unsafe try library.check(unsafe f.pointee.AddSessionConfigEntry(handle, key, "0"))
    }
    if let prefix { unsafe try library.check(unsafe f.pointee.EnableProfiling(handle, prefix)) }
    if options.provider != .cpu { try append(options.provider) }
  }

  deinit { unsafe library.functions.pointee.ReleaseSessionOptions(handle) }

  /// Execution providers by the hardware that they drive, best first.
  private static func names(for provider: Provider) -> [String] {
    switch provider {
    case .cpu: []
    case .gpu:
      [
        "TensorrtExecutionProvider", "CUDAExecutionProvider", "MIGraphXExecutionProvider",
        "ROCMExecutionProvider", "DmlExecutionProvider", "WebGpuExecutionProvider",
      ]
    case .npu: ["QNNExecutionProvider", "VitisAIExecutionProvider", "CoreMLExecutionProvider"]
    case .tpu: []
    }
  }

  private func append(_ wanted: Provider) throws {
    let names = OnnxOptions.names(for: wanted)
    var cause: String?
    for name in names {
      if try appendDevice(name, &cause) {
        provider = name
        return
      }
    }
    let present = library.providers()
    for name in names where present.contains(name) {
      let short = String(name.dropLast("ExecutionProvider".count))
      let status = unsafe library.functions.pointee.SessionOptionsAppendExecutionProvider(
        handle,
        short,
        nil,
        nil,
        0
      )
      if unsafe status == nil {
        provider = name
        return
      }
      do { unsafe try library.check(unsafe status) } catch { cause = (error as? Diagnostic)?.cause }
    }
    throw unavailableProvider(
      wanted,
      runtime: "ONNX Runtime",
      reason: "this build's execution providers are \(present.joined(separator: ", "))",
      remedy: "use --provider cpu, or name another build by ASSAY_ONNXRUNTIME_LIB",
      cause: cause
    )
  }

  /// Asks for the devices that an execution provider told of.
  private func appendDevice(_ name: String, _ cause: inout String?) throws -> Bool {
    let f = unsafe library.functions
    var list: UnsafePointer<OrtDeviceRef?>?
    var count = 0
    unsafe try library.check(unsafe f.pointee.GetEpDevices(library.environment, &list, &count))
    guard let list = unsafe list else { return false }
    var devices: [OrtDeviceRef?] = unsafe []
    for index in 0..<count {
      guard let device = unsafe list[index],
        let text = unsafe f.pointee.EpDevice_EpName(device),
        unsafe String(cString: text) == name
      else { continue }
      unsafe devices.append(device)
    }
    guard unsafe !devices.isEmpty else { return false }
    let status = unsafe f.pointee.SessionOptionsAppendExecutionProvider_V2(
      handle,
      library.environment,
      devices,
      devices.count,
      nil,
      nil,
      0
    )
    guard let status = unsafe status else { return true }
    cause = unsafe library.words(status)
    unsafe f.pointee.ReleaseStatus(status)
    return false
  }
}
