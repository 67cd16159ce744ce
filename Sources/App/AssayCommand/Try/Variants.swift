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
  /// Path of the file by format id.
  var files: [String: String] = [:]
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
  /// - Parameter calibration: activation ranges for the static recipes, or why there are none.
  init(
    _ original: Graph,
    _ plan: TryPlan,
    calibration: (Graph) throws -> Calibration?,
    _ console: Console
  ) throws {
    self.original = original
    let canonical = try canonicalized(original)
    let models = Host.join(plan.folder, "models")
    try Host.makeFolders(models)
    let needs = plan.recipes.contains(where: \.needsCalibration)
    let ranges = needs ? try calibration(canonical) : nil
    for recipe in plan.recipes {
      console.progress("making \(recipe.name)")
      do {
        if recipe.needsCalibration, ranges == nil {
          throw Diagnostic(
            "QNT008",
            "\(recipe.name) needs representative data",
            remedy: "--representative PATH"
          )
        }
        let result = try Quantizer().apply(recipe, to: canonical, calibration: ranges)
        var variant = TryVariant(
          recipe: recipe,
          graph: result.graph,
          diagnostics: result.diagnostics
        )
        for format in Set(plan.formats.values).sorted() {
          let name = "\(Shared.stem(plan.model))-\(recipe.name).\(format)"
          let path = Host.join(models, name)
          try exportModel(
            result.graph,
            to: path,
            description: "assay \(assayVersion) \(recipe.name)"
          )
          variant.files[format] = path
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
