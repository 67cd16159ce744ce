import AssayBase

/// What `benchmark_model` is asked to do.
public struct BenchmarkModelRequest: Sendable, Equatable {
  /// A hardware path of the tool.
  public enum Provider: String, Sendable, CaseIterable {
    /// The tool's own kernels, and XNNPACK where the tool takes it unasked.
    case cpu
    /// XNNPACK, asked for.
    case xnnpack
    /// The GPU delegate, by OpenCL or OpenGL.
    case gpu
    /// Android's neural networks interface.
    case nnapi
    /// Qualcomm's Hexagon DSP, by the old delegate.
    case hexagon
    /// A neural processor, by LiteRT's `benchmark_litert_model`.
    case npu

    /// The flags that ask for it.
    public var flags: [(name: String, value: String)] {
      switch self {
      case .cpu: []
      case .xnnpack: [("use_xnnpack", "true")]
      case .gpu: [("use_gpu", "true")]
      case .nnapi: [("use_nnapi", "true")]
      case .hexagon: [("use_hexagon", "true")]
      case .npu: [("use_npu", "true")]
      }
    }

    /// Words that a delegate's name has in the log.
    var delegateWords: [String] {
      switch self {
      case .cpu: []
      case .xnnpack: ["xnnpack"]
      case .gpu: ["gpu"]
      case .nnapi: ["nnapi"]
      case .hexagon: ["hexagon"]
      case .npu: ["npu", "dispatch"]
      }
    }
  }

  /// The hardware path.
  public var provider: Provider
  /// Threads of the processor's kernels.
  public var threads: Int
  /// The fewest measured runs, and the least and greatest time for them, seconds.
  public var runs: Int
  public var leastSeconds: Double
  public var mostSeconds: Double
  /// The fewest runs for warm-up, and the least time for them, seconds.
  public var warmupRuns: Int
  public var warmupSeconds: Double
  /// Whether operators are profiled.
  public var isProfiling: Bool
  /// Whether the peak of memory is looked for.
  public var watchesMemory: Bool
  /// Further flags, without their dashes; the last of a name wins.
  public var flags: [(name: String, value: String)]

  /// Makes a request.
  public init(
    provider: Provider = .cpu,
    threads: Int = 1,
    runs: Int = 50,
    leastSeconds: Double = 1,
    mostSeconds: Double = 150,
    warmupRuns: Int = 1,
    warmupSeconds: Double = 0.5,
    isProfiling: Bool = false,
    watchesMemory: Bool = false,
    flags: [(name: String, value: String)] = []
  ) {
    self.provider = provider
    self.threads = threads
    self.runs = runs
    self.leastSeconds = leastSeconds
    self.mostSeconds = mostSeconds
    self.warmupRuns = warmupRuns
    self.warmupSeconds = warmupSeconds
    self.isProfiling = isProfiling
    self.watchesMemory = watchesMemory
    self.flags = flags
  }

  public static func == (a: BenchmarkModelRequest, b: BenchmarkModelRequest) -> Bool {
    a.provider == b.provider && a.arguments(graph: "") == b.arguments(graph: "")
  }

  /// How long the tool may take by its own limits, seconds.
  public var patience: Double { mostSeconds * 2 + 60 }

  /// The tool's arguments, each name once.
  ///
  /// - Parameter graph: the model's path on the phone.
  public func arguments(graph: String) -> [String] {
    var all: [(name: String, value: String)] = [
      ("graph", graph), ("num_threads", "\(threads)"), ("num_runs", "\(runs)"),
      ("min_secs", number(leastSeconds)), ("max_secs", number(mostSeconds)),
      ("warmup_runs", "\(warmupRuns)"), ("warmup_min_secs", number(warmupSeconds)),
    ]
    all += provider.flags
    if isProfiling { all.append(("enable_op_profiling", "true")) }
    if watchesMemory { all.append(("report_peak_memory_footprint", "true")) }
    for flag in flags {
      all.removeAll { $0.name == flag.name }
      all.append(flag)
    }
    return all.map { "--\($0.name)=\($0.value)" }
  }

  private func number(_ value: Double) -> String { Words.short(value) }

  /// Reads a flag such as `--gpu_backend=cl`, `gpu_backend=cl` or `--verbose`.
  ///
  /// - Throws: `Diagnostic` BMK004 when it is no flag, with the nearest name when nobody knows it.
  public static func flag(_ text: String) throws -> (name: String, value: String) {
    let plain = text.after("--") ?? text[...]
    let parts = plain.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
    let name = String(parts[0])
    guard known.contains(name) else {
      let guess = nearest(to: name, among: known).map { "; did you mean \($0)?" } ?? ""
      throw Diagnostic(
        "BMK004",
        "'\(name)' is no flag of benchmark_model",
        remedy: "the tool would ignore it and measure something else\(guess)"
      )
    }
    guard !reserved.contains(name) else {
      throw Diagnostic(
        "BMK004",
        "'\(name)' is set by assay",
        remedy: "use the option of assay bench for it"
      )
    }
    return (name, parts.count == 2 ? String(parts[1]) : "true")
  }

  /// Flags that only assay sets, since it must know what they say.
  private static let reserved: Set<String> = [
    "graph", "dry_run", "use_gpu", "use_nnapi", "use_hexagon", "use_npu",
  ]

  /// Every flag of the tool from 1.13 to LiteRT of 2026, and of `benchmark_litert_model`.
  public static let known: [String] = [
    "num_runs", "min_secs", "max_secs", "run_delay", "run_frequency", "num_threads", "use_caching",
    "benchmark_name", "output_prefix", "warmup_runs", "warmup_min_secs", "verbose", "dry_run",
    "report_peak_memory_footprint", "memory_footprint_check_interval_ms", "gpu_invoke_loop_times",
    "graph", "signature_to_run_for", "list_signatures", "input_layer", "input_layer_shape",
    "input_layer_value_range", "input_layer_value_files", "require_full_delegation",
    "enable_op_profiling", "max_profiling_buffer_entries",
    "allow_dynamic_profiling_buffer_increase", "profiling_output_csv_file",
    "op_profiling_output_mode", "op_profiling_output_file", "export_model_runtime_info",
    "model_runtime_info_output_file", "result_file_path", "output_filepath",
    "output_proto_filepath", "print_preinvoke_state", "print_postinvoke_state",
    "release_dynamic_tensors", "optimize_memory_for_large_tensors", "disable_delegate_clustering",
    "allow_fp16", "max_delegated_partitions", "min_nodes_per_partition", "delegate_serialize_dir",
    "delegate_serialize_token", "first_delegate_node_index", "last_delegate_node_index", "use_gpu",
    "gpu_precision_loss_allowed", "gpu_experimental_enable_quant",
    "gpu_inference_for_sustained_speed", "gpu_backend", "gpu_wait_type", "use_nnapi",
    "nnapi_execution_preference", "nnapi_execution_priority", "nnapi_accelerator_name",
    "disable_nnapi_cpu", "nnapi_allow_fp16", "nnapi_allow_dynamic_dimensions",
    "nnapi_use_burst_mode", "nnapi_support_library_path", "use_hexagon", "hexagon_lib_path",
    "hexagon_profiling", "use_xnnpack", "xnnpack_force_fp16", "external_delegate_path",
    "external_delegate_options", "stable_delegate_loader_settings", "use_legacy_nnapi",
    "tensor_name_display_length", "tensor_type_display_length", "alloc_type_display_length",
    "use_cpu", "use_npu", "dispatch_library_path", "compiler_plugin_library_path",
    "compiler_cache_path", "use_profiler", "enable_perfetto", "xnnpack_weight_cache_file_path",
    "require_full_delegation", "sample_size", "num_calls", "model_path",
  ]
}
