import CLiteRT
import CRunner

/// Why one run failed; the shared timed loop throws it.
public struct RunFailure: Error {
  /// The runtime's status.
  public var status: Int32
}

/// What the shared timed loop runs.
public protocol Session: AnyObject {
  /// Runs once; allocates nothing of ours.
  func run() throws(RunFailure)
}

/// An input or output.
struct Port {
  var name: String
  var dtype: String
  var bits: Int
  var dims: [Int]
  var scales: [Double] = []
  var zeroPoints: [Int] = []
  var axis: Int?

  /// Bytes of its elements.
  var byteCount: Int { (dims.reduce(1) { $0 &* $1 } &* bits &+ 7) / 8 }

  var value: Value {
    var members: [(String, Value)] = [
      ("name", .string(name)), ("dtype", .string(dtype)),
      ("shape", .array(dims.map { .integer(Int64($0)) })),
    ]
    if !scales.isEmpty {
      members.append(("scales", .array(scales.map { .number($0) })))
      members.append(("zeroPoints", .array(zeroPoints.map { .integer(Int64($0)) })))
      if let axis { members.append(("axis", .integer(Int64(axis)))) }
    }
    return .object(members)
  }
}

/// LiteRT's functions, loaded from its shared library.
final class LiteRT: RuntimeLibrary {
  let functions: LrtFunctions
  let handle: UnsafeMutableRawPointer

  init(path: String) throws(Failure) {
    guard let library = path.withCString({ crunner_load($0) }) else {
      let words = crunner_load_error().map { String(cString: $0) }
      throw Failure("RTM001", "LiteRT cannot be loaded on the device", cause: words)
    }
    var table = LrtFunctions()
    let missing = withUnsafeMutableBytes(of: &table) {
      FunctionTable.fill($0, lrt_function_names(), library)
    }
    guard missing.isEmpty else {
      throw Failure("RTM002", "this version of LiteRT does not fit", cause: "missing:" + missing)
    }
    functions = table
    handle = library
  }

  /// Its library does not tell.
  var version: String? { nil }

  func session(_ source: Runner.Source, isProfiling: Bool) throws(Failure) -> any RuntimeSession {
    try LiteRTSession(
      self,
      path: source.path,
      provider: source.provider,
      threads: source.threads,
      folder: source.folder,
      settings: source.settings,
      isProfiling: isProfiling
    )
  }

  func check(
    _ status: LrtStatus,
    _ call: StaticString,
    _ code: String = "RTM005",
    _ words: @autoclosure () -> String = ""
  ) throws(Failure) {
    guard status != 0 else { return }
    let more = words()
    throw Failure(
      code,
      "LiteRT refused this model",
      cause: String(describing: call) + " gave status " + String(status)
        + (more.isEmpty ? "" : ": " + more)
    )
  }
}

extension String {
  fileprivate init(describing text: StaticString) {
    self = text.withUTF8Buffer { String(decoding: $0, as: UTF8.self) }
  }
}

/// A model compiled by LiteRT, with its buffers: the same calls in the same order as on the host.
final class LiteRTSession: RuntimeSession {
  let library: LiteRT
  private let isAccelerated: Bool
  private var edgeTPU: EdgeTPU?
  /// Operators of the file that are for an Edge TPU.
  private var edgeTPUCount = 0
  private var environment: LrtEnvironment?
  private var model: LrtModel?
  private(set) var compiled: LrtCompiled?
  private let inputBuffers: UnsafeMutablePointer<LrtBuffer?>
  private let outputBuffers: UnsafeMutablePointer<LrtBuffer?>
  private var inputCount = 0
  private var outputCount = 0
  private(set) var inputs: [Port] = []
  private(set) var outputs: [Port] = []
  private(set) var readNanoseconds: UInt64 = 0
  private(set) var compileNanoseconds: UInt64 = 0
  private(set) var provider = "XNNPACK"
  private(set) var placed: Int?
  private(set) var total = 0
  private(set) var notes: [String] = []

  /// More ports than any network has.
  private static let mostPorts = 256

  init(
    _ library: LiteRT,
    path: String,
    provider: String,
    threads: Int,
    folder: String,
    settings: EdgeTPU.Settings,
    isProfiling: Bool
  ) throws(Failure) {
    self.library = library
    isAccelerated = provider != "cpu"
    edgeTPU = provider == "tpu" ? try EdgeTPU(library, settings) : nil
    inputBuffers = .allocate(capacity: LiteRTSession.mostPorts)
    inputBuffers.initialize(repeating: nil, count: LiteRTSession.mostPorts)
    outputBuffers = .allocate(capacity: LiteRTSession.mostPorts)
    outputBuffers.initialize(repeating: nil, count: LiteRTSession.mostPorts)
    try makeEnvironment(folder)
    let f = library.functions
    let start = Host.monotonicNanoseconds()
    try library.check(
      path.withCString { f.LiteRtCreateModelFromFile(environment, $0, &model) },
      "LiteRtCreateModelFromFile",
      "RTM004"
    )
    readNanoseconds = Host.monotonicNanoseconds() - start
    var signature: LrtSignature?
    try library.check(f.LiteRtGetModelSignature(model, 0, &signature), "LiteRtGetModelSignature")
    try library.check(
      f.LiteRtGetNumSignatureInputs(signature, &inputCount),
      "LiteRtGetNumSignatureInputs"
    )
    try library.check(
      f.LiteRtGetNumSignatureOutputs(signature, &outputCount),
      "LiteRtGetNumSignatureOutputs"
    )
    guard inputCount <= LiteRTSession.mostPorts, outputCount <= LiteRTSession.mostPorts else {
      throw Failure("RTM005", "the model has more than 256 inputs or outputs")
    }
    total = operatorCount()
    guard provider != "tpu" || edgeTPUCount > 0 else {
      throw Failure(
        "RTM008",
        "the file is not compiled for an Edge TPU: all of it would run on the processor"
      )
    }
    let compileStart = Host.monotonicNanoseconds()
    try compile(provider, threads, isProfiling: isProfiling)
    try makeInputs(signature)
    try makeOutputs(signature)
    compileNanoseconds = Host.monotonicNanoseconds() - compileStart
    plainNames(&inputs)
    plainNames(&outputs)
    notePlacement(provider, threads)
  }

  deinit {
    let f = library.functions
    for index in 0..<inputCount {
      if let buffer = inputBuffers[index] { f.LiteRtDestroyTensorBuffer(buffer) }
    }
    for index in 0..<outputCount {
      if let buffer = outputBuffers[index] { f.LiteRtDestroyTensorBuffer(buffer) }
    }
    inputBuffers.deallocate()
    outputBuffers.deallocate()
    if let compiled { f.LiteRtDestroyCompiledModel(compiled) }
    if let model { f.LiteRtDestroyModel(model) }
    if let environment { f.LiteRtDestroyEnvironment(environment) }
    edgeTPU?.forget()
  }

  private func makeEnvironment(_ folder: String) throws(Failure) {
    var options: [LrtEnvironmentOption] = []
    func add(_ tag: Int, _ integer: Int64) {
      var value = LrtAny()
      value.type = Int32(LrtAnyInt)
      value.value.integer = integer
      options.append(LrtEnvironmentOption(tag: Int32(tag), value: value))
    }
    // 4: silent.
    add(LrtOptionLogSeverity, 4)
    if isAccelerated, edgeTPU == nil {
      // The text must outlive the environment, which lives as long as this process.
      var value = LrtAny()
      value.type = Int32(LrtAnyString)
      value.value.string = UnsafePointer(folder.withCString { crunner_copy($0) })
      options.append(LrtEnvironmentOption(tag: Int32(LrtOptionRuntimeFolder), value: value))
    } else {
      add(LrtOptionAccelerators, Int64(LrtHardwareCPU))
    }
    let status = options.withUnsafeBufferPointer {
      library.functions.LiteRtCreateEnvironment(Int32($0.count), $0.baseAddress, &environment)
    }
    try library.check(status, "LiteRtCreateEnvironment", "RTM002")
    try edgeTPU?.register(in: environment, library)
  }

  private func operatorCount() -> Int {
    let f = library.functions
    var subgraphs = 0
    guard f.LiteRtGetNumModelSubgraphs(model, &subgraphs) == 0 else { return 0 }
    var count = 0
    for index in 0..<subgraphs {
      var subgraph: LrtSubgraph?
      var operators = 0
      if f.LiteRtGetModelSubgraph(model, index, &subgraph) == 0,
        f.LiteRtGetNumSubgraphOps(subgraph, &operators) == 0
      {
        count += operators
        for place in 0..<operators {
          var node: LrtOp?
          var code: Int32 = -1
          var name: UnsafePointer<CChar>?
          guard f.LiteRtGetSubgraphOp(subgraph, place, &node) == 0,
            f.LiteRtGetOpCode(node, &code) == 0, code == Int32(LrtCustomOperator),
            f.LiteRtGetCustomCode(node, &name) == 0, let name
          else { continue }
          if String(cString: name) == "edgetpu-custom-op" { edgeTPUCount += 1 }
        }
      }
    }
    return count
  }

  private func compile(_ provider: String, _ threads: Int, isProfiling: Bool) throws(Failure) {
    let f = library.functions
    var options: LrtOptions?
    try library.check(f.LiteRtCreateOptions(&options), "LiteRtCreateOptions")
    defer { f.LiteRtDestroyOptions(options) }
    let hardware =
      switch provider {
      case "cpu": Int32(LrtHardwareCPU)
      case "gpu": Int32(LrtHardwareGPU)
      // What the Edge TPU leaves runs on the processor.
      case "tpu": Int32(LrtHardwareCPU) | Int32(LrtHardwareGPU)
      default: Int32(LrtHardwareNPU)
      }
    try library.check(
      f.LiteRtSetOptionsHardwareAccelerators(options, hardware),
      "LiteRtSetOptionsHardwareAccelerators"
    )
    try add(
      "enable_profiling = \(isProfiling ? "true" : "false")\nerror_reporter_mode = 2\n",
      "runtime_options_string",
      options
    )
    if !isAccelerated || edgeTPU != nil {
      try add("num_threads = \(max(threads, 1))\n", "xnnpack", options)
    }
    if provider == "gpu" { try add("precision = 2\n", "gpu_options", options) }
    let status = f.LiteRtCreateCompiledModel(environment, model, options, &compiled)
    if status != 0, let fault = edgeTPU?.fault { throw fault }
    try library.check(
      status,
      "LiteRtCreateCompiledModel",
      isAccelerated ? "RTM006" : "RTM005",
      failureText
    )
  }

  private func add(
    _ text: String,
    _ identifier: String,
    _ options: LrtOptions?
  ) throws(Failure) {
    let f = library.functions
    var opaque: LrtOpaqueOptions?
    let copy = text.withCString { crunner_copy($0) }
    let status = identifier.withCString {
      f.LiteRtCreateOpaqueOptions($0, copy, crunner_free, &opaque)
    }
    try library.check(status, "LiteRtCreateOpaqueOptions")
    try library.check(f.LiteRtAddOpaqueOptions(options, opaque), "LiteRtAddOpaqueOptions")
  }

  private func makeInputs(_ signature: LrtSignature?) throws(Failure) {
    let f = library.functions
    for index in 0..<inputCount {
      var name: UnsafePointer<CChar>?
      var tensor: LrtTensor?
      var layout = LrtLayout()
      try check(f.LiteRtGetSignatureInputName(signature, index, &name), "input name")
      try check(
        f.LiteRtGetSignatureInputTensorByIndex(signature, index, &tensor),
        "input tensor"
      )
      try check(
        f.LiteRtGetCompiledModelInputTensorLayout(compiled, 0, index, &layout),
        "input layout"
      )
      if dims(layout).contains(where: { $0 <= 0 }) {
        let fixed = dims(layout).map { Int32(max($0, 1)) }
        let status = fixed.withUnsafeBufferPointer {
          f.LiteRtCompiledModelResizeInputTensor(compiled, 0, index, $0.baseAddress, $0.count)
        }
        try check(status, "resizing an input")
        try check(
          f.LiteRtGetCompiledModelInputTensorLayout(compiled, 0, index, &layout),
          "input layout"
        )
      }
      var type = try tensorType(tensor, layout)
      var requirements: LrtRequirements?
      try check(
        f.LiteRtGetCompiledModelInputBufferRequirements(compiled, 0, index, &requirements),
        "input requirements"
      )
      try check(
        f.LiteRtCreateManagedTensorBufferFromRequirements(
          environment,
          &type,
          requirements,
          &inputBuffers[index]
        ),
        "input buffer"
      )
      inputs.append(try port(name, tensor, type))
    }
  }

  private func makeOutputs(_ signature: LrtSignature?) throws(Failure) {
    let f = library.functions
    var layouts = [LrtLayout](repeating: LrtLayout(), count: outputCount)
    // This call allocates the tensors: it is where operators without a kernel show.
    let status = layouts.withUnsafeMutableBufferPointer {
      f.LiteRtGetCompiledModelOutputTensorLayouts(compiled, 0, $0.count, $0.baseAddress, true)
    }
    try check(status, "LiteRtGetCompiledModelOutputTensorLayouts")
    for index in 0..<outputCount {
      var name: UnsafePointer<CChar>?
      var tensor: LrtTensor?
      try check(f.LiteRtGetSignatureOutputName(signature, index, &name), "output name")
      try check(
        f.LiteRtGetSignatureOutputTensorByIndex(signature, index, &tensor),
        "output tensor"
      )
      var type = try tensorType(tensor, layouts[index])
      var requirements: LrtRequirements?
      try check(
        f.LiteRtGetCompiledModelOutputBufferRequirements(compiled, 0, index, &requirements),
        "output requirements"
      )
      try check(
        f.LiteRtCreateManagedTensorBufferFromRequirements(
          environment,
          &type,
          requirements,
          &outputBuffers[index]
        ),
        "output buffer"
      )
      outputs.append(try port(name, tensor, type))
    }
  }

  private func check(_ status: LrtStatus, _ call: StaticString) throws(Failure) {
    try library.check(status, call, "RTM005", failureText)
  }

  private func dims(_ layout: LrtLayout) -> [Int] {
    let rank = min(Int(layout.rank_and_flags & 0x7F), 8)
    return withUnsafeBytes(of: layout.dims) { bytes in
      (0..<rank).map { Int(bytes.load(fromByteOffset: $0 * 4, as: Int32.self)) }
    }
  }

  private func tensorType(
    _ tensor: LrtTensor?,
    _ layout: LrtLayout
  ) throws(Failure) -> LrtTensorType {
    var type = LrtTensorType()
    try check(
      library.functions.LiteRtGetRankedTensorType(tensor, &type),
      "LiteRtGetRankedTensorType"
    )
    type.layout = layout
    return type
  }

  private func port(
    _ name: UnsafePointer<CChar>?,
    _ tensor: LrtTensor?,
    _ type: LrtTensorType
  ) throws(Failure) -> Port {
    let text = name.map { String(cString: $0) } ?? ""
    let kind: (String, Int)
    switch type.element {
    case 1: kind = ("float32", 32)
    case 2: kind = ("int32", 32)
    case 3: kind = ("uint8", 8)
    case 4: kind = ("int64", 64)
    case 6: kind = ("bool", 8)
    case 7: kind = ("int16", 16)
    case 9: kind = ("int8", 8)
    case 10: kind = ("float16", 16)
    case 11: kind = ("float64", 64)
    case 13: kind = ("uint64", 64)
    case 16: kind = ("uint32", 32)
    case 17: kind = ("uint16", 16)
    case 18: kind = ("int4", 4)
    case 19: kind = ("bfloat16", 16)
    case 21: kind = ("uint4", 4)
    default:
      throw Failure(
        "RTM007",
        "'" + text + "' has an element type that is not supported (" + String(type.element) + ")"
      )
    }
    var port = Port(name: text, dtype: kind.0, bits: kind.1, dims: dims(type.layout))
    let isWhole = !["float32", "float16", "float64", "bfloat16", "bool"].contains(kind.0)
    if isWhole { quantize(&port, tensor) }
    return port
  }

  private func quantize(_ port: inout Port, _ tensor: LrtTensor?) {
    let f = library.functions
    var kind: Int32 = 0
    guard f.LiteRtGetQuantizationTypeId(tensor, &kind) == 0 else { return }
    if kind == Int32(LrtQuantizationPerTensor) {
      var one = LrtPerTensor()
      guard f.LiteRtGetPerTensorQuantization(tensor, &one) == 0, one.scale > 0 else { return }
      port.scales = [Double(one.scale)]
      port.zeroPoints = [Int(one.zero_point)]
    } else if kind == Int32(LrtQuantizationPerChannel) {
      var many = LrtPerChannel()
      guard f.LiteRtGetPerChannelQuantization(tensor, &many) == 0, many.count < 1 << 20,
        let scales = many.scales, let zeroPoints = many.zero_points
      else { return }
      for index in 0..<Int(many.count) {
        port.scales.append(Double(scales[index]))
        port.zeroPoints.append(Int(zeroPoints[index]))
      }
      port.axis = Int(many.axis)
    }
  }

  private func notePlacement(_ wanted: String, _ threads: Int) {
    let f = library.functions
    var isWhole = false
    if !isAccelerated {
      if f.LiteRtCompiledModelIsFullyAccelerated(compiled, &isWhole) == 0, isWhole {
        placed = total
      }
      notes.append("threads \(max(threads, 1))")
    } else if let edgeTPU {
      provider = "Edge TPU"
      placed = edgeTPU.taken
      if edgeTPU.taken == edgeTPUCount { notes.append("all that was compiled for it") }
    } else {
      provider = wanted
      if f.LiteRtCompiledModelIsNonCpuFullyAccelerated(compiled, &isWhole) == 0 {
        if isWhole { placed = total } else { notes.append("a part runs elsewhere") }
      }
    }
  }

  /// What a record keeps of the accelerator; `nil` without one that is known.
  var accelerator: Value? { edgeTPU?.facts }

  // MARK: Running

  func run() throws(RunFailure) {
    let status = library.functions.LiteRtRunCompiledModel(
      compiled,
      0,
      inputCount,
      inputBuffers,
      outputCount,
      outputBuffers
    )
    if status != 0 { throw RunFailure(status: status) }
    guard isAccelerated else { return }
    // An accelerator's run may come back before the outputs are there.
    for index in 0..<outputCount {
      var address: UnsafeMutableRawPointer?
      let locked = library.functions.LiteRtLockTensorBuffer(
        outputBuffers[index],
        &address,
        Int32(LrtLockRead)
      )
      if locked != 0 { throw RunFailure(status: locked) }
      _ = library.functions.LiteRtUnlockTensorBuffer(outputBuffers[index])
    }
  }

  func write(_ bytes: ArraySlice<UInt8>, toInput index: Int) throws(Failure) {
    let f = library.functions
    var address: UnsafeMutableRawPointer?
    try check(
      f.LiteRtLockTensorBuffer(inputBuffers[index], &address, Int32(LrtLockWrite)),
      "LiteRtLockTensorBuffer"
    )
    bytes.withUnsafeBytes { source in
      if let from = source.baseAddress { address?.copyMemory(from: from, byteCount: source.count) }
    }
    _ = f.LiteRtUnlockTensorBuffer(inputBuffers[index])
  }

  func read(output index: Int) throws(Failure) -> [UInt8] {
    let f = library.functions
    var size = 0
    var address: UnsafeMutableRawPointer?
    try check(
      f.LiteRtGetTensorBufferPackedSize(outputBuffers[index], &size),
      "LiteRtGetTensorBufferPackedSize"
    )
    try check(
      f.LiteRtLockTensorBuffer(outputBuffers[index], &address, Int32(LrtLockRead)),
      "LiteRtLockTensorBuffer"
    )
    var bytes = [UInt8](repeating: 0, count: outputs[index].byteCount)
    let count = min(size, bytes.count)
    if let address {
      bytes.withUnsafeMutableBytes { $0.baseAddress?.copyMemory(from: address, byteCount: count) }
    }
    _ = f.LiteRtUnlockTensorBuffer(outputBuffers[index])
    return bytes
  }

  var failureText: String {
    guard let compiled else { return "" }
    var text: UnsafeMutablePointer<CChar>?
    guard library.functions.LiteRtCompiledModelGetErrorMessages(compiled, &text) == 0, let text
    else { return "" }
    defer { crunner_free(text) }
    return String(cString: text)
  }
}
