// swift-tools-version: 6.2
import PackageDescription

/// Settings of every Swift target.
let strict: [SwiftSetting] = [
  .swiftLanguageMode(.v6),
  .enableUpcomingFeature("ExistentialAny"),
  .enableUpcomingFeature("MemberImportVisibility"),
  .treatAllWarnings(as: .error),
  .strictMemorySafety(),
  .unsafeFlags(["-cross-module-optimization"], .when(configuration: .release)),
]

/// Modules whose inner loops make an unoptimised test run minutes long are optimised in debug builds too.
let fast: [SwiftSetting] = strict + [.unsafeFlags(["-O"], .when(configuration: .debug))]

/// Optimised C, in debug builds too.
let fastC: [CSetting] = [.unsafeFlags(["-O3"])]

/// A Swift module in a pipeline folder, with its unit tests in `Tests/<name>Tests`.
func module(
  _ folder: String,
  _ name: String,
  _ dependencies: [Target.Dependency],
  settings: [SwiftSetting] = strict,
  resources: [Resource]? = nil,
  tests: [Target.Dependency]? = []
) -> [Target] {
  let target = Target.target(
    name: name,
    dependencies: dependencies,
    path: "Sources/\(folder)/\(name)",
    resources: resources,
    swiftSettings: settings
  )
  guard let tests else { return [target] }
  return [
    target,
    .testTarget(
      name: "\(name)Tests",
      dependencies: [.init(stringLiteral: name), "AssayTestSupport"] + dependencies + tests,
      path: "Tests/\(name)Tests",
      swiftSettings: settings
    ),
  ]
}

/// A C shim: declarations that we wrote, resolved at run time, or a system library's module map.
func shim(_ name: String, settings: [CSetting] = []) -> [Target] {
  [.target(name: name, path: "Sources/CShims/\(name)", cSettings: settings)]
}

func system(_ name: String) -> [Target] {
  [.systemLibrary(name: name, path: "Sources/CShims/\(name)")]
}

let base: [Target.Dependency] = ["AssayBase", "AssayTensor"]
let graph: [Target.Dependency] = base + ["AssayGraph"]

/// One row per format; the folder is `Sources/Formats/Format<row>`.
let formats = ["Keras", "TFLite", "ONNX", "TensorFlow", "PyTorch", "OpenVINO"]

/// One row per runtime: its folder is `Sources/Run/Runtime<row>`, its shim `C<row>`.
let runtimes = ["LiteRT", "OnnxRuntime", "OpenVINO"]

let targets: [[Target]] = [
  shim("CHost"), shim("CLiteRT"), shim("COnnxRuntime"), shim("COpenVINO"),
  shim("CImage", settings: fastC),
  shim("CKernels", settings: fastC),
  [
    .target(
      name: "CTrain",
      dependencies: ["CKernels"],
      path: "Sources/CShims/CTrain",
      cSettings: fastC
    )
  ],
  shim("CYAML"), shim("CPostgres"), shim("CCairo"), shim("CProbe", settings: fastC),
  shim("CMicroHTTPD"), shim("CNVML"), shim("CUSB"),
  [
    .target(
      name: "CExplorerPages",
      path: "Sources/CShims/CExplorerPages",
      exclude: ["pages"]
    )
  ],
  system("CCrypto"), system("CSQLite"), system("CZlib"),
  module("Base", "AssayBase", ["CCrypto"], settings: fast),
  module("Base", "AssayHost", ["AssayBase", "CHost"]),
  module("Base", "AssayTensor", ["AssayBase"], settings: fast),
  module("Devices", "AssayADB", ["AssayBase", "AssayHost"], tests: ["PhoneEmulation"]),
  module("Devices", "VendorPhone", ["AssayBase"], settings: fast, tests: ["AssayHost"]),
  module("Base", "AssayCodec", base + ["AssayHost", "CYAML", "CZlib"], settings: fast),
  module("Graph", "AssayGraph", base),
  module(
    "Graph",
    "AssayReference",
    graph,
    settings: fast,
    tests: ["AssayFormat", "FormatTFLite"]
  ),
  module("Graph", "AssayKernels", base + ["CKernels"], settings: fast),
  module(
    "Graph",
    "AssayEvaluator",
    graph + ["AssayKernels", "AssayReference"],
    settings: fast
  ),
  module(
    "Train",
    "AssayAutodiff",
    graph + ["AssayKernels", "AssayReference", "CTrain"],
    settings: fast,
    tests: ["AssayEvaluator"]
  ),
  module(
    "Train",
    "AssayTrain",
    graph + ["AssayAutodiff", "AssayHost", "AssayKernels"],
    settings: fast,
    tests: ["AssayCodec", "AssayFormat", "FormatKeras"]
  ),
  module("Formats", "AssayFormat", graph + ["AssayHost"]),
  module(
    "Formats",
    "AssayTensorFlow",
    graph + ["AssayCodec", "AssayFormat", "AssayReference"],
    settings: fast
  ),
  formats.flatMap {
    module(
      "Formats",
      "Format\($0)",
      graph + ["AssayCodec", "AssayFormat", "AssayReference"]
        // TFLite's Flex operators are TensorFlow's.
        + (["TFLite", "TensorFlow"].contains($0) ? ["AssayTensorFlow"] : [])
        + ($0 == "TensorFlow" ? ["AssayHost"] : []),
      settings: fast,
      tests: ($0 == "TensorFlow" ? [] : ["AssayHost"])
        + ($0 == "OpenVINO" ? ["AssayRuntime", "RuntimeOpenVINO"] : [])
    )
  },
  module(
    "Formats",
    "AssayWeights",
    graph + [
      "AssayCodec", "AssayFormat", "AssayHost", "AssayModels", "AssayTensorFlow", "FormatKeras",
      "FormatPyTorch", "FormatTensorFlow",
    ],
    settings: fast,
    tests: ["AssayEvaluator", "AssayReference"]
  ),
  module("Data", "AssayData", base + ["AssayCodec", "AssayHost", "CImage"], settings: fast),
  module(
    "Data",
    "AssayAccuracy",
    ["AssayBase", "AssayCodec", "AssayHost"],
    settings: fast,
    resources: [.embedInCode("Resources/imagenet.txt")]
  ),
  module(
    "Data",
    "AssayFetch",
    ["AssayBase", "AssayCodec", "AssayHost"],
    settings: fast,
    resources: [.embedInCode("Resources/downloads.json")]
  ),
  module(
    "Data",
    "AssaySets",
    base + ["AssayAccuracy", "AssayCodec", "AssayData", "AssayHost"],
    settings: fast
  ),
  module("Data", "AssayVision", base + ["AssayAccuracy", "AssayData"], settings: fast),
  module(
    "Train",
    "AssayModels",
    graph + ["AssayCodec", "AssayEvaluator", "AssayKernels"],
    settings: fast,
    tests: ["AssayFormat", "AssayHost", "FormatKeras"]
  ),
  module(
    "Data",
    "AssayDetect",
    graph + [
      "AssayAutodiff", "AssayData", "AssayEvaluator", "AssayHost", "AssayKernels", "AssayModels",
      "AssayTrain",
    ],
    settings: fast,
    tests: ["AssayCodec", "AssayFormat", "AssayRewrite", "FormatTFLite"]
  ),
  module(
    "Optimize",
    "AssayRewrite",
    graph + ["AssayReference"],
    settings: fast,
    tests: [
      "AssayEvaluator", "AssayCodec", "AssayFormat", "FormatKeras", "FormatONNX", "FormatPyTorch",
      "FormatTFLite",
    ]
  ),
  module(
    "Optimize",
    "AssayQuantize",
    graph + ["AssayEvaluator", "AssayKernels", "AssayRewrite"],
    settings: fast,
    tests: ["AssayReference", "AssayFormat", "FormatKeras"]
  ),
  module(
    "Optimize",
    "AssayCompress",
    graph + ["AssayAutodiff", "AssayEvaluator", "AssayKernels", "AssayQuantize", "AssayTrain"],
    settings: fast,
    tests: ["AssayHost", "AssayRewrite"]
  ),
  module(
    "Optimize",
    "AssayVerify",
    graph + ["AssayEvaluator", "AssayReference", "AssayRewrite"],
    settings: fast,
    tests: ["AssayFormat", "AssayQuantize", "FormatKeras", "FormatTFLite"]
  ),
  module("Run", "AssayRuntime", base + ["AssayHost"]),
  runtimes.flatMap {
    module(
      "Run",
      "Runtime\($0)",
      base
        + ["AssayHost", "AssayRuntime", "C\($0)"].map {
          .init(stringLiteral: $0)
        }
    )
  },
  module(
    "Run",
    "RuntimeReference",
    graph + ["AssayRuntime", "AssayReference", "AssayEvaluator"]
  ),
  module(
    "Devices",
    "VendorEdgeTPU",
    base + ["AssayHost", "AssayRuntime", "FormatTFLite", "RuntimeLiteRT"]
  ),
  module("Measure", "AssayStatistics", ["AssayBase"], settings: fast),
  module("Measure", "AssayMachine", ["AssayBase", "AssayHost", "CProbe"]),
  module("Devices", "AssayDevice", ["AssayBase", "AssayHost", "AssayMachine"]),
  module("Devices", "DeviceSSH", ["AssayBase", "AssayDevice", "AssayHost"], tests: nil),
  module(
    "Devices",
    "DeviceADB",
    ["AssayADB", "AssayBase", "AssayDevice", "AssayHost"],
    tests: ["PhoneEmulation"]
  ),
  module("Measure", "AssayRecord", ["AssayBase", "AssayStatistics"], settings: fast),
  module(
    "Measure",
    "AssayMeter",
    base + ["AssayCodec", "AssayHost", "AssayRecord", "AssayStatistics", "CNVML", "CUSB"],
    settings: fast
  ),
  module(
    "Measure",
    "AssayBench",
    base + [
      "AssayCodec", "AssayData", "AssayHost", "AssayMachine", "AssayMeter", "AssayRuntime",
      "AssayStatistics", "AssayRecord",
    ],
    settings: fast,
    tests: ["BenchWorker", "CAllocationCount"]
  ),
  module(
    "Devices",
    "AssayRemote",
    base + [
      "AssayBench", "AssayCodec", "AssayDevice", "AssayHost", "AssayMachine", "AssayMeter",
      "AssayRecord", "AssayRuntime",
    ],
    tests: ["DeviceSSH", "RuntimeLiteRT", "RuntimeOnnxRuntime", "RuntimeOpenVINO"]
  ),
  module(
    "Devices",
    "AssayPhone",
    [
      "AssayBase", "AssayCodec", "AssayDevice", "AssayHost", "AssayMeter", "AssayRecord",
      "VendorPhone",
    ],
    tests: ["AssayADB", "DeviceADB", "PhoneEmulation"]
  ),
  module(
    "Store",
    "AssayStore",
    ["AssayBase", "AssayHost", "AssayRecord", "CPostgres", "CSQLite"],
    tests: ["AssayData", "CFaultVFS"]
  ),
  module(
    "Devices",
    "VendorTools",
    ["AssayBase", "AssayHost", "AssayRecord", "AssayStatistics"],
    settings: fast,
    // Compiled in: the command needs no file beside it.
    resources: [.embedInCode("Resources/openvino2021.py")],
    tests: ["AssayData"]
  ),
  module(
    "Store",
    "AssayImports",
    [
      "AssayBase", "AssayData", "AssayHost", "AssayRecord", "AssayStatistics", "VendorPhone",
      "VendorTools",
    ],
    settings: fast,
    tests: ["AssayStore"]
  ),
  module(
    "Store",
    "AssayJobs",
    [
      "AssayBase", "AssayBench", "AssayCodec", "AssayHost", "AssayMachine", "AssayRecord",
      "AssayRuntime",
      "AssayStore",
    ],
    tests: ["BenchWorker", "SweepProbe"]
  ),
  module(
    "Rate",
    "AssayRate",
    ["AssayBase", "AssayRecord", "AssayStatistics"],
    settings: fast,
    // Compiled in: the command needs no file beside it.
    resources: [
      .embedInCode("Resources/image-classification.json"),
      .embedInCode("Resources/variants.json"),
    ],
    tests: ["AssayData"]
  ),
  module(
    "Explore",
    "AssayReport",
    ["AssayBase", "AssayData", "AssayDetect", "AssayMeter", "AssayStatistics", "AssayRecord"],
    settings: fast
  ),
  module(
    "Explore",
    "AssayFigures",
    [
      "AssayBase", "AssayHost", "AssayRate", "AssayRecord", "AssayReport", "AssayStatistics",
      "CCairo",
    ],
    settings: fast
  ),
  module("Explore", "AssayProfile", graph + ["AssayRecord", "AssayReport"], settings: fast),
  module(
    "Explore",
    "AssayExplore",
    [
      "AssayBase", "AssayCodec", "AssayFigures", "AssayHost", "AssayRate", "AssayRecord",
      "AssayReport", "AssayStatistics", "AssayStore", "CExplorerPages", "CHost", "CMicroHTTPD",
    ],
    settings: fast,
    tests: ["AssayBrowser", "AssayData"]
  ),
  module(
    "App",
    "AssayCatalog",
    graph + [
      "AssayFormat", "AssayRuntime", "AssayReference", "AssayEvaluator", "AssayRewrite",
      "AssayQuantize", "AssayVerify", "AssayData", "AssayHost", "AssayCodec", "AssayRecord",
      "AssayBench", "AssayMachine", "AssayMeter", "AssayStore", "AssayJobs", "AssayReport",
      "AssayFigures", "AssayDevice", "AssayExplore", "AssayFetch", "DeviceADB", "DeviceSSH",
      "RuntimeReference", "VendorTools", "VendorEdgeTPU", "AssayAutodiff", "AssayRemote",
    ] + formats.map { .init(stringLiteral: "Format\($0)") }
      + runtimes.map { .init(stringLiteral: "Runtime\($0)") }
  ),
  [
    .target(
      name: "AssayTestSupport",
      dependencies: graph + ["AssayHost"],
      path: "Tests/Support/AssayTestSupport",
      swiftSettings: strict
    ),
    .executableTarget(
      name: "BenchWorker",
      dependencies: base + ["AssayHost", "AssayRuntime", "AssayBench"]
        + runtimes.map { .init(stringLiteral: "Runtime\($0)") },
      path: "Tests/Support/BenchWorker",
      swiftSettings: strict
    ),
    .target(
      name: "PhoneEmulation",
      dependencies: ["AssayBase", "AssayHost"],
      path: "Tests/Support/PhoneEmulation",
      swiftSettings: strict
    ),
    .target(
      name: "CFaultVFS",
      dependencies: ["CSQLite"],
      path: "Tests/Support/CFaultVFS"
    ),
    .executableTarget(
      name: "SweepProbe",
      dependencies: [
        "AssayBase", "AssayHost", "AssayJobs", "AssayRecord", "AssayStore", "CFaultVFS",
      ],
      path: "Tests/Support/SweepProbe",
      swiftSettings: strict
    ),
    .executableTarget(
      name: "picture-probe",
      dependencies: base + ["AssayData", "AssayHost"],
      path: "Tests/Support/PictureProbe",
      swiftSettings: strict
    ),
    .target(
      name: "AssayBrowser",
      dependencies: ["AssayBase", "AssayHost"],
      path: "Tests/Support/AssayBrowser",
      swiftSettings: strict
    ),
    .target(name: "CAllocationCount", path: "Tests/Support/CAllocationCount"),
    .executableTarget(
      name: "train-steps",
      dependencies: graph + [
        "AssayAutodiff", "AssayCodec", "AssayFormat", "AssayKernels", "AssayTrain", "FormatKeras",
      ],
      path: "Tests/Support/TrainSteps",
      swiftSettings: strict
    ),
    .target(
      name: "AssayCommand",
      dependencies: graph + [
        "AssayCatalog", "AssayFormat", "AssayRuntime", "AssayReference", "AssayEvaluator",
        "AssayRewrite", "AssayQuantize", "AssayVerify", "AssayData", "AssayHost", "AssayCodec",
        "AssayAutodiff", "AssayCompress", "AssayKernels", "AssayModels", "AssayTrain", "AssayRate",
        "AssayStatistics", "AssayRecord", "AssayBench", "AssayMachine", "AssayMeter", "AssayStore",
        "AssayJobs", "AssayReport", "AssayFigures", "AssayProfile", "AssayDetect", "AssayExplore",
        "AssayAccuracy", "AssayFetch", "AssaySets", "AssayVision", "AssayWeights", "AssayDevice",
        "AssayRemote", "AssayImports", "VendorTools", "FormatTFLite", "RuntimeLiteRT",
        "VendorEdgeTPU", "AssayADB", "AssayPhone", "VendorPhone",
      ],
      path: "Sources/App/AssayCommand",
      swiftSettings: strict
    ),
    .executableTarget(
      name: "assay",
      dependencies: ["AssayCommand"],
      path: "Sources/App/assay",
      swiftSettings: strict
    ),
    .testTarget(
      name: "ScriptTests",
      dependencies: ["AssayTestSupport", "AssayBase", "AssayHost"],
      path: "Tests/ScriptTests",
      exclude: ["setup.sh"],
      swiftSettings: strict
    ),
    .testTarget(
      name: "CommandTests",
      dependencies: [
        "AssayCommand", "assay", "AssayTestSupport", "AssayBase", "AssayHost", "AssayTensor",
        "AssayCodec", "AssayAutodiff", "AssayData", "AssayGraph", "AssayModels", "AssayReport",
        "AssayAccuracy", "AssaySets", "AssayStore",
        "AssayKernels", "AssayMachine", "AssayTrain", "AssayBrowser", "AssayExplore",
        "AssayRecord", "AssayRuntime", "PhoneEmulation",
      ],
      path: "Tests/CommandTests",
      exclude: ["Goldens"],
      swiftSettings: strict
    ),
  ],
]

/// The parsers of untrusted bytes as fuzz targets, and the replay of their corpus.
let fuzzed: [Target.Dependency] =
  graph + [
    "AssayAccuracy", "AssayCodec", "AssayData", "AssayDetect", "AssayFormat", "AssayImports",
    "AssayJobs", "AssayMeter", "AssayQuantize", "AssayRate", "AssayRecord", "AssayStore",
    "AssayTrain", "AssayExplore", "AssayFetch", "AssayWeights", "VendorTools", "VendorEdgeTPU",
    "VendorPhone",
  ]
  + formats.map { .init(stringLiteral: "Format\($0)") }
let fuzzing: [Target] = [
  .target(
    name: "AssayFuzzTargets",
    dependencies: fuzzed,
    path: "Tests/Support/AssayFuzzTargets",
    swiftSettings: fast
  ),
  .testTarget(
    name: "FuzzTests",
    dependencies: ["AssayFuzzTargets", "AssayTestSupport", "AssayBase"],
    path: "Tests/FuzzTests",
    swiftSettings: strict
  ),
]

/// The fuzzer itself links only with libFuzzer, which `scripts/fuzz` asks for.
let fuzzer: [Target] =
  Context.environment["ASSAY_FUZZ"] == nil
  ? []
  : [
    .executableTarget(
      name: "assay-fuzz",
      dependencies: ["AssayFuzzTargets"],
      path: "Fuzz/assay-fuzz",
      swiftSettings: strict
    )
  ]

let package = Package(
  name: "assay",
  platforms: [.macOS(.v15)],
  products: [
    .executable(name: "assay", targets: ["assay"]),
    .library(name: "AssayCatalog", targets: ["AssayCatalog"]),
    .library(name: "AssayGraph", targets: ["AssayGraph"]),
  ],
  targets: targets.flatMap { $0 } + fuzzing + fuzzer
)
