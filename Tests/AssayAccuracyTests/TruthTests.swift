import AssayBase
import AssayTestSupport
import Testing

@testable import AssayAccuracy

@Suite struct TruthTests {
  private func coco(_ annotations: String, images: String? = nil) throws -> COCOTruth {
    let images = images ?? #"[{"id":1,"file_name":"a.png","width":20,"height":10}]"#
    return try COCOTruth(
      json: JSON(
        parsing: """
          {"images":\(images),"annotations":\(annotations),
           "categories":[{"id":1,"name":"cat"},{"id":5,"name":"dog"}]}
          """
      )
    )
  }

  @Test func everyBrokenEntryIsNamed() throws {
    let error = #expect(throws: Diagnostics.self) {
      try coco(
        """
        [{"id":1,"image_id":1,"category_id":1,"bbox":[1,2,3,4]},
         {"id":1,"image_id":1,"category_id":1,"bbox":[1,2,3,4]},
         {"id":2,"image_id":9,"category_id":1,"bbox":[1,2,3,4]},
         {"id":3,"image_id":1,"category_id":2,"bbox":[1,2,3,4]},
         {"id":4,"image_id":1,"category_id":1,"bbox":[1,2,-3,4]},
         {"id":5,"image_id":1,"category_id":1,"segmentation":[[1,2,3]],"bbox":[1,2,3,4]},
         {"id":6,"image_id":1,"category_id":1,"segmentation":{"size":[10,20],"counts":[3,4]}},
         {"id":7,"image_id":1,"category_id":1,"segmentation":[[1,1,5,1,5,5]],"bbox":[2,2]},
         {"id":8,"image_id":1,"category_id":1,"segmentation":[[1,1,1e300,1,5,5]]}]
        """
      )
    }
    #expect(error?.all.count == 8)
    #expect(error?.all.allSatisfy { $0.code == "ACC012" } == true)
  }

  @Test(arguments: ["/etc/passwd", "../a.png", "a/../../b.png"])
  func picturesLieInTheirFolder(file: String) throws {
    let images = "[{\"id\":1,\"file_name\":\"\(file)\",\"width\":20,\"height\":10}]"
    let error = #expect(throws: Diagnostics.self) { try coco("[]", images: images) }
    #expect(error?.all.first?.summary.contains("leads out of the pictures' folder") == true)
  }

  @Test func oddEntriesAreWarned() throws {
    let truth = try coco(#"[{"id":1,"image_id":1,"category_id":5,"bbox":[15,2,30,4]}]"#)
    #expect(truth.findings.map(\.severity) == [.warning, .warning])
    #expect(truth.findings[0].summary.contains("outside"))
    #expect(truth.findings[1].summary.contains("'cat' has no object"))
    #expect(truth.pictures[0].objects[0].category == 1)
  }

  @Test func resultsMustNameKnownPictures() throws {
    let truth = try coco(#"[{"id":1,"image_id":1,"category_id":5,"bbox":[1,2,3,4]}]"#)
    let good = #"[{"image_id":1,"category_id":5,"bbox":[1,2,3,4],"score":0.5}]"#
    #expect(try truth.images(results: JSON(parsing: good)).images[0].found.count == 1)
    #expect(throws: Diagnostic.self) { try truth.images(results: .emptyObject) }
    let bad = #"[{"image_id":2,"category_id":5,"bbox":[1,2,3,4],"score":0.5}]"#
    #expect(throws: Diagnostics.self) { try truth.images(results: JSON(parsing: bad)) }
  }

  @Test func vocAnnotationsAreRead() throws {
    let text = """
      <annotation><filename>a.jpg</filename><size><width>50</width><height>40</height></size>
      <object><name> dog </name><difficult>1</difficult>
      <bndbox><xmin>1</xmin><ymin>2</ymin><xmax>10</xmax><ymax>20</ymax></bndbox></object></annotation>
      """
    let annotation = try VOCAnnotation(ByteView(Array(text.utf8)))
    #expect(annotation.width == 50 && annotation.height == 40 && annotation.file == "a.jpg")
    #expect(annotation.objects[0].name == "dog" && annotation.objects[0].isDifficult)
    #expect(annotation.objects[0].box == Box(x: 0, y: 1, width: 10, height: 19))
    for broken in ["<x/>", "<annotation><object/></annotation>"] {
      #expect(throws: Diagnostic.self) { try VOCAnnotation(ByteView(Array(broken.utf8))) }
    }
  }
}
