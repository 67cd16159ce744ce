import AssayBase

extension COCOTruth {
  /// Joins a results file (a list of `image_id`, `category_id`, `score` and `bbox` or `segmentation`)
  /// to the pictures.
  ///
  /// A find with a mask and no box gets the mask's box; its area is then the mask's, as COCO's
  /// evaluation takes it.
  ///
  /// - Returns: the pictures in order, and what each result is compared by.
  /// - Throws: `Diagnostic` ACC014 (no results file), `Diagnostics` ACC012 with what is broken.
  public func images(results json: JSON) throws -> (images: [DetectedImage], hasMasks: Bool) {
    guard let entries = json.array else {
      throw Diagnostic(
        "ACC014",
        "this is no COCO results file: it must be a list",
        remedy: "give a list of {image_id, category_id, bbox or segmentation, score}"
      )
    }
    let pictureIndex = Dictionary(uniqueKeysWithValues: pictures.enumerated().map { ($1.id, $0) })
    let categoryIndex = Dictionary(
      uniqueKeysWithValues: categories.enumerated().map { ($1.id, $0) }
    )
    var result = pictures.map { DetectedImage(truths: $0.objects) }
    var faults = Faults()
    var hasMasks = false
    for (place, entry) in entries.enumerated() {
      guard let image = entry["image_id"]?.int.flatMap({ pictureIndex[$0] }) else {
        faults.errors("result #\(place): its image_id is none of the images")
        continue
      }
      // Classes that are not judged do not count, as COCO's evaluation has it.
      guard let id = entry["category_id"]?.int, let score = entry["score"]?.double, score.isFinite
      else {
        faults.errors("result #\(place): it has no category_id or no score")
        continue
      }
      guard let category = categoryIndex[id] else { continue }
      do {
        let mask = try entry["segmentation"].flatMap {
          try COCOTruth.mask($0, width: pictures[image].width, height: pictures[image].height)
        }
        guard let box = entry["bbox"].flatMap({ COCOTruth.box($0) }) ?? mask?.boundingBox else {
          faults.errors("result #\(place): it has neither a bbox nor a segmentation")
          continue
        }
        if mask != nil { hasMasks = true }
        result[image].found.append(
          FoundObject(category: category, score: score, box: box, mask: mask)
        )
      } catch let error as Diagnostic {
        faults.errors("result #\(place): \(error.summary)")
      }
    }
    try faults.throwIfErrors()
    return (result, hasMasks)
  }

  /// One picture's finds as entries of a results file.
  public func results(_ found: [FoundObject], picture: Int) -> [JSON] {
    found.compactMap { find in
      guard categories.indices.contains(find.category) else { return nil }
      var entry = JSON.object([
        "image_id": JSON(pictures[picture].id), "category_id": JSON(categories[find.category].id),
        "bbox": .array([
          JSON(find.box.x), JSON(find.box.y), JSON(find.box.width), JSON(find.box.height),
        ]),
        "score": JSON(find.score),
      ])
      if let mask = find.mask {
        entry["segmentation"] = .object([
          "size": [JSON(mask.height), JSON(mask.width)], "counts": .string(mask.text),
        ])
      }
      return entry
    }
  }
}
