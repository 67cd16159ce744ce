import AssayBase
import AssayModels
import AssayWeights

/// Published weights for a network of the zoo.
struct ZooWeights {
  let path: String
  private let file: WeightFile
  private let allowsMissing: Bool
  private let console: Console

  /// The weights that a command line names; `nil` without `--weights`.
  init?(_ arguments: Arguments, _ console: Console) throws {
    guard let path = arguments.value("--weights") else {
      guard !arguments.has("--partial") else {
        throw Diagnostic("CLI004", "--partial is about --weights, which is missing")
      }
      return nil
    }
    self.path = path
    allowsMissing = arguments.has("--partial")
    self.console = console
    file = try WeightFile(path: path)
  }

  /// The network with these weights.
  ///
  /// - Throws: `Diagnostics` WGT01x with everything that does not fit.
  func network(_ entry: ZooEntry, _ options: ZooOptions, threads: Int) throws -> Network {
    console.note(
      "\(path): \(file.format), \(file.entries.count) tensors"
        + (file.license.map { ", licence: \($0)" } ?? "")
    )
    let outline = try entry.outline(options)
    let match = try locating(path) { try WeightMatch(outline, file) }
    let findings = match.findings(allowsMissing: allowsMissing).map { $0.inside(path) }
    try Diagnostics(findings).throwIfErrors()
    for finding in findings { console.report(finding) }
    if match.isWhole { return outline.with(match) }
    return try entry.network(options, threads: threads).with(match)
  }
}
