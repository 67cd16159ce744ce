import AssayAccuracy
import AssayBase
import AssayBench
import AssayHost
import AssaySets
import AssayVision

/// One evaluation: one artefact on one runtime over one set.
struct EvaluationPlan: Sendable, Equatable {
  /// The model's file and its hash.
  var model: String
  var sha256: String
  var runtime: String
  var version: String
  var provider: String
  var threads: Int
  /// The set's folder and hash.
  var set: String
  var setHash: String
  /// The whole specification.
  var preprocess: String
  /// How outputs are read; `nil` to tell by their shapes.
  var head: Head?
  /// What is added to a label to get the network's class.
  var labelOffset: Int
  /// The vocabulary of texts, and whether it is of lower-cased words.
  var vocabulary: String?
  var isUncased: Bool
  /// How a detector numbers COCO's classes: 80, 90 or 91; 0 for as the set does.
  var detectorClasses: Int
  /// The device that computes; `nil` for this machine.
  var device: String?

  /// The plan as workers get it, and what identifies it.
  var json: JSON {
    var object = JSON.object([
      "schema": "assay.evaluation-plan/1", "model": .string(model), "sha256": .string(sha256),
      "runtime": .string(runtime), "version": .string(version), "provider": .string(provider),
      "threads": JSON(threads), "set": .string(set), "setHash": .string(setHash),
      "preprocess": .string(preprocess), "head": JSON(head?.rawValue),
      "labelOffset": JSON(labelOffset), "vocabulary": JSON(vocabulary),
      "isUncased": .bool(isUncased), "detectorClasses": JSON(detectorClasses),
    ])
    object["device"] = device.map { .string($0) }
    return object
  }

  init(json: JSON) throws {
    guard let model = json["model"]?.string, let hash = json["sha256"]?.string,
      let runtime = json["runtime"]?.string, let version = json["version"]?.string,
      let provider = json["provider"]?.string, let threads = json["threads"]?.int,
      let set = json["set"]?.string, let setHash = json["setHash"]?.string,
      let preprocess = json["preprocess"]?.string
    else { throw Diagnostic("EVA001", "this is no plan of an evaluation") }
    self.init(
      model: model,
      sha256: hash,
      runtime: runtime,
      version: version,
      provider: provider,
      threads: threads,
      set: set,
      setHash: setHash,
      preprocess: preprocess,
      head: json["head"]?.string.flatMap(Head.init),
      labelOffset: json["labelOffset"]?.int ?? 0,
      vocabulary: json["vocabulary"]?.string,
      isUncased: json["isUncased"]?.bool ?? true,
      detectorClasses: json["detectorClasses"]?.int ?? 0
    )
    device = json["device"]?.string
  }

  init(
    model: String,
    sha256: String,
    runtime: String,
    version: String,
    provider: String,
    threads: Int,
    set: String,
    setHash: String,
    preprocess: String,
    head: Head?,
    labelOffset: Int,
    vocabulary: String?,
    isUncased: Bool,
    detectorClasses: Int
  ) {
    self.model = model
    self.sha256 = sha256
    self.runtime = runtime
    self.version = version
    self.provider = provider
    self.threads = threads
    self.set = set
    self.setHash = setHash
    self.preprocess = preprocess
    self.head = head
    self.labelOffset = labelOffset
    self.vocabulary = vocabulary
    self.isUncased = isUncased
    self.detectorClasses = detectorClasses
  }

  /// What decides the outcomes: the files' contents and not where they lie.
  var key: String {
    var named = json
    named["model"] = nil
    named["set"] = nil
    if let vocabulary {
      named["vocabulary"] = .string((try? contentHash(vocabulary)) ?? vocabulary)
    }
    return String(AssayBase.sha256(named.text()).prefix(16))
  }
}

/// The SHA-256 of a file with what belongs to it, as records have it, or of all files of a folder.
func contentHash(_ path: String) throws -> String {
  guard Host.kind(of: path) == .folder else {
    return try modelHash(path)
  }
  var text = ""
  for name in try Host.list(path).sorted() {
    text += "\(name)\t\(try contentHash(Host.join(path, name)))\n"
  }
  return AssayBase.sha256(text)
}
