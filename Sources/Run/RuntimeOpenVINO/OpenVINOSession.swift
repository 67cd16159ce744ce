import AssayBase
import AssayHost
import AssayRuntime
import AssayTensor
import COpenVINO

/// A model compiled by OpenVINO, with its one request.
@safe final class OpenVINOSession: Session {
  let library: OpenVINOLibrary
  private var model: OvModel?
  private var compiled: OvCompiled?
  private var request: OvRequest?
  private var lastStatus: OvStatus = 0
  private let isProfiling: Bool
  /// Whether the extents of an output show only when the model has run.
  private var isOpen: [Bool] = []

  private(set) var inputs: [Port] = []
  private(set) var outputs: [Port] = []
  private(set) var placement: Placement
  private(set) var readNanoseconds: UInt64 = 0
  private(set) var compileNanoseconds: UInt64 = 0

  init(_ library: OpenVINOLibrary, path: String, options: SessionOptions) throws {
    self.library = library
    isProfiling = options.isProfiling
    let device = options.provider.rawValue.uppercased()
    placement = Placement(provider: device)
    let f = library.functions
    let start = Host.monotonicNanoseconds()
    try library.check(unsafe f.ov_core_read_model(library.core, path, nil, &model))
    let middle = Host.monotonicNanoseconds()
    readNanoseconds = middle - start
    try fixExtents()
    inputs = try ports(isInput: true)
    outputs = try ports(isInput: false)
    isOpen = outputs.map { !$0.type.shape.isStatic }
    try compile(device, options)
    try library.check(unsafe f.ov_compiled_model_create_infer_request(compiled, &request))
    compileNanoseconds = Host.monotonicNanoseconds() - middle
    notePlacement(options)
  }

  deinit {
    let f = library.functions
    if let request = unsafe request { unsafe f.ov_infer_request_free(request) }
    if let compiled = unsafe compiled { unsafe f.ov_compiled_model_free(compiled) }
    if let model = unsafe model { unsafe f.ov_model_free(model) }
  }

  // MARK: Making

  /// Sets the extents of inputs that the model leaves open to 1.
  private func fixExtents() throws {
    let f = library.functions
    guard unsafe f.ov_model_is_dynamic(model) else { return }
    var count = 0
    try library.check(unsafe f.ov_model_inputs_size(model, &count))
    for index in 0..<count {
      var port: OvPort?
      try library.check(unsafe f.ov_model_const_input_by_index(model, index, &port))
      defer { unsafe f.ov_output_const_port_free(port) }
      guard let dims = try unsafe extents(of: port) else {
        throw Diagnostic(
          "RTM007",
          "input \(index) has no fixed number of axes",
          remedy: "export the model with fixed extents"
        )
      }
      var fixed = dims.map { OvDimension(least: max($0, 1), greatest: max($0, 1)) }
      let rank = OvDimension(least: Int64(dims.count), greatest: Int64(dims.count))
      try unsafe fixed.withUnsafeMutableBufferPointer { fixed in
        var shape = unsafe OvPartialShape(rank: rank, dims: fixed.baseAddress)
        var place = index
        try library.check(unsafe f.ov_model_reshape_by_port_indexes(model, &place, &shape, 1))
      }
    }
  }

  /// The extents of a port, -1 for one that is open; `nil` when the number of axes is.
  private func extents(of port: OvPort?) throws -> [Int64]? {
    var shape = unsafe OvPartialShape()
    let f = library.functions
    try library.check(unsafe f.ov_port_get_partial_shape(port, &shape))
    defer { unsafe f.ov_partial_shape_free(&shape) }
    guard unsafe shape.rank.least == shape.rank.greatest, unsafe shape.rank.least >= 0 else {
      return nil
    }
    guard unsafe shape.rank.least > 0, let dims = unsafe shape.dims else { return [] }
    return unsafe (0..<Int(shape.rank.least)).map { axis in
      let dim = unsafe dims[axis]
      return dim.least == dim.greatest ? dim.least : -1
    }
  }

  private func ports(isInput: Bool) throws -> [Port] {
    let f = library.functions
    var count = 0
    try library.check(
      unsafe isInput
        ? f.ov_model_inputs_size(model, &count) : f.ov_model_outputs_size(model, &count)
    )
    var ports: [Port] = []
    for index in 0..<count {
      var port: OvPort?
      try library.check(
        unsafe isInput
          ? f.ov_model_const_input_by_index(model, index, &port)
          : f.ov_model_const_output_by_index(model, index, &port)
      )
      defer { unsafe f.ov_output_const_port_free(port) }
      var text: UnsafeMutablePointer<CChar>?
      let hasName = unsafe f.ov_port_get_any_name(port, &text) == 0
      let name = hasName ? unsafe library.take(text) : nil
      var element: UInt32 = 0
      try library.check(unsafe f.ov_port_get_element_type(port, &element))
      guard let dtype = OpenVINOSession.dtypes[element] else {
        throw Diagnostic(
          "RTM007",
          "'\(name ?? "?")' has an element type that is not supported (OpenVINO's number \(element))"
        )
      }
      let dims = try unsafe extents(of: port) ?? [-1]
      ports.append(
        Port(
          name: name ?? "\(isInput ? "input" : "output")_\(index)",
          type: TensorType(dtype, Shape(dims.map { Int($0) }))
        )
      )
    }
    for (index, name) in plainPortNames(ports.map(\.name)).enumerated() { ports[index].name = name }
    return ports
  }

  private static let dtypes: [UInt32: DType] = [
    1: .bool, 2: .bfloat16, 3: .float16, 4: .float32, 5: .float64, 6: .int4, 7: .int8, 8: .int16,
    9: .int32, 10: .int64, 14: .uint4, 16: .uint8, 17: .uint16, 18: .uint32, 19: .uint64,
  ]

  private func compile(_ device: String, _ options: SessionOptions) throws {
    var properties = [("INFERENCE_PRECISION_HINT", "f32")]
    if options.provider == .cpu {
      properties += [
        ("INFERENCE_NUM_THREADS", "\(max(options.threads, 1))"), ("NUM_STREAMS", "1"),
        ("ENABLE_CPU_PINNING", "NO"),
      ]
    }
    if isProfiling { properties.append(("PERF_COUNT", "YES")) }
    // The values must live until the call is over; the runtime copies them.
    let texts = properties.map { (Array($0.0.utf8CString), Array($0.1.utf8CString)) }
    let status = unsafe withProperties(texts[...], []) { list in
      unsafe library.functions.ov_core_compile_model_props(
        library.core,
        model,
        device,
        list.count,
        list,
        &compiled
      )
    }
    if status != 0, options.provider != .cpu {
      let cause = library.words(status)
      let devices = library.devices().joined(separator: ", ")
      throw unavailableProvider(
        options.provider,
        runtime: "OpenVINO",
        reason: "the devices that it found are \(devices)",
        cause: cause
      )
    }
    try library.check(status)
  }

  private func withProperties<R>(
    _ texts: ArraySlice<([CChar], [CChar])>,
    _ made: [OvProperty],
    _ body: ([OvProperty]) -> R
  ) -> R {
    guard let first = texts.first else { return unsafe body(made) }
    return unsafe first.0.withUnsafeBufferPointer { key in
      unsafe first.1.withUnsafeBytes { value in
        let property = unsafe OvProperty(key: key.baseAddress, value: value.baseAddress)
        return unsafe withProperties(texts.dropFirst(), made + [property], body)
      }
    }
  }

  private func notePlacement(_ options: SessionOptions) {
    func property(_ key: String) -> String? {
      var text: UnsafeMutablePointer<CChar>?
      let f = library.functions
      guard unsafe f.ov_compiled_model_get_property(compiled, key, &text) == 0 else { return nil }
      return unsafe library.take(text)
    }
    if let device = property("EXECUTION_DEVICES"), !device.isEmpty { placement.provider = device }
    if let precision = property("INFERENCE_PRECISION_HINT") {
      placement.notes.append("precision \(precision)")
    }
    if let threads = property("INFERENCE_NUM_THREADS") {
      placement.notes.append("threads \(threads)")
    }
    if let streams = property("NUM_STREAMS") { placement.notes.append("streams \(streams)") }
  }

  // MARK: Running

  private func withTensor<R>(
    isInput: Bool,
    _ index: Int,
    _ body: (OvTensor?, UnsafeMutableRawBufferPointer) throws -> R
  ) throws -> R {
    let f = library.functions
    var tensor: OvTensor?
    try library.check(
      unsafe isInput
        ? f.ov_infer_request_get_input_tensor_by_index(request, index, &tensor)
        : f.ov_infer_request_get_output_tensor_by_index(request, index, &tensor),
      code: "RTM010"
    )
    // This drops the handle; the memory is the request's.
    defer { unsafe f.ov_tensor_free(tensor) }
    var address: UnsafeMutableRawPointer?
    var size = 0
    try library.check(unsafe f.ov_tensor_data(tensor, &address), code: "RTM010")
    try library.check(unsafe f.ov_tensor_get_byte_size(tensor, &size), code: "RTM010")
    return try unsafe body(tensor, UnsafeMutableRawBufferPointer(start: address, count: size))
  }

  func write(_ bytes: ByteView, toInput index: Int) throws {
    let port = try checkedInput(index, byteCount: bytes.count)
    try unsafe withTensor(isInput: true, index) { _, target in
      guard target.count == bytes.count else {
        throw Diagnostic("RTM011", "input '\(port.name)' has \(target.count) bytes in the runtime")
      }
      unsafe bytes.withUnsafeBytes { unsafe target.copyMemory(from: $0) }
    }
  }

  func run() throws(RunFailure) {
    let status = unsafe library.functions.ov_infer_request_infer(request)
    if status != 0 {
      lastStatus = status
      throw RunFailure(status: status)
    }
  }

  var failureText: String { lastStatus == 0 ? "" : library.words(lastStatus) }

  func readOutput(_ index: Int) throws -> ByteView {
    guard outputs.indices.contains(index) else {
      throw Diagnostic("RTM011", "there is no output \(index)")
    }
    return try unsafe withTensor(isInput: false, index) { tensor, bytes in
      if isOpen[index] {
        var shape = unsafe OvShape()
        let f = library.functions
        try library.check(unsafe f.ov_tensor_get_shape(tensor, &shape), code: "RTM010")
        defer { unsafe _ = f.ov_shape_free(&shape) }
        let dims = unsafe shape.dims
        outputs[index].type.shape = unsafe Shape(
          (0..<max(Int(shape.rank), 0)).map { Int(unsafe dims?[$0] ?? 0) }
        )
      }
      return unsafe ByteView(byteCount: bytes.count) {
        unsafe $0.copyMemory(from: UnsafeRawBufferPointer(bytes))
      }
    }
  }

  // MARK: Profiling

  func profile(runs count: Int) throws -> [OperatorTime] {
    guard isProfiling, count > 0 else { return [] }
    let f = library.functions
    var profile = OperatorProfile()
    for run in 0..<count {
      try runOnce()
      var list = unsafe OvTimes()
      try library.check(unsafe f.ov_infer_request_get_profiling_info(request, &list))
      defer { unsafe f.ov_profiling_info_list_free(&list) }
      guard let items = unsafe list.items else { continue }
      for index in 0..<(unsafe list.count) {
        let item = unsafe items[index]
        let wasExecuted: Int32 = 2
        guard unsafe item.status == wasExecuted else { continue }
        unsafe profile.add(
          kind: item.kind.map { unsafe String(cString: $0) } ?? "?",
          node: item.node.map { unsafe String(cString: $0) } ?? "?",
          run: run,
          nanoseconds: Double(item.real_us) * 1000
        )
      }
    }
    let times = profile.means
    placement.total = times.count
    placement.placed = times.count
    return times
  }
}
