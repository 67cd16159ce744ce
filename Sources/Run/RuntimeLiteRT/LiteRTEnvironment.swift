import AssayBase
import AssayHost
import AssayRuntime
import CLiteRT

#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#else
import Darwin
#endif

/// LiteRT's environment: which accelerators it may look for, and where.
@safe final class LiteRTEnvironment {
  let handle: LrtEnvironment
  private let library: LiteRTLibrary
  private let folder: String
  private let folderText: UnsafeMutablePointer<CChar>?
  /// The Edge TPU, when that is the provider.
  let edgeTPU: EdgeTPUAccelerator?

  /// An environment for one provider; for the CPU nothing else is looked for.
  ///
  /// - Throws: `Diagnostic` RTM002 when LiteRT cannot be started, RTM006 when an Edge TPU is asked for and
  ///   there is none.
  init(_ library: LiteRTLibrary, provider: Provider, settings: [String: String] = [:]) throws {
    self.library = library
    edgeTPU = try Self.edgeTPU(library, provider, settings)
    folder = Host.folder(of: Host.realPath(library.library.path) ?? library.library.path)
    var options: [LrtEnvironmentOption] = unsafe []
    func add(_ tag: Int, integer: Int64) {
      var value = unsafe LrtAny()
      unsafe value.type = Int32(LrtAnyInt)
      unsafe value.value.integer = integer
      unsafe options.append(LrtEnvironmentOption(tag: Int32(tag), value: value))
    }
    let silent: Int64 = 4
    add(LrtOptionLogSeverity, integer: silent)
    if provider == .cpu || provider == .tpu {
      // An Edge TPU is added below; another accelerator would compete with it.
      add(LrtOptionAccelerators, integer: Int64(LrtHardwareCPU))
      unsafe folderText = nil
    } else {
      // The string must outlive the environment.
      let text = unsafe strdup(folder)
      unsafe folderText = text
      var value = unsafe LrtAny()
      unsafe value.type = Int32(LrtAnyString)
      unsafe value.value.string = UnsafePointer(text)
      unsafe options.append(LrtEnvironmentOption(tag: Int32(LrtOptionRuntimeFolder), value: value))
    }
    var handle: LrtEnvironment?
    let status = unsafe library.functions.LiteRtCreateEnvironment(
      Int32(options.count),
      options,
      &handle
    )
    guard status == 0, let handle = unsafe handle else {
      unsafe free(folderText)
      throw Diagnostic(
        "RTM002",
        "LiteRT cannot be started",
        cause: "LiteRtCreateEnvironment gave \(LiteRTLibrary.name(ofStatus: status))"
      )
    }
    unsafe self.handle = handle
    try unsafe edgeTPU?.register(in: handle, of: library)
  }

  /// The Edge TPU for the provider of that name.
  private static func edgeTPU(
    _ library: LiteRTLibrary,
    _ provider: Provider,
    _ settings: [String: String]
  ) throws -> EdgeTPUAccelerator? {
    guard provider == .tpu else { return nil }
    do {
      return try EdgeTPUAccelerator(library, settings: settings)
    } catch let error as Diagnostic {
      throw unavailableProvider(
        .tpu,
        runtime: "LiteRT",
        reason: error.summary,
        remedy: error.remedy ?? EdgeTPULibrary.remedy,
        cause: error.cause
      )
    }
  }

  deinit {
    unsafe library.functions.LiteRtDestroyEnvironment(handle)
    unsafe free(folderText)
    edgeTPU?.forget()
  }

  /// Why a provider is not to be had, as far as can be told without parsing messages.
  func reason(for provider: Provider) -> String {
    if provider == .tpu {
      return edgeTPU?.fault?.summary ?? "the Edge TPU's delegate did not take the model"
    }
    if accelerators(for: provider).isEmpty {
      return provider == .gpu
        ? "its GPU accelerator library is not in \(folder), or did not load"
        : "it has no accelerator for that hardware"
    }
    return "the accelerator is there but refused this model, or found no device with a driver"
  }

  /// The name of the accelerator for a provider.
  func acceleratorName(for provider: Provider) -> String {
    accelerators(for: provider).first ?? provider.rawValue
  }

  private func accelerators(for provider: Provider) -> [String] {
    let f = library.functions
    let wanted = Int32(provider == .gpu ? LrtHardwareGPU : LrtHardwareNPU)
    var count = 0
    guard unsafe f.LiteRtGetNumAccelerators(handle, &count) == 0 else { return [] }
    return (0..<count).compactMap { index in
      var accelerator: LrtAccelerator?
      var hardware: Int32 = 0
      var name: UnsafePointer<CChar>?
      guard unsafe f.LiteRtGetAccelerator(handle, index, &accelerator) == 0,
        unsafe f.LiteRtGetAcceleratorHardwareSupport(accelerator, &hardware) == 0,
        hardware & wanted != 0,
        unsafe f.LiteRtGetAcceleratorName(accelerator, &name) == 0,
        let name = unsafe name
      else { return nil }
      return unsafe String(cString: name)
    }
  }
}

/// The operators of a model as LiteRT lists them.
struct LiteRTOperators {
  /// How many there are in all subgraphs.
  private(set) var count = 0
  /// Names of the custom ones, with how often they occur, in order of appearance.
  private(set) var custom: [(name: String, count: Int)] = []

  /// Custom operators that LiteRT has kernels for.
  private static let own: Set<String> = [
    "TFLite_Detection_PostProcess", "Mfcc", "AudioSpectrogram", "NumericVerify",
  ]

  init(_ library: LiteRTLibrary, _ model: LrtModel?) throws {
    let f = library.functions
    var subgraphs = 0
    try library.check(
      unsafe f.LiteRtGetNumModelSubgraphs(model, &subgraphs),
      "LiteRtGetNumModelSubgraphs",
      code: "RTM005"
    )
    for index in 0..<subgraphs {
      var subgraph: LrtSubgraph?
      var operators = 0
      guard unsafe f.LiteRtGetModelSubgraph(model, index, &subgraph) == 0,
        unsafe f.LiteRtGetNumSubgraphOps(subgraph, &operators) == 0
      else { continue }
      count += operators
      for place in 0..<operators {
        var node: LrtOp?
        var code: Int32 = -1
        var name: UnsafePointer<CChar>?
        guard unsafe f.LiteRtGetSubgraphOp(subgraph, place, &node) == 0,
          unsafe f.LiteRtGetOpCode(node, &code) == 0, code == LrtCustomOperator,
          unsafe f.LiteRtGetCustomCode(node, &name) == 0
        else { continue }
        note(unsafe name.map { unsafe String(cString: $0) } ?? "?")
      }
    }
  }

  private mutating func note(_ name: String) {
    if let index = custom.firstIndex(where: { $0.name == name }) {
      custom[index].count += 1
    } else {
      custom.append((name, 1))
    }
  }

  /// The operators that an Edge TPU's compiler made.
  var edgeTPUCount: Int { custom.first { $0.name == LiteRTOperators.edgeTPU }?.count ?? 0 }
  private static let edgeTPU = "edgetpu-custom-op"

  /// Throws when LiteRT has no kernel for one of them.
  ///
  /// - Throws: `Diagnostic` RTM003 that names all of them; RTM008 when an Edge TPU is asked for and the
  ///   file was not compiled for one.
  func refuseUnknown(provider: Provider = .cpu) throws {
    if provider == .tpu, edgeTPUCount == 0 {
      throw Diagnostic(
        "RTM008",
        "the file is not compiled for an Edge TPU: all of it would run on the processor",
        remedy:
          "compile it: assay edgetpu MODEL --compile; without the compiler that predicts what is"
          + " mapped"
      )
    }
    let taken = provider == .tpu ? LiteRTOperators.edgeTPU : nil
    let unknown = custom.filter { !LiteRTOperators.own.contains($0.name) && $0.name != taken }
    guard !unknown.isEmpty else { return }
    let list = unknown.map { $0.count > 1 ? "\($0.name) (\($0.count) times)" : $0.name }
    let remedy =
      unknown.contains { $0.name.hasPrefix("edgetpu") }
      ? "this file is compiled for an Edge TPU: run it with --provider tpu, or run the file that it was"
        + " compiled from"
      : unknown.contains { $0.name.hasPrefix("Flex") }
        ? "convert the model again without Select-TF operators"
        : "replace these operators before converting"
    throw Diagnostic(
      "RTM003",
      "LiteRT has no kernel for: " + list.joined(separator: ", "),
      remedy: remedy
    )
  }
}
