import AssayBase
import AssayHost
import AssayRuntime
import AssayTensor
import COnnxRuntime

/// A model in ONNX Runtime, with its inputs and outputs bound to memory.
@safe final class OnnxSession: Session {
  let library: OnnxLibrary
  private var session: OrtSessionRef?
  private var binding: OrtBindingRef?
  private var inputValues: [OnnxValue] = []
  /// Outputs of known extents, bound to memory of ours; `nil` where the runtime allocates.
  private var outputValues: [OnnxValue?] = []
  private var lastFailure: OrtStatusRef?
  private var profileFolder: String?

  private(set) var inputs: [Port] = []
  private(set) var outputs: [Port] = []
  private(set) var placement: Placement
  private(set) var readNanoseconds: UInt64 = 0
  private(set) var compileNanoseconds: UInt64 = 0

  init(_ library: OnnxLibrary, path: String, options: SessionOptions) throws {
    self.library = library
    placement = Placement(provider: "CPUExecutionProvider")
    profileFolder = options.isProfiling ? try Host.makeTemporaryFolder("assay-profile") : nil
    let start = Host.monotonicNanoseconds()
    try Host.readThrough(path)
    let middle = Host.monotonicNanoseconds()
    readNanoseconds = middle - start
    let made = try OnnxOptions(library, options, profile: profileFolder.map { $0 + "/ort" })
    placement.provider = made.provider
    placement.notes = ["threads \(max(options.threads, 1))", "spinning off"]
    let f = unsafe library.functions
    let status = unsafe f.pointee.CreateSession(library.environment, path, made.handle, &session)
    if options.provider != .cpu, let status = unsafe status {
      let cause = unsafe library.words(status)
      unsafe f.pointee.ReleaseStatus(status)
      throw unavailableProvider(
        options.provider,
        runtime: "ONNX Runtime",
        reason: "\(made.provider) refused this model, or found no device with a driver",
        cause: cause
      )
    }
    unsafe try library.check(unsafe status)
    unsafe try library.check(unsafe f.pointee.CreateIoBinding(session, &binding))
    try bindInputs()
    try bindOutputs()
    compileNanoseconds = Host.monotonicNanoseconds() - middle
  }

  deinit {
    let f = unsafe library.functions
    if let status = unsafe lastFailure { unsafe f.pointee.ReleaseStatus(status) }
    if let binding = unsafe binding { unsafe f.pointee.ReleaseIoBinding(binding) }
    inputValues = []
    outputValues = []
    if let session = unsafe session { unsafe f.pointee.ReleaseSession(session) }
    if let profileFolder { try? Host.remove(profileFolder) }
  }

  // MARK: Making

  private var symbols: Set<String> = []

  private func bindInputs() throws {
    let f = unsafe library.functions
    var count = 0
    unsafe try library.check(unsafe f.pointee.SessionGetInputCount(session, &count))
    for index in 0..<count {
      var name: UnsafeMutablePointer<CChar>?
      var info: OrtTypeRef?
      unsafe try library.check(
        unsafe f.pointee.SessionGetInputName(session, index, library.allocator, &name)
      )
      let text = unsafe library.take(name)
      unsafe try library.check(unsafe f.pointee.SessionGetInputTypeInfo(session, index, &info))
      defer { unsafe f.pointee.ReleaseTypeInfo(info) }
      var type = try unsafe describe(info, text)
      for (axis, symbol) in type.symbols.enumerated() where type.dims[axis] < 0 {
        if !symbol.isEmpty { symbols.insert(symbol) }
        type.dims[axis] = 1
      }
      let value = try OnnxValue(library, type.dtype, type.element, type.dims)
      unsafe try library.check(unsafe f.pointee.BindInput(binding, text, value.handle))
      inputValues.append(value)
      inputs.append(Port(name: text, type: TensorType(type.dtype, Shape(type.dims))))
    }
  }

  private func bindOutputs() throws {
    let f = unsafe library.functions
    var count = 0
    unsafe try library.check(unsafe f.pointee.SessionGetOutputCount(session, &count))
    for index in 0..<count {
      var name: UnsafeMutablePointer<CChar>?
      var info: OrtTypeRef?
      unsafe try library.check(
        unsafe f.pointee.SessionGetOutputName(session, index, library.allocator, &name)
      )
      let text = unsafe library.take(name)
      unsafe try library.check(unsafe f.pointee.SessionGetOutputTypeInfo(session, index, &info))
      defer { unsafe f.pointee.ReleaseTypeInfo(info) }
      var type = try unsafe describe(info, text)
      // An extent that an input has too is 1, as there; another one shows when the model has run.
      for (axis, symbol) in type.symbols.enumerated() where type.dims[axis] < 0 {
        if symbols.contains(symbol) { type.dims[axis] = 1 }
      }
      outputs.append(Port(name: text, type: TensorType(type.dtype, Shape(type.dims))))
      if type.dims.allSatisfy({ $0 >= 0 }) {
        let value = try OnnxValue(library, type.dtype, type.element, type.dims)
        unsafe try library.check(unsafe f.pointee.BindOutput(binding, text, value.handle))
        outputValues.append(value)
      } else {
        unsafe try library.check(unsafe f.pointee.BindOutputToDevice(binding, text, library.memory))
        outputValues.append(nil)
      }
    }
  }

  private struct Description {
    var dtype: DType
    var element: Int32
    var dims: [Int]
    var symbols: [String]
  }

  private func describe(_ info: OrtTypeRef?, _ name: String) throws -> Description {
    let f = unsafe library.functions
    var tensor: OrtTensorTypeRef?
    // Borrowed from `info`; null for what is no tensor.
    unsafe try library.check(unsafe f.pointee.CastTypeInfoToTensorInfo(info, &tensor))
    guard let tensor = unsafe tensor else {
      throw Diagnostic("RTM007", "'\(name)' is not a tensor")
    }
    return try unsafe describe(tensor, name)
  }

  private func describe(_ tensor: OrtTensorTypeRef, _ name: String) throws -> Description {
    let f = unsafe library.functions
    var element: Int32 = 0
    var rank = 0
    unsafe try library.check(unsafe f.pointee.GetTensorElementType(tensor, &element))
    unsafe try library.check(unsafe f.pointee.GetDimensionsCount(tensor, &rank))
    guard let dtype = OnnxSession.dtypes[element] else {
      throw Diagnostic(
        "RTM007",
        "'\(name)' has an element type that is not supported (ONNX Runtime's number \(element))"
      )
    }
    var dims = [Int64](repeating: 0, count: rank)
    var names = unsafe [UnsafePointer<CChar>?](repeating: nil, count: rank)
    if rank > 0 {
      unsafe try library.check(unsafe f.pointee.GetDimensions(tensor, &dims, rank))
      unsafe try library.check(unsafe f.pointee.GetSymbolicDimensions(tensor, &names, rank))
    }
    return Description(
      dtype: dtype,
      element: element,
      dims: dims.map { Int($0) },
      symbols: unsafe names.map { unsafe $0.map { unsafe String(cString: $0) } ?? "" }
    )
  }

  private static let dtypes: [Int32: DType] = [
    1: .float32, 2: .uint8, 3: .int8, 4: .uint16, 5: .int16, 6: .int32, 7: .int64, 9: .bool,
    10: .float16, 11: .float64, 12: .uint32, 13: .uint64, 16: .bfloat16,
  ]

  // MARK: Running

  func write(_ bytes: ByteView, toInput index: Int) throws {
    _ = try checkedInput(index, byteCount: bytes.count)
    inputValues[index].write(bytes)
    // The binding keeps what the runtime allocated; other inputs may give outputs of other extents.
    for (place, value) in outputValues.enumerated() where value == nil {
      unsafe try library.check(
        unsafe library.functions.pointee.BindOutputToDevice(
          binding,
          outputs[place].name,
          library.memory
        )
      )
    }
  }

  func run() throws(RunFailure) {
    let status = unsafe library.functions.pointee.RunWithBinding(session, nil, binding)
    if let status = unsafe status {
      if let old = unsafe lastFailure { unsafe library.functions.pointee.ReleaseStatus(old) }
      unsafe lastFailure = status
      throw RunFailure(status: unsafe library.functions.pointee.GetErrorCode(status))
    }
  }

  var failureText: String {
    guard let status = unsafe lastFailure else { return "" }
    return unsafe library.words(status)
  }

  func readOutput(_ index: Int) throws -> ByteView {
    guard outputs.indices.contains(index) else {
      throw Diagnostic("RTM011", "there is no output \(index)")
    }
    if let value = outputValues[index] { return value.read() }
    return try readAllocated(index)
  }

  /// Reads an output whose extents only the run told.
  private func readAllocated(_ index: Int) throws -> ByteView {
    let f = unsafe library.functions
    var values: UnsafeMutablePointer<OrtValueRef?>?
    var count = 0
    unsafe try library.check(
      unsafe f.pointee.GetBoundOutputValues(binding, library.allocator, &values, &count)
    )
    guard let values = unsafe values else {
      throw Diagnostic("RTM010", "the model has not run yet")
    }
    defer {
      for place in 0..<count {
        if let value = unsafe values[place] { unsafe f.pointee.ReleaseValue(value) }
      }
      if let status = unsafe f.pointee.AllocatorFree(library.allocator, values) {
        unsafe f.pointee.ReleaseStatus(status)
      }
    }
    guard index < count, let value = unsafe values[index] else {
      throw Diagnostic("RTM010", "the model has not run yet")
    }
    var info: OrtTensorTypeRef?
    unsafe try library.check(unsafe f.pointee.GetTensorTypeAndShape(value, &info))
    guard let info = unsafe info else { throw Diagnostic("RTM010", "the output has no extents") }
    defer { unsafe f.pointee.ReleaseTensorTypeAndShapeInfo(info) }
    let type = try unsafe describe(info, outputs[index].name)
    outputs[index].type = TensorType(type.dtype, Shape(type.dims))
    var address: UnsafeMutableRawPointer?
    var size = 0
    unsafe try library.check(unsafe f.pointee.GetTensorMutableData(value, &address))
    unsafe try library.check(unsafe f.pointee.GetTensorSizeInBytes(value, &size))
    return unsafe ByteView(byteCount: size) { target in
      if let address = unsafe address, size > 0 {
        unsafe target.baseAddress?.copyMemory(from: address, byteCount: size)
      }
    }
  }

  var memory: [String: Int] { unsafe arenaMemory(session) }

  // MARK: Profiling

  func profile(runs count: Int) throws -> [OperatorTime] {
    guard let folder = profileFolder, count > 0 else { return [] }
    for _ in 0..<count { try runOnce() }
    var path: UnsafeMutablePointer<CChar>?
    unsafe try library.check(
      unsafe library.functions.pointee.SessionEndProfiling(session, library.allocator, &path)
    )
    let file = unsafe library.take(path)
    profileFolder = nil
    defer { try? Host.remove(folder) }
    let profile = try OnnxProfile(JSON(parsing: MappedFile(path: file).view.array))
    placement.total = profile.nodeCount
    placement.placed = profile.nodes[placement.provider] ?? 0
    for (provider, nodes) in profile.nodes.sorted(by: { $0.key < $1.key }) {
      placement.notes.append("\(nodes) nodes on \(provider)")
    }
    return profile.times
  }
}

/// Operator times out of the file that ONNX Runtime's profiler writes.
struct OnnxProfile {
  /// Mean times, in order of first execution.
  private(set) var times: [OperatorTime] = []
  /// Number of nodes on each execution provider.
  private(set) var nodes: [String: Int] = [:]
  /// Number of nodes.
  var nodeCount: Int { times.count }

  /// Reads the trace: events of the category `Node` that tell the time of a kernel.
  init(_ trace: JSON) {
    var profile = OperatorProfile()
    for event in trace.array ?? [] where event["cat"]?.string == "Node" {
      guard let arguments = event["args"], let kind = arguments["op_name"]?.string,
        let duration = event["dur"]?.double, let label = event["name"]?.string,
        label.hasSuffix("_kernel_time")
      else { continue }
      let node = String(label.dropLast("_kernel_time".count))
      // A node runs once in each run.
      let run = profile.runs(kind: kind, node: node)
      if run == 0 { nodes[arguments["provider"]?.string ?? "?", default: 0] += 1 }
      profile.add(kind: kind, node: node, run: run, nanoseconds: duration * 1000)
    }
    times = profile.means
  }
}
