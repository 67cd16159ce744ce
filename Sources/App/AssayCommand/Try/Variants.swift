import AssayBase
import AssayCatalog
import AssayFormat
import AssayGraph
import AssayHost
import AssayQuantize
import AssayRewrite
import AssayTensor

/// A variant of the model and the files that hold it.
struct TryVariant {
  /// The recipe that made it.
  var recipe: Recipe
  /// Its graph.
  var graph: Graph
  /// Paths of the files by format id.
  var files: [String: String] = [:]
  /// The format that each runtime gets, by its id.
  var formats: [String: String] = [:]
  /// What was noticed while it was made and written.
  var diagnostics: [Diagnostic]
}

/// The variants of one model, and why others could not be made.
struct TryVariants {
  /// The network as imported.
  var original: Graph
  /// The variants that could be made.
  var made: [TryVariant] = []
  /// Recipes that could not be applied, with the reason.
  var failed: [(recipe: Recipe, reason: Diagnostic)] = []

  /// Makes every variant and writes it in every format that a runtime of the plan wants.
  ///
  /// - Parameter feed: shows the representative data to a calibrator; `nil` when there are none.
  init(
    _ original: Graph,
    _ plan: TryPlan,
    feed: ((Calibrator) throws -> Void)?,
    _ console: Console
  ) throws {
    self.original = original
    let canonical = try canonicalized(original)
    let models = Host.join(plan.folder, "models")
    try Host.makeFolders(models)
    let maker = VariantMaker(canonical, threads: Host.processorCount, feed: feed)
    for recipe in plan.recipes {
      console.progress("making \(recipe.name)")
      do {
        let result = try maker.make(recipe)
        var variant = TryVariant(
          recipe: recipe,
          graph: result.graph,
          diagnostics: result.diagnostics
        )
        let stem = Host.join(models, "\(Shared.stem(plan.model))-\(recipe.name)")
        for (runtime, formats) in plan.formats.sorted(by: { $0.key < $1.key })
        where !formats.isEmpty {
          variant.formats[runtime] = try firstWritten(formats) { format in
            guard variant.files[format] == nil else { return }
            let path = Catalog.file(stem, format: format)
            try exportModel(
              result.graph,
              to: path,
              description: "assay \(assayVersion) \(recipe.name)"
            )
            variant.files[format] = path
          }
        }
        made.append(variant)
      } catch let reason as Diagnostic {
        failed.append((recipe, reason))
      } catch let several as Diagnostics {
        failed.append((recipe, several.all[0]))
      }
    }
    console.endProgress()
  }
}

/// The first of some formats in which a network can be written; the reason of the first if there is none.
func firstWritten(_ formats: [String], write: (String) throws -> Void) throws -> String {
  var reason: (any Error)?
  for format in formats {
    do {
      try write(format)
      return format
    } catch {
      reason = reason ?? error
    }
  }
  throw reason ?? Diagnostic("CAT003", "the runtime reads no format that is written")
}
