import AssayBase
import AssayQuantize
import Testing

@Suite struct RecipeTests {
  @Test func everyRecipeIsFoundByItsName() throws {
    #expect(Set(Recipe.all.map(\.name)).count == Recipe.all.count)
    for recipe in Recipe.all {
      #expect(try Recipe.parse(recipe.name) == recipe)
      #expect(recipe.json["name"]?.string == recipe.name)
      #expect(recipe.json["needsCalibration"]?.bool == recipe.needsCalibration)
    }
    let names = Recipe.all.map(\.name)
    #expect(
      names == [
        "float32", "float16", "dynamic_int8", "static_int8", "static_int8_floatio",
        "static_int8_uint8io",
      ]
    )
  }

  @Test(arguments: [
    ("statc_int8", "QNT001", "static_int8"), ("float61", "QNT001", "float16"),
    ("prune50", "QNT002", "assay optimize"), ("qat+static_int8", "QNT002", "assay optimize"),
    ("float16+static_int8", "QNT001", "choose one"), ("", "QNT001", "recipes are"),
    ("cluster8", "QNT002", "cluster8"), ("prunes", "QNT001", "recipes are"),
  ])
  func anUnknownNameIsExplained(name: String, code: String, remedy: String) {
    let fault = #expect(throws: Diagnostic.self) { try Recipe.parse(name) }
    #expect(fault?.code == code)
    #expect(fault?.remedy?.contains(remedy) == true, "\(fault?.remedy ?? "")")
  }
}
