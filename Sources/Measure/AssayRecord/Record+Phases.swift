import AssayBase

extension Record {
  /// What happens around the steady inferences: starting, and what an application does before and
  /// after each.
  public struct Phases: Sendable, Equatable {
    /// One start of a fresh process, nanoseconds.
    public struct Start: Sendable, Equatable {
      /// The part of the model file that lay in the page cache beforehand; `nil` when not told.
      public var cachedShare: Double?
      /// Starting the process, until it answers.
      public var process: Int64
      /// Reading the file.
      public var read: Int64
      /// Compiling: planning, packing weights, allocating.
      public var compile: Int64
      /// The first inference.
      public var first: Int64
      /// From asking for the model until the result of the first inference, by the parent's clock.
      public var total: Int64

      /// Makes a start.
      public init(
        cachedShare: Double?,
        process: Int64,
        read: Int64,
        compile: Int64,
        first: Int64,
        total: Int64
      ) {
        self.cachedShare = cachedShare
        self.process = process
        self.read = read
        self.compile = compile
        self.first = first
        self.total = total
      }

      var json: JSON {
        .object([
          "cachedShare": cachedShare.map { JSON($0) } ?? .null, "process": .integer(process),
          "read": .integer(read), "compile": .integer(compile), "first": .integer(first),
          "total": .integer(total),
        ])
      }

      init?(json: JSON) {
        func time(_ name: String) -> Int64? { json[name]?.int.map { Int64($0) } }
        guard let process = time("process"), let read = time("read"),
          let compile = time("compile"), let first = time("first"), let total = time("total")
        else { return nil }
        self.init(
          cachedShare: json["cachedShare"]?.double,
          process: process,
          read: read,
          compile: compile,
          first: first,
          total: total
        )
      }
    }

    /// From a picture in a file to its classes, each step of each run, nanoseconds.
    public struct Pipeline: Sendable, Equatable {
      /// What is done to the picture, in the words of `--preprocess`.
      public var preprocessing: String
      /// Decoding and scaling the picture, to the model's input.
      public var preprocess: [Int64] = []
      /// Handing the input to the runtime.
      public var feed: [Int64] = []
      /// The inference.
      public var inference: [Int64] = []
      /// Fetching the output, and finding the best classes.
      public var postprocess: [Int64] = []

      /// Makes an empty pipeline.
      public init(preprocessing: String) { self.preprocessing = preprocessing }

      /// All steps of each run together.
      public var endToEnd: [Int64] {
        preprocess.indices.map {
          preprocess[$0] &+ feed[$0] &+ inference[$0] &+ postprocess[$0]
        }
      }

      /// The pipeline as a record keeps it.
      public var json: JSON {
        func list(_ values: [Int64]) -> JSON { .array(values.map { .integer($0) }) }
        return .object([
          "preprocessing": .string(preprocessing), "preprocess": list(preprocess),
          "feed": list(feed), "inference": list(inference), "postprocess": list(postprocess),
        ])
      }

      /// Reads a pipeline; `nil` when this is none.
      public init?(json: JSON) {
        guard let text = json["preprocessing"]?.string else { return nil }
        self.init(preprocessing: text)
        func list(_ name: String) -> [Int64] { (json[name]?.ints ?? []).map { Int64($0) } }
        (preprocess, feed) = (list("preprocess"), list("feed"))
        (inference, postprocess) = (list("inference"), list("postprocess"))
        let counts = Set([preprocess.count, feed.count, inference.count, postprocess.count])
        if counts.count != 1 { return nil }
      }
    }

    /// Starts with the model file forgotten by the page cache.
    public var cold: [Start] = []
    /// Starts with the model file in the page cache.
    public var warm: [Start] = []
    /// Why there are no cold starts.
    public var coldReason: String?
    /// From a picture to its classes.
    public var pipeline: Pipeline?

    /// Makes phases of which none was measured.
    public init() {}

    /// The phases as a record keeps them.
    var json: JSON {
      var object = JSON.object([
        "coldNs": coldReason.map { .object(["missing": .string($0)]) } ?? .array(cold.map(\.json)),
        "warmNs": .array(warm.map(\.json)),
      ])
      object["pipelineNs"] = pipeline?.json
      return object
    }

    /// Reads phases; `nil` when these are none.
    init?(json: JSON) {
      guard json.pairs != nil else { return nil }
      cold = (json["coldNs"]?.array ?? []).compactMap(Start.init(json:))
      warm = (json["warmNs"]?.array ?? []).compactMap(Start.init(json:))
      coldReason = json["coldNs"]?["missing"]?.string
      pipeline = json["pipelineNs"].flatMap(Pipeline.init(json:))
    }
  }
}
