import AssayBase
import AssayHost
import AssayRuntime
import AssayTensor
import CLiteRT

#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#else
import Darwin
#endif

/// A model compiled by LiteRT, with its buffers.
@safe final class LiteRTSession: Session {
  let library: LiteRTLibrary
  private let environment: LiteRTEnvironment
  private let provider: Provider
  private let isProfiling: Bool
  private var model: LrtModel?
  private(set) var compiled: LrtCompiled?
  private var inputBuffers: UnsafeMutablePointer<LrtBuffer?>
  private var outputBuffers: UnsafeMutablePointer<LrtBuffer?>
  private let inputCount: Int
  private let outputCount: Int
  /// Operators of the file that are for an Edge TPU.
  private var edgeTPUCount = 0

  private(set) var inputs: [Port] = []
  private(set) var outputs: [Port] = []
  private(set) var placement = Placement(provider: "XNNPACK")
  private(set) var readNanoseconds: UInt64 = 0
  private(set) var compileNanoseconds: UInt64 = 0

  /// Reads and compiles a model, and makes buffers for its first signature.
  init(_ library: LiteRTLibrary, path: String, options: SessionOptions) throws {
    self.library = library
    provider = options.provider
    isProfiling = options.isProfiling && [.cpu, .tpu].contains(options.provider)
    environment = try LiteRTEnvironment(
      library,
      provider: options.provider,
      settings: options.settings
    )
    let f = library.functions

    let start = Host.monotonicNanoseconds()
    var model: LrtModel?
    try library.check(
      unsafe f.LiteRtCreateModelFromFile(environment.handle, path, &model),
      "LiteRtCreateModelFromFile",
      code: "RTM004"
    )
    unsafe self.model = model
    readNanoseconds = Host.monotonicNanoseconds() - start

    var signature: LrtSignature?
    var counts = (0, 0)
    // From here on a failure leaves a half-made object: its parts are released here.
    do {
      let operators = unsafe try LiteRTOperators(library, unsafe model)
      try operators.refuseUnknown(provider: options.provider)
      try library.check(
        unsafe f.LiteRtGetModelSignature(model, 0, &signature),
        "LiteRtGetModelSignature",
        code: "RTM005"
      )
      try library.check(
        unsafe f.LiteRtGetNumSignatureInputs(signature, &counts.0),
        "LiteRtGetNumSignatureInputs",
        code: "RTM005"
      )
      try library.check(
        unsafe f.LiteRtGetNumSignatureOutputs(signature, &counts.1),
        "LiteRtGetNumSignatureOutputs",
        code: "RTM005"
      )
      placement.total = operators.count
      edgeTPUCount = operators.edgeTPUCount
    } catch {
      unsafe f.LiteRtDestroyModel(model)
      throw error
    }
    inputCount = counts.0
    outputCount = counts.1
    unsafe inputBuffers = .allocate(capacity: max(inputCount, 1))
    unsafe inputBuffers.initialize(repeating: nil, count: max(inputCount, 1))
    unsafe outputBuffers = .allocate(capacity: max(outputCount, 1))
    unsafe outputBuffers.initialize(repeating: nil, count: max(outputCount, 1))

    let compileStart = Host.monotonicNanoseconds()
    try compile(options)
    try unsafe makeInputs(signature)
    try unsafe makeOutputs(signature)
    compileNanoseconds = Host.monotonicNanoseconds() - compileStart
    nameByAuthor()
    notePlacement(options)
  }

  deinit {
    let f = library.functions
    for index in 0..<inputCount {
      if let buffer = unsafe inputBuffers[index] { unsafe f.LiteRtDestroyTensorBuffer(buffer) }
    }
    for index in 0..<outputCount {
      if let buffer = unsafe outputBuffers[index] { unsafe f.LiteRtDestroyTensorBuffer(buffer) }
    }
    unsafe inputBuffers.deallocate()
    unsafe outputBuffers.deallocate()
    if let compiled = unsafe compiled { unsafe f.LiteRtDestroyCompiledModel(compiled) }
    if let model = unsafe model { unsafe f.LiteRtDestroyModel(model) }
  }

  // MARK: Making

  private func compile(_ options: SessionOptions) throws {
    let f = library.functions
    var handle: LrtOptions?
    try library.check(unsafe f.LiteRtCreateOptions(&handle), "LiteRtCreateOptions")
    defer { unsafe f.LiteRtDestroyOptions(handle) }
    let hardware: Int32 =
      switch options.provider {
      case .cpu: Int32(LrtHardwareCPU)
      case .gpu: Int32(LrtHardwareGPU)
      // What the Edge TPU leaves runs on the processor.
      case .tpu: Int32(LrtHardwareCPU) | EdgeTPUAccelerator.hardware
      case .npu: Int32(LrtHardwareNPU)
      }
    try library.check(
      unsafe f.LiteRtSetOptionsHardwareAccelerators(handle, hardware),
      "LiteRtSetOptionsHardwareAccelerators"
    )
    var texts = [
      ("runtime_options_string", "enable_profiling = \(isProfiling)\nerror_reporter_mode = 2\n")
    ]
    switch options.provider {
    case .cpu, .tpu:
      // The flags replace the default ones (3: signed and unsigned 8-bit operators), so that they
      // are left out altogether.
      texts.append(("xnnpack", "num_threads = \(max(options.threads, 1))\n"))
    case .gpu:
      texts.append(("gpu_options", "precision = 2\n"))
    case .npu: break
    }
    for (identifier, text) in texts { try unsafe add(text, identifier, to: handle) }
    let status = unsafe f.LiteRtCreateCompiledModel(environment.handle, model, handle, &compiled)
    guard status != 0 else { return }
    let cause = "LiteRtCreateCompiledModel gave \(LiteRTLibrary.name(ofStatus: status))"
    if options.provider != .cpu {
      throw unavailableProvider(
        options.provider,
        runtime: "LiteRT",
        reason: environment.reason(for: options.provider),
        remedy: environment.edgeTPU?.fault?.remedy ?? "use --provider cpu",
        cause: cause
      )
    }
    throw Diagnostic("RTM005", "LiteRT refused this model", cause: cause + failureSuffix)
  }

  private func add(_ text: String, _ identifier: String, to options: LrtOptions?) throws {
    let f = library.functions
    var opaque: LrtOpaqueOptions?
    try library.check(
      unsafe f.LiteRtCreateOpaqueOptions(identifier, strdup(text), lrt_free, &opaque),
      "LiteRtCreateOpaqueOptions"
    )
    try library.check(unsafe f.LiteRtAddOpaqueOptions(options, opaque), "LiteRtAddOpaqueOptions")
  }

  private func makeInputs(_ signature: LrtSignature?) throws {
    let f = library.functions
    for index in 0..<inputCount {
      var name: UnsafePointer<CChar>?
      var tensor: LrtTensor?
      var layout = LrtLayout()
      try check(unsafe f.LiteRtGetSignatureInputName(signature, index, &name), "input name")
      try check(
        unsafe f.LiteRtGetSignatureInputTensorByIndex(signature, index, &tensor),
        "input tensor"
      )
      try check(
        unsafe f.LiteRtGetCompiledModelInputTensorLayout(compiled, 0, index, &layout),
        "input layout"
      )
      if dims(of: layout).contains(where: { $0 <= 0 }) {
        let fixed = dims(of: layout).map { Int32(max($0, 1)) }
        try check(
          unsafe f.LiteRtCompiledModelResizeInputTensor(compiled, 0, index, fixed, fixed.count),
          "resizing an input"
        )
        try check(
          unsafe f.LiteRtGetCompiledModelInputTensorLayout(compiled, 0, index, &layout),
          "input layout"
        )
      }
      var type = try unsafe tensorType(tensor, layout)
      var requirements: LrtRequirements?
      try check(
        unsafe f.LiteRtGetCompiledModelInputBufferRequirements(compiled, 0, index, &requirements),
        "input requirements"
      )
      try check(
        unsafe f.LiteRtCreateManagedTensorBufferFromRequirements(
          environment.handle,
          &type,
          requirements,
          &inputBuffers[index]
        ),
        "input buffer"
      )
      try inputs.append(unsafe port(name, tensor, type))
    }
  }

  private func makeOutputs(_ signature: LrtSignature?) throws {
    let f = library.functions
    var layouts = [LrtLayout](repeating: LrtLayout(), count: outputCount)
    // This call allocates the tensors: it is where operators without a kernel show.
    try check(
      unsafe f.LiteRtGetCompiledModelOutputTensorLayouts(compiled, 0, outputCount, &layouts, true),
      "LiteRtGetCompiledModelOutputTensorLayouts"
    )
    for index in 0..<outputCount {
      var name: UnsafePointer<CChar>?
      var tensor: LrtTensor?
      try check(unsafe f.LiteRtGetSignatureOutputName(signature, index, &name), "output name")
      try check(
        unsafe f.LiteRtGetSignatureOutputTensorByIndex(signature, index, &tensor),
        "output tensor"
      )
      var type = try unsafe tensorType(tensor, layouts[index])
      var requirements: LrtRequirements?
      try check(
        unsafe f.LiteRtGetCompiledModelOutputBufferRequirements(compiled, 0, index, &requirements),
        "output requirements"
      )
      try check(
        unsafe f.LiteRtCreateManagedTensorBufferFromRequirements(
          environment.handle,
          &type,
          requirements,
          &outputBuffers[index]
        ),
        "output buffer"
      )
      try outputs.append(unsafe port(name, tensor, type))
    }
  }

  private func nameByAuthor() {
    for (index, name) in plainPortNames(inputs.map(\.name)).enumerated() {
      inputs[index].name = name
    }
    for (index, name) in plainPortNames(outputs.map(\.name)).enumerated() {
      outputs[index].name = name
    }
  }

  private func notePlacement(_ options: SessionOptions) {
    let f = library.functions
    var isWhole = false
    switch options.provider {
    case .cpu:
      if unsafe f.LiteRtCompiledModelIsFullyAccelerated(compiled, &isWhole) == 0, isWhole {
        placement.placed = placement.total
      }
      placement.notes.append("threads \(max(options.threads, 1))")
    case .tpu:
      environment.edgeTPU?.count()
      placement.provider = "Edge TPU"
      placement.placed = environment.edgeTPU?.taken ?? 0
      if placement.placed == edgeTPUCount { placement.notes.append(Placement.asCompiled) }
    case .gpu, .npu:
      placement.provider = environment.acceleratorName(for: options.provider)
      if let ask = unsafe f.LiteRtCompiledModelIsNonCpuFullyAccelerated,
        unsafe ask(compiled, &isWhole) == 0
      {
        if isWhole {
          placement.placed = placement.total
        } else {
          placement.notes.append(Placement.partly)
        }
      }
      placement.notes.append("precision float32")
    }
  }

  // MARK: Running

  func write(_ bytes: ByteView, toInput index: Int) throws {
    _ = try checkedInput(index, byteCount: bytes.count)
    let f = library.functions
    var address: UnsafeMutableRawPointer?
    try check(
      unsafe f.LiteRtLockTensorBuffer(inputBuffers[index], &address, Int32(LrtLockWrite)),
      "LiteRtLockTensorBuffer"
    )
    defer { unsafe _ = f.LiteRtUnlockTensorBuffer(inputBuffers[index]) }
    unsafe bytes.withUnsafeBytes { source in
      if let from = source.baseAddress {
        unsafe address?.copyMemory(from: from, byteCount: source.count)
      }
    }
  }

  func run() throws(RunFailure) {
    let status = unsafe library.functions.LiteRtRunCompiledModel(
      compiled,
      0,
      inputCount,
      inputBuffers,
      outputCount,
      outputBuffers
    )
    if status != 0 { throw RunFailure(status: status) }
    if provider != .cpu { try waitForOutputs() }
  }

  /// Waits for an accelerator, whose run may come back before the outputs are there.
  private func waitForOutputs() throws(RunFailure) {
    for index in 0..<outputCount {
      var address: UnsafeMutableRawPointer?
      let status = unsafe library.functions.LiteRtLockTensorBuffer(
        outputBuffers[index],
        &address,
        Int32(LrtLockRead)
      )
      if status != 0 { throw RunFailure(status: status) }
      unsafe _ = library.functions.LiteRtUnlockTensorBuffer(outputBuffers[index])
    }
  }

  func readOutput(_ index: Int) throws -> ByteView {
    guard outputs.indices.contains(index), let count = outputs[index].type.byteCount else {
      throw Diagnostic("RTM011", "there is no output \(index)")
    }
    let f = library.functions
    var size = 0
    var address: UnsafeMutableRawPointer?
    try check(
      unsafe f.LiteRtGetTensorBufferPackedSize(outputBuffers[index], &size),
      "LiteRtGetTensorBufferPackedSize"
    )
    try check(
      unsafe f.LiteRtLockTensorBuffer(outputBuffers[index], &address, Int32(LrtLockRead)),
      "LiteRtLockTensorBuffer"
    )
    defer { unsafe _ = f.LiteRtUnlockTensorBuffer(outputBuffers[index]) }
    return unsafe ByteView(byteCount: count) { target in
      if let address = unsafe address {
        unsafe target.baseAddress?.copyMemory(from: address, byteCount: min(count, size))
      }
    }
  }

  var failureText: String {
    guard let compiled = unsafe compiled else { return "" }
    var text: UnsafeMutablePointer<CChar>?
    let f = library.functions
    guard unsafe f.LiteRtCompiledModelGetErrorMessages(compiled, &text) == 0,
      let text = unsafe text
    else { return "" }
    defer { unsafe free(text) }
    return unsafe String(cString: text)
  }

  private var failureSuffix: String {
    let text = failureText
    return text.isEmpty ? "" : ": " + text
  }

  private func check(_ status: LrtStatus, _ call: StaticString) throws {
    try library.check(status, call, code: "RTM005", cause: failureText)
  }

  var accelerator: JSON? { environment.edgeTPU?.facts() }

  func profile(runs count: Int) throws -> [OperatorTime] {
    guard isProfiling, count > 0 else { return [] }
    let profile = try LiteRTProfile(self, runs: count)
    if provider == .cpu {
      placement.placed = placement.total.map { max($0 - profile.ownOperators, 0) }
    }
    return profile.times
  }
}
