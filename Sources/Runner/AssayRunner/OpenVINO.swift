import COpenVINO
import CRunner

/// OpenVINO's functions and its core, loaded from its shared library.
final class OpenVINO: RuntimeLibrary {
  let functions: OvFunctions
  let core: OvCore?
  let version: String?

  init(path: String) throws(Failure) {
    guard let library = path.withCString({ crunner_load($0) }) else {
      let words = crunner_load_error().map { String(cString: $0) }
      throw Failure("RTM001", "OpenVINO cannot be loaded on the device", cause: words)
    }
    var table = OvFunctions()
    let missing = withUnsafeMutableBytes(of: &table) {
      FunctionTable.fill($0, ov_function_names(), library)
    }
    guard missing.isEmpty else {
      throw Failure(
        "RTM002",
        "this version of OpenVINO does not fit: 2026.4 or later is needed",
        cause: "missing:" + missing
      )
    }
    var build = OvVersion()
    if table.ov_get_openvino_version(&build) == 0 {
      version = build.build.map { String(cString: $0) }
      table.ov_version_free(&build)
    } else {
      version = nil
    }
    var made: OvCore?
    let status = table.ov_core_create(&made)
    guard status == 0, made != nil else {
      throw Failure(
        "RTM002",
        "OpenVINO does not start",
        cause: "ov_core_create gave " + String(status)
      )
    }
    core = made
    functions = table
  }

  func session(_ source: Runner.Source, isProfiling: Bool) throws(Failure) -> any RuntimeSession {
    try OpenVINOSession(self, source, isProfiling: isProfiling)
  }

  /// Throws when a call failed, with the runtime's words.
  func check(_ status: OvStatus, _ code: String = "RTM005") throws(Failure) {
    guard status != 0 else { return }
    throw Failure(code, "OpenVINO refused this model", cause: words(status))
  }

  /// The runtime's words for a failure that just happened.
  func words(_ status: OvStatus) -> String {
    let text = functions.ov_get_last_err_msg().map { String(cString: $0) } ?? ""
    if !text.isEmpty { return text }
    let kind = functions.ov_get_error_info(status).map { String(cString: $0) } ?? ""
    return kind + " (" + String(status) + ")"
  }

  /// The devices that OpenVINO found, with commas.
  func devices() -> String {
    var list = OvDevices()
    guard functions.ov_core_get_available_devices(core, &list) == 0 else { return "" }
    defer { functions.ov_available_devices_free(&list) }
    var text = ""
    for index in 0..<list.count {
      guard let name = list.names?[index] else { continue }
      text += (text.isEmpty ? "" : ", ") + String(cString: name)
    }
    return text
  }
}

/// A model compiled by OpenVINO, with its one request: the same calls and properties as on the host.
final class OpenVINOSession: RuntimeSession {
  private let library: OpenVINO
  private var model: OvModel?
  private var compiled: OvCompiled?
  private var request: OvRequest?
  private var lastStatus: OvStatus = 0
  private let isProfiling: Bool
  /// Whether the extents of an output show only when the model has run.
  private var isOpen: [Bool] = []
  private(set) var inputs: [Port] = []
  private(set) var outputs: [Port] = []
  private(set) var readNanoseconds: UInt64 = 0
  private(set) var compileNanoseconds: UInt64 = 0
  private(set) var provider: String
  private(set) var placed: Int?
  private(set) var total = 0
  private(set) var notes: [String] = []
  var accelerator: Value? { nil }

  init(_ library: OpenVINO, _ source: Runner.Source, isProfiling: Bool) throws(Failure) {
    self.library = library
    self.isProfiling = isProfiling
    let device: String
    switch source.provider {
    case "cpu": device = "CPU"
    case "gpu": device = "GPU"
    case "npu": device = "NPU"
    default: throw Failure("RTM006", "OpenVINO has no provider " + source.provider)
    }
    provider = device
    let f = library.functions
    let start = Host.monotonicNanoseconds()
    let status = source.path.withCString { path in
      guard let weights = source.weights else {
        return f.ov_core_read_model(library.core, path, nil, &model)
      }
      return weights.withCString { f.ov_core_read_model(library.core, path, $0, &model) }
    }
    try library.check(status)
    let middle = Host.monotonicNanoseconds()
    readNanoseconds = middle - start
    try fixExtents()
    inputs = try ports(isInput: true)
    outputs = try ports(isInput: false)
    for port in outputs { isOpen.append(port.dims.contains { $0 < 0 }) }
    try compile(device, threads: source.threads)
    try library.check(f.ov_compiled_model_create_infer_request(compiled, &request))
    compileNanoseconds = Host.monotonicNanoseconds() - middle
    notePlacement()
  }

  deinit {
    let f = library.functions
    if let request { f.ov_infer_request_free(request) }
    if let compiled { f.ov_compiled_model_free(compiled) }
    if let model { f.ov_model_free(model) }
  }

  /// Sets the extents of inputs that the model leaves open to 1.
  private func fixExtents() throws(Failure) {
    let f = library.functions
    guard f.ov_model_is_dynamic(model) else { return }
    var count = 0
    try library.check(f.ov_model_inputs_size(model, &count))
    for index in 0..<count {
      var port: OvPort?
      try library.check(f.ov_model_const_input_by_index(model, index, &port))
      defer { f.ov_output_const_port_free(port) }
      guard let dims = try extents(of: port) else {
        throw Failure("RTM007", "input " + String(index) + " has no fixed number of axes")
      }
      var fixed = dims.map { OvDimension(least: Int64(max($0, 1)), greatest: Int64(max($0, 1))) }
      let rank = OvDimension(least: Int64(dims.count), greatest: Int64(dims.count))
      let status = fixed.withUnsafeMutableBufferPointer { fixed in
        var shape = OvPartialShape(rank: rank, dims: fixed.baseAddress)
        var place = index
        return f.ov_model_reshape_by_port_indexes(model, &place, &shape, 1)
      }
      try library.check(status)
    }
  }

  /// The extents of a port, -1 for one that is open; `nil` when the number of axes is.
  private func extents(of port: OvPort?) throws(Failure) -> [Int]? {
    var shape = OvPartialShape()
    try library.check(library.functions.ov_port_get_partial_shape(port, &shape))
    defer { library.functions.ov_partial_shape_free(&shape) }
    guard shape.rank.least == shape.rank.greatest, shape.rank.least >= 0 else { return nil }
    guard shape.rank.least > 0, let dims = shape.dims else { return [] }
    return (0..<Int(shape.rank.least)).map { axis in
      dims[axis].least == dims[axis].greatest ? Int(dims[axis].least) : -1
    }
  }

  private func ports(isInput: Bool) throws(Failure) -> [Port] {
    let f = library.functions
    var count = 0
    try library.check(
      isInput ? f.ov_model_inputs_size(model, &count) : f.ov_model_outputs_size(model, &count)
    )
    var ports: [Port] = []
    for index in 0..<count {
      var port: OvPort?
      try library.check(
        isInput
          ? f.ov_model_const_input_by_index(model, index, &port)
          : f.ov_model_const_output_by_index(model, index, &port)
      )
      defer { f.ov_output_const_port_free(port) }
      var name = (isInput ? "input_" : "output_") + String(index)
      var text: UnsafeMutablePointer<CChar>?
      if f.ov_port_get_any_name(port, &text) == 0, let text {
        name = String(cString: text)
        f.ov_free(text)
      }
      var element: UInt32 = 0
      try library.check(f.ov_port_get_element_type(port, &element))
      let (dtype, bits) = try OpenVINOSession.element(element, name)
      ports.append(Port(name: name, dtype: dtype, bits: bits, dims: try extents(of: port) ?? [-1]))
    }
    plainNames(&ports)
    return ports
  }

  private static func element(_ number: UInt32, _ name: String) throws(Failure) -> (String, Int) {
    switch number {
    case 1: return ("bool", 8)
    case 2: return ("bfloat16", 16)
    case 3: return ("float16", 16)
    case 4: return ("float32", 32)
    case 5: return ("float64", 64)
    case 6: return ("int4", 4)
    case 7: return ("int8", 8)
    case 8: return ("int16", 16)
    case 9: return ("int32", 32)
    case 10: return ("int64", 64)
    case 14: return ("uint4", 4)
    case 16: return ("uint8", 8)
    case 17: return ("uint16", 16)
    case 18: return ("uint32", 32)
    case 19: return ("uint64", 64)
    default:
      throw Failure(
        "RTM007",
        "'" + name + "' has an element type that is not supported (OpenVINO's number "
          + String(number) + ")"
      )
    }
  }

  private func compile(_ device: String, threads: Int) throws(Failure) {
    var texts = ["INFERENCE_PRECISION_HINT", "f32"]
    if device == "CPU" {
      texts += [
        "INFERENCE_NUM_THREADS", String(max(threads, 1)), "NUM_STREAMS", "1", "ENABLE_CPU_PINNING",
        "NO",
      ]
    }
    if isProfiling { texts += ["PERF_COUNT", "YES"] }
    // The values must live until the call is over; the runtime copies them.
    let copies = texts.map { text in text.withCString { crunner_copy($0) } }
    defer { for copy in copies { crunner_free(copy) } }
    var properties: [OvProperty] = []
    for place in 0..<(copies.count / 2) {
      properties.append(
        OvProperty(
          key: UnsafePointer(copies[place * 2]),
          value: UnsafeRawPointer(copies[place * 2 + 1])
        )
      )
    }
    let f = library.functions
    let status = device.withCString { name in
      properties.withUnsafeBufferPointer {
        f.ov_core_compile_model_props(
          library.core,
          model,
          name,
          $0.count,
          $0.baseAddress,
          &compiled
        )
      }
    }
    if status != 0, device != "CPU" {
      throw Failure(
        "RTM006",
        "OpenVINO cannot run with provider " + device
          + " on the device: the devices that it found are "
          + library.devices(),
        cause: library.words(status)
      )
    }
    try library.check(status)
  }

  private func notePlacement() {
    func property(_ key: StaticString) -> String? {
      let f = library.functions
      var text: UnsafeMutablePointer<CChar>?
      let status = key.withUTF8Buffer { bytes in
        String(decoding: bytes, as: UTF8.self).withCString {
          f.ov_compiled_model_get_property(compiled, $0, &text)
        }
      }
      guard status == 0, let text else { return nil }
      defer { f.ov_free(text) }
      return String(cString: text)
    }
    if let devices = property("EXECUTION_DEVICES"), !devices.isEmpty { provider = devices }
    if let precision = property("INFERENCE_PRECISION_HINT") {
      notes.append("precision " + precision)
    }
    if let threads = property("INFERENCE_NUM_THREADS") { notes.append("threads " + threads) }
    if let streams = property("NUM_STREAMS") { notes.append("streams " + streams) }
  }

  // MARK: Running

  /// The memory of an input or output, which is the request's.
  private func memory(
    isInput: Bool,
    _ index: Int
  ) throws(Failure) -> (tensor: OvTensor?, bytes: UnsafeMutableRawBufferPointer) {
    let f = library.functions
    var tensor: OvTensor?
    try library.check(
      isInput
        ? f.ov_infer_request_get_input_tensor_by_index(request, index, &tensor)
        : f.ov_infer_request_get_output_tensor_by_index(request, index, &tensor),
      "RTM010"
    )
    var address: UnsafeMutableRawPointer?
    var size = 0
    try library.check(f.ov_tensor_data(tensor, &address), "RTM010")
    try library.check(f.ov_tensor_get_byte_size(tensor, &size), "RTM010")
    return (tensor, UnsafeMutableRawBufferPointer(start: address, count: address == nil ? 0 : size))
  }

  func write(_ bytes: ArraySlice<UInt8>, toInput index: Int) throws(Failure) {
    let (tensor, target) = try memory(isInput: true, index)
    // This drops the handle alone.
    defer { library.functions.ov_tensor_free(tensor) }
    guard target.count == bytes.count else {
      throw Failure(
        "RTM011",
        "input '" + inputs[index].name + "' has " + String(target.count) + " bytes in the runtime"
      )
    }
    bytes.withUnsafeBytes { target.copyMemory(from: $0) }
  }

  func run() throws(RunFailure) {
    let status = library.functions.ov_infer_request_infer(request)
    if status != 0 {
      lastStatus = status
      throw RunFailure(status: status)
    }
  }

  var failureText: String { lastStatus == 0 ? "" : library.words(lastStatus) }

  func read(output index: Int) throws(Failure) -> [UInt8] {
    let (tensor, bytes) = try memory(isInput: false, index)
    let f = library.functions
    defer { f.ov_tensor_free(tensor) }
    if isOpen[index] {
      var shape = OvShape()
      try library.check(f.ov_tensor_get_shape(tensor, &shape), "RTM010")
      defer { _ = f.ov_shape_free(&shape) }
      var dims: [Int] = []
      for axis in 0..<max(Int(shape.rank), 0) { dims.append(Int(shape.dims?[axis] ?? 0)) }
      outputs[index].dims = dims
    }
    return Array(bytes)
  }

  func profile(runs: Int) throws(Failure) -> (times: [OperatorTime], placed: Int?) {
    guard isProfiling else { return ([], nil) }
    let f = library.functions
    var profile = OperatorProfile()
    for run in 0..<runs {
      do {
        try self.run()
      } catch {
        throw Failure(
          "BEN113",
          "an inference failed with status " + String(error.status),
          cause: failureText
        )
      }
      var list = OvTimes()
      try library.check(f.ov_infer_request_get_profiling_info(request, &list))
      defer { f.ov_profiling_info_list_free(&list) }
      guard let items = list.items else { continue }
      let wasExecuted: Int32 = 2
      for index in 0..<list.count where items[index].status == wasExecuted {
        let item = items[index]
        profile.add(
          kind: item.kind.map { String(cString: $0) } ?? "?",
          node: item.node.map { String(cString: $0) } ?? "?",
          run: run,
          nanoseconds: Double(item.real_us) * 1000
        )
      }
    }
    let times = profile.means
    total = times.count
    return (times, times.count)
  }
}
