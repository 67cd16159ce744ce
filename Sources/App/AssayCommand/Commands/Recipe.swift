import AssayBase
import AssayQuantize

let recipeCommand = CommandSpec(
  name: "recipe",
  summary: "the recipes by which variants are made, as text or JSON",
  discussion: """
    'list' names the recipes; 'show' prints one, given by its name, by steps joined with + or by a .json
    file. The JSON of a recipe can be edited and given to --recipe: there, overrides treat parts of a
    network differently, by node name ({"nodes": "block_1/*", "scheme": "float32"}) or by operator
    ({"operator": "Softmax", "scheme": "float32"}).
    """,
  operands: [
    Operand(word: "ACTION", help: "list or show"),
    Operand(word: "RECIPE", help: "the recipe to show", isOptional: true),
  ],
  examples: [
    ("assay recipe list", "what there is"),
    ("assay recipe show static_int8 --json mine.json", "a file to begin with"),
    ("assay recipe show equalize+entropy+static_int8", "steps joined by +"),
  ]
) { arguments, console in
  switch arguments.operands[0] {
  case "list":
    guard arguments.operand(1) == nil else {
      throw Diagnostic(
        "CLI005",
        "'assay recipe list' takes no RECIPE",
        remedy: "assay recipe show NAME"
      )
    }
    try console.result(
      .object([
        "schema": "assay.recipes/1", "recipes": .array(Recipe.all.map(\.json)),
        "calibration": .array(CalibrationMethod.names.map { .string($0) }),
      ]),
      text: Text.table(["recipe", "data", "what it does"], Recipe.all.map(row))
        + "\nsteps before: equalize, \(CalibrationMethod.names.joined(separator: ", ")); after: "
        + "correct_bias; joined by +\nsteps that assay optimize trains: "
        + RecipeStep.examples.joined(separator: ", ") + "\n"
    )
  case "show":
    guard let word = arguments.operand(1) else {
      throw Diagnostic(
        "CLI005",
        "RECIPE is missing: the recipe to show",
        remedy: "assay recipe list"
      )
    }
    let recipe = try Quantizing.recipe(named: word)
    try console.result(recipe.json, text: recipe.json.text(pretty: true) + "\n")
  case let word:
    throw Diagnostic(
      "CLI004",
      "'\(word)' is no action of 'assay recipe'",
      remedy: "list or show"
    )
  }
  return .done
}

private func row(_ recipe: Recipe) -> [String] {
  [recipe.name, recipe.needsCalibration ? "needed" : "-", recipe.summary]
}
