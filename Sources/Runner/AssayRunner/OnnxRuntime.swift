import COnnxRuntime
import CRunner

/// ONNX Runtime's functions and its environment, loaded from its shared library.
final class OnnxRuntime: RuntimeLibrary {
  let functions: OrtFunctions
  let environment: OrtEnvRef?
  let allocator: OrtAllocatorRef?
  let memory: OrtMemoryRef?
  let version: String?

  init(path: String) throws(Failure) {
    guard let library = path.withCString({ crunner_load($0) }) else {
      let words = crunner_load_error().map { String(cString: $0) }
      throw Failure("RTM001", "ONNX Runtime cannot be loaded on the device", cause: words)
    }
    func misfit(_ cause: String) -> Failure {
      Failure(
        "RTM002",
        "this version of ONNX Runtime does not fit: 1.23 or later is needed",
        cause: cause
      )
    }
    guard let symbol = crunner_symbol(library, "OrtGetApiBase"),
      let base = unsafeBitCast(symbol, to: OrtGetBase.self)()
    else { throw misfit("missing: OrtGetApiBase") }
    let version = base.pointee.GetVersionString().map { String(cString: $0) } ?? "?"
    guard let table = base.pointee.GetApi(UInt32(OrtAPIVersion)) else {
      throw misfit("version " + version + " has no interface of number " + String(OrtAPIVersion))
    }
    let f = table.pointee
    func check(_ status: OrtStatusRef?) throws(Failure) {
      guard let status else { return }
      let words = f.GetErrorMessage(status).map { String(cString: $0) }
      f.ReleaseStatus(status)
      throw Failure("RTM002", "ONNX Runtime cannot be started on the device", cause: words)
    }
    var environment: OrtEnvRef?
    var allocator: OrtAllocatorRef?
    var memory: OrtMemoryRef?
    try check(f.CreateEnv(Int32(OrtLogFatal), "assay", &environment))
    try check(f.GetAllocatorWithDefaultOptions(&allocator))
    try check(
      f.CreateCpuMemoryInfo(Int32(OrtDeviceAllocator), Int32(OrtDefaultMemory), &memory)
    )
    functions = f
    self.environment = environment
    self.allocator = allocator
    self.memory = memory
    self.version = version
  }

  func session(_ source: Runner.Source, isProfiling: Bool) throws(Failure) -> any RuntimeSession {
    try OnnxSession(self, source, isProfiling: isProfiling)
  }

  /// Throws when a call failed, with the runtime's words.
  func check(_ status: OrtStatusRef?, _ code: String = "RTM005") throws(Failure) {
    guard status != nil else { return }
    throw Failure(code, "ONNX Runtime refused this model", cause: take(status))
  }

  /// The runtime's words for a status, which is released.
  func take(_ status: OrtStatusRef?) -> String {
    guard let status else { return "" }
    defer { functions.ReleaseStatus(status) }
    return functions.GetErrorMessage(status).map { String(cString: $0) } ?? ""
  }

  /// Text that the runtime allocated, which is freed.
  func take(_ text: UnsafeMutablePointer<CChar>?) -> String {
    guard let text else { return "" }
    defer { functions.ReleaseStatus(functions.AllocatorFree(allocator, text)) }
    return String(cString: text)
  }

  /// The execution providers that this build has.
  func providers() -> [String] {
    var names: UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>?
    var count: Int32 = 0
    let status = functions.GetAvailableProviders(&names, &count)
    guard status == nil, let names else {
      functions.ReleaseStatus(status)
      return []
    }
    defer { functions.ReleaseStatus(functions.ReleaseAvailableProviders(names, count)) }
    var list: [String] = []
    for index in 0..<Int(count) {
      if let name = names[index] { list.append(String(cString: name)) }
    }
    return list
  }
}

/// A model in ONNX Runtime, with its inputs and outputs bound to memory: the same calls and options as on
/// the host.
final class OnnxSession: RuntimeSession {
  private let library: OnnxRuntime
  private var session: OrtSessionRef?
  private var binding: OrtBindingRef?
  private var values: [Bound] = []
  /// Outputs of known extents, bound to memory of ours; `nil` where the runtime allocates.
  private var results: [Bound?] = []
  private var symbols: [String] = []
  private var lastFailure: OrtStatusRef?
  private var isProfiling: Bool
  private(set) var inputs: [Port] = []
  private(set) var outputs: [Port] = []
  private(set) var readNanoseconds: UInt64 = 0
  private(set) var compileNanoseconds: UInt64 = 0
  private(set) var provider = "CPUExecutionProvider"
  private(set) var placed: Int?
  private(set) var total = 0
  private(set) var notes: [String] = []
  var accelerator: Value? { nil }

  /// A tensor over memory of ours (64-byte aligned).
  private struct Bound {
    var value: OrtValueRef?
    var bytes: UnsafeMutableRawBufferPointer
  }

  init(_ library: OnnxRuntime, _ source: Runner.Source, isProfiling: Bool) throws(Failure) {
    self.library = library
    self.isProfiling = isProfiling
    let f = library.functions
    let start = Host.monotonicNanoseconds()
    guard Host.readThrough(source.path) else {
      throw Failure("RTM005", "the model cannot be read on the device")
    }
    let middle = Host.monotonicNanoseconds()
    readNanoseconds = middle - start
    let options = try options(source)
    defer { f.ReleaseSessionOptions(options) }
    notes = ["threads " + String(max(source.threads, 1)), "spinning off"]
    let status = source.path.withCString {
      f.CreateSession(library.environment, $0, options, &session)
    }
    if source.provider != "cpu", status != nil {
      throw Failure(
        "RTM006",
        provider + " refused this model, or found no device with a driver",
        cause: library.take(status)
      )
    }
    try library.check(status)
    try library.check(f.CreateIoBinding(session, &binding))
    try bindInputs()
    try bindOutputs()
    compileNanoseconds = Host.monotonicNanoseconds() - middle
  }

  deinit {
    let f = library.functions
    f.ReleaseStatus(lastFailure)
    if let binding { f.ReleaseIoBinding(binding) }
    for one in values { release(one) }
    for case let one? in results { release(one) }
    if let session { f.ReleaseSession(session) }
  }

  private func release(_ one: Bound) {
    if let value = one.value { library.functions.ReleaseValue(value) }
    one.bytes.deallocate()
  }

  // MARK: Making

  /// Options with every number of threads explicit and no spinning; all graph optimizations on.
  private func options(_ source: Runner.Source) throws(Failure) -> OrtOptionsRef? {
    let f = library.functions
    var handle: OrtOptionsRef?
    try library.check(f.CreateSessionOptions(&handle))
    do {
      try library.check(f.SetIntraOpNumThreads(handle, Int32(max(source.threads, 1))))
      try library.check(f.SetInterOpNumThreads(handle, 1))
      try library.check(f.SetSessionExecutionMode(handle, Int32(OrtSequential)))
      try library.check(f.SetSessionGraphOptimizationLevel(handle, Int32(OrtOptimizeAll)))
      try library.check(f.SetSessionLogSeverityLevel(handle, Int32(OrtLogFatal)))
      try library.check(f.AddSessionConfigEntry(handle, "session.intra_op.allow_spinning", "0"))
      try library.check(f.AddSessionConfigEntry(handle, "session.inter_op.allow_spinning", "0"))
      if isProfiling {
        try library.check(source.path.withCString { f.EnableProfiling(handle, $0) })
      }
      if source.provider != "cpu" { try append(source.provider, handle) }
    } catch {
      f.ReleaseSessionOptions(handle)
      throw error
    }
    return handle
  }

  /// Execution providers by the hardware that they drive, best first.
  private func append(_ wanted: String, _ options: OrtOptionsRef?) throws(Failure) {
    let names: [String]
    switch wanted {
    case "gpu":
      names = [
        "TensorrtExecutionProvider", "CUDAExecutionProvider", "MIGraphXExecutionProvider",
        "ROCMExecutionProvider", "WebGpuExecutionProvider",
      ]
    case "npu": names = ["QNNExecutionProvider", "VitisAIExecutionProvider"]
    default: throw Failure("RTM006", "ONNX Runtime has no provider " + wanted)
    }
    let present = library.providers()
    var cause: String?
    for name in names where present.contains(where: { $0 == name }) {
      let short = String(decoding: Array(name.utf8).dropLast(17), as: UTF8.self)
      let status = short.withCString {
        library.functions.SessionOptionsAppendExecutionProvider(options, $0, nil, nil, 0)
      }
      if status == nil {
        provider = name
        return
      }
      cause = library.take(status)
    }
    var list = ""
    for name in present { list += (list.isEmpty ? "" : ", ") + name }
    throw Failure(
      "RTM006",
      "ONNX Runtime cannot run with provider " + wanted
        + " on the device: this build's execution providers are " + list,
      cause: cause
    )
  }

  private func bindInputs() throws(Failure) {
    let f = library.functions
    var count = 0
    try library.check(f.SessionGetInputCount(session, &count))
    for index in 0..<count {
      var (port, element, open) = try described(
        index,
        f.SessionGetInputName,
        f.SessionGetInputTypeInfo
      )
      for axis in port.dims.indices where port.dims[axis] < 0 {
        if !open[axis].isEmpty { symbols.append(open[axis]) }
        port.dims[axis] = 1
      }
      let value = try bound(port, element)
      values.append(value)
      try library.check(port.name.withCString { f.BindInput(binding, $0, value.value) })
      inputs.append(port)
    }
  }

  private func bindOutputs() throws(Failure) {
    let f = library.functions
    var count = 0
    try library.check(f.SessionGetOutputCount(session, &count))
    for index in 0..<count {
      var (port, element, open) = try described(
        index,
        f.SessionGetOutputName,
        f.SessionGetOutputTypeInfo
      )
      // An extent that an input has too is 1, as there; another one shows when the model has run.
      for axis in port.dims.indices where port.dims[axis] < 0 {
        for symbol in symbols where symbol == open[axis] { port.dims[axis] = 1 }
      }
      outputs.append(port)
      if port.dims.allSatisfy({ $0 >= 0 }) {
        let value = try bound(port, element)
        results.append(value)
        try library.check(port.name.withCString { f.BindOutput(binding, $0, value.value) })
      } else {
        results.append(nil)
        try bindOpen(index)
      }
    }
  }

  /// An input or an output, by the calls that tell its name and its type.
  private func described(
    _ index: Int,
    _ nameCall: (
      OrtSessionRef?, Int, OrtAllocatorRef?, UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>?
    ) -> OrtStatusRef?,
    _ typeCall: (OrtSessionRef?, Int, UnsafeMutablePointer<OrtTypeRef?>?) -> OrtStatusRef?
  ) throws(Failure) -> (port: Port, element: Int32, symbols: [String]) {
    var name: UnsafeMutablePointer<CChar>?
    var info: OrtTypeRef?
    try library.check(nameCall(session, index, library.allocator, &name))
    let text = library.take(name)
    try library.check(typeCall(session, index, &info))
    defer { library.functions.ReleaseTypeInfo(info) }
    return try describe(info, text)
  }

  /// Lets the runtime allocate an output.
  private func bindOpen(_ index: Int) throws(Failure) {
    try library.check(
      outputs[index].name.withCString {
        library.functions.BindOutputToDevice(binding, $0, library.memory)
      }
    )
  }

  private func bound(_ port: Port, _ element: Int32) throws(Failure) -> Bound {
    let count = port.byteCount
    guard count >= 0, count < 1 << 40 else {
      throw Failure("RTM007", "'" + port.name + "' is too large")
    }
    let bytes = UnsafeMutableRawBufferPointer.allocate(byteCount: max(count, 1), alignment: 64)
    bytes.initializeMemory(as: UInt8.self, repeating: 0)
    var made = Bound(value: nil, bytes: bytes)
    let dims = port.dims.map { Int64($0) }
    let status = dims.withUnsafeBufferPointer {
      library.functions.CreateTensorWithDataAsOrtValue(
        library.memory,
        bytes.baseAddress,
        count,
        $0.baseAddress,
        $0.count,
        element,
        &made.value
      )
    }
    if status != nil {
      bytes.deallocate()
      try library.check(status)
    }
    return made
  }

  private func describe(
    _ info: OrtTypeRef?,
    _ name: String
  ) throws(Failure) -> (port: Port, element: Int32, symbols: [String]) {
    var tensor: OrtTensorTypeRef?
    // Borrowed from `info`; null for what is no tensor.
    try library.check(library.functions.CastTypeInfoToTensorInfo(info, &tensor))
    guard tensor != nil else { throw Failure("RTM007", "'" + name + "' is not a tensor") }
    return try describe(tensor: tensor, name)
  }

  private func describe(
    tensor: OrtTensorTypeRef?,
    _ name: String
  ) throws(Failure) -> (port: Port, element: Int32, symbols: [String]) {
    let f = library.functions
    var element: Int32 = 0
    var rank = 0
    try library.check(f.GetTensorElementType(tensor, &element))
    try library.check(f.GetDimensionsCount(tensor, &rank))
    let (dtype, bits) = try OnnxSession.element(element, name)
    var dims = [Int64](repeating: 0, count: rank)
    var names = [UnsafePointer<CChar>?](repeating: nil, count: rank)
    if rank > 0 {
      try library.check(
        dims.withUnsafeMutableBufferPointer { f.GetDimensions(tensor, $0.baseAddress, rank) }
      )
      try library.check(
        names.withUnsafeMutableBufferPointer {
          f.GetSymbolicDimensions(tensor, $0.baseAddress, rank)
        }
      )
    }
    let port = Port(name: name, dtype: dtype, bits: bits, dims: dims.map { Int($0) })
    return (port, element, names.map { $0.map { String(cString: $0) } ?? "" })
  }

  private static func element(_ number: Int32, _ name: String) throws(Failure) -> (String, Int) {
    switch number {
    case 1: return ("float32", 32)
    case 2: return ("uint8", 8)
    case 3: return ("int8", 8)
    case 4: return ("uint16", 16)
    case 5: return ("int16", 16)
    case 6: return ("int32", 32)
    case 7: return ("int64", 64)
    case 9: return ("bool", 8)
    case 10: return ("float16", 16)
    case 11: return ("float64", 64)
    case 12: return ("uint32", 32)
    case 13: return ("uint64", 64)
    case 16: return ("bfloat16", 16)
    default:
      throw Failure(
        "RTM007",
        "'" + name + "' has an element type that is not supported (ONNX Runtime's number "
          + String(number) + ")"
      )
    }
  }

  // MARK: Running

  func write(_ bytes: ArraySlice<UInt8>, toInput index: Int) throws(Failure) {
    let count = inputs[index].byteCount
    guard bytes.count == count else {
      throw Failure(
        "RTM011",
        "input '" + inputs[index].name + "' has " + String(count) + " bytes in the runtime"
      )
    }
    bytes.withUnsafeBytes { values[index].bytes.copyMemory(from: $0) }
    // The binding keeps what the runtime allocated; other inputs may give outputs of other extents.
    for place in results.indices where results[place] == nil { try bindOpen(place) }
  }

  func run() throws(RunFailure) {
    let status = library.functions.RunWithBinding(session, nil, binding)
    if status != nil {
      library.functions.ReleaseStatus(lastFailure)
      lastFailure = status
      throw RunFailure(status: library.functions.GetErrorCode(status))
    }
  }

  var failureText: String {
    guard let lastFailure else { return "" }
    return library.functions.GetErrorMessage(lastFailure).map { String(cString: $0) } ?? ""
  }

  func read(output index: Int) throws(Failure) -> [UInt8] {
    guard let value = results[index] else { return try readAllocated(index) }
    return Array(value.bytes[..<outputs[index].byteCount])
  }

  /// Reads an output whose extents only the run told.
  private func readAllocated(_ index: Int) throws(Failure) -> [UInt8] {
    let f = library.functions
    var list: UnsafeMutablePointer<OrtValueRef?>?
    var count = 0
    try library.check(
      f.GetBoundOutputValues(binding, library.allocator, &list, &count),
      "RTM010"
    )
    guard let list else { throw Failure("RTM010", "the model has not run yet") }
    defer {
      for place in 0..<count { if let value = list[place] { f.ReleaseValue(value) } }
      f.ReleaseStatus(f.AllocatorFree(library.allocator, list))
    }
    guard index < count, let value = list[index] else {
      throw Failure("RTM010", "the model has not run yet")
    }
    var info: OrtTensorTypeRef?
    try library.check(f.GetTensorTypeAndShape(value, &info), "RTM010")
    defer { f.ReleaseTensorTypeAndShapeInfo(info) }
    outputs[index] = try describe(tensor: info, outputs[index].name).port
    var address: UnsafeMutableRawPointer?
    var size = 0
    try library.check(f.GetTensorMutableData(value, &address), "RTM010")
    try library.check(f.GetTensorSizeInBytes(value, &size), "RTM010")
    return Array(UnsafeRawBufferPointer(start: address, count: address == nil ? 0 : size))
  }

  // MARK: Profiling

  /// Operator times out of the file that ONNX Runtime's profiler writes, beside the model.
  func profile(runs: Int) throws(Failure) -> (times: [OperatorTime], placed: Int?) {
    guard isProfiling else { return ([], nil) }
    for _ in 0..<runs {
      do {
        try run()
      } catch {
        throw Failure(
          "BEN113",
          "an inference failed with status " + String(error.status),
          cause: failureText
        )
      }
    }
    isProfiling = false
    var path: UnsafeMutablePointer<CChar>?
    try library.check(library.functions.SessionEndProfiling(session, library.allocator, &path))
    let file = library.take(path)
    defer { file.withCString { crunner_remove($0) } }
    var reader = ValueReader(Host.bytes(of: file) ?? [])
    guard let trace = reader.read() else {
      throw Failure("BEN113", "the profile on the device cannot be read")
    }
    var profile = OperatorProfile()
    var nodes: [(provider: String, count: Int)] = []
    let suffix = "_kernel_time".utf8.count
    for event in trace.array where event["cat"]?.string == "Node" {
      guard let arguments = event["args"], let kind = arguments["op_name"]?.string,
        let duration = event["dur"]?.double, let label = event["name"]?.string,
        label.hasSuffix("_kernel_time")
      else { continue }
      let node = String(decoding: Array(label.utf8).dropLast(suffix), as: UTF8.self)
      // A node runs once in each run.
      let run = profile.runs(kind: kind, node: node)
      if run == 0 {
        let owner = arguments["provider"]?.string ?? "?"
        if let place = nodes.firstIndex(where: { $0.provider == owner }) {
          nodes[place].count += 1
        } else {
          nodes.append((owner, 1))
        }
      }
      profile.add(kind: kind, node: node, run: run, nanoseconds: duration * 1000)
    }
    let times = profile.means
    total = times.count
    var own = 0
    for one in nodes {
      notes.append(String(one.count) + " nodes on " + one.provider)
      if one.provider == provider { own = one.count }
    }
    return (times, own)
  }
}
