import AssayBase
import AssayData
import AssayRate
import AssayRecord
import AssayStore

let rateCommand = CommandSpec(
  name: "rate",
  summary: "grades from A to E of measured models, with how sure they are",
  discussion: """
    Rates records of the store, or a CSV of measurements, against a frozen scale: adding or removing a
    model changes no other's grade, and each grade says how probable it is. A scale is a reference set
    with what counts and how much: image-classification for ImageNet classifiers, variants for what was
    made of one network (the default for records). Weights, limits and whole scales can be edited and
    kept as JSON. edge-acc and strep are the published methods, whose grades depend on the neighbors.
    docs/rating.md tells how each works.
    """,
  operands: [
    Operand(
      word: "TABLE",
      help:
        "a CSV with the column model, perhaps environment, task and dataset (default: the store)",
      isOptional: true
    )
  ],
  options: [
    Option(
      "--store",
      .repeated("URL"),
      "a store of records (default: store.sqlite in $ASSAY_HOME)"
    ),
    Option(
      "--task",
      .value("NAME"),
      "a scale that comes with Assay: image-classification, variants"
    ),
    Option("--scale", .value("FILE"), "a scale of one's own"),
    Option("--gate", .repeated("RULE"), "no grade without it, such as accuracy>=99%original"),
    Option("--session", .value("ID"), "only the records of one comparison"),
    Option("--model", .value("TEXT"), "only models whose name has this in it"),
    Option(
      "--properties",
      .value("FILE"),
      "JSON: what the table's columns are, by column group, weight, maximize, is, factor, count"
    ),
    Option(
      "--method",
      .choice(["assay"] + RatingMethod.Kind.allCases.map(\.rawValue)),
      "the method (default: assay)"
    ),
    Option(
      "--index",
      .choice(RatingMethod.Index.allCases.map(\.rawValue)),
      "published methods: what has the index 1 (default: best)"
    ),
    Option(
      "--mode",
      .choice(RatingMethod.Mode.allCases.map(\.rawValue)),
      "how indices become one (default: mean; the others with published methods)"
    ),
    Option(
      "--reference",
      .value("MODEL|optimal"),
      "published methods: the model that is centered (default: optimal)"
    ),
    Option(
      "--weights",
      .value("FILE"),
      "JSON: weights by property, in the place of the usual ones"
    ),
    Option("--boundaries", .value("FILE"), "JSON: four limits by property, best first"),
    Option("--save-boundaries", .value("FILE"), "write the limits that were taken"),
    Option(
      "--save-scale",
      .value("FILE"),
      "write the scale that was taken, weights and limits included"
    ),
    Option(
      "--freeze",
      .value("FILE"),
      "make these models the reference set of a new scale, and write it"
    ),
  ],
  examples: [
    ("assay rate", "what is in the store, each variant against its original"),
    (
      "assay rate --gate 'accuracy>=99%original' --model digits",
      "no grade for variants that lose too much"
    ),
    ("assay rate --task image-classification --json -", "against known networks, for a script"),
    ("assay rate results.csv --freeze my-scale.json", "a scale of one's own from a table"),
    (
      "assay rate results.csv --properties properties.json --method edge-acc",
      "the letters of the published method"
    ),
  ]
) { arguments, console in
  let method = arguments.value("--method") ?? "assay"
  if let kind = RatingMethod.Kind(rawValue: method) {
    return try ratePublished(kind, arguments, console)
  }
  return try rateByScale(arguments, console)
}

/// The weights of `--weights`.
func ratingWeights(_ arguments: Arguments) throws -> [String: Double] {
  guard let path = arguments.value("--weights") else { return [:] }
  var weights: [String: Double] = [:]
  for (key, value) in try readJSON(path).pairs ?? [] {
    guard let weight = value.double, weight >= 0 else {
      throw Diagnostic("RAT001", "the weight of '\(key)' is no number from zero on", at: [path])
    }
    weights[key] = weight
  }
  return weights
}
