import AssayBase
import AssayData
import AssayGraph
import AssayQuantize

/// Calibration for `convert`, from `--representative`.
func calibrated(
  _ canonical: Graph,
  _ recipe: Recipe,
  _ arguments: Arguments,
  _ console: Console
) throws -> Calibration? {
  guard let path = arguments.value("--representative") else {
    throw Diagnostic(
      "CLI008",
      "\(recipe.name) needs representative data to calibrate on",
      remedy: "--representative PATH: a folder of images, an .npy or .npz, or a list of paths"
    )
  }
  let data = try Dataset.open(
    path: path,
    inputs: dataInputs(canonical),
    preprocessing: try Preprocessing.parse(arguments.value("--preprocess") ?? "")
  )
  let limit = try arguments.integer("--limit")
  return try calibration(canonical, limit.map { data.subset($0) } ?? data, console)
}
