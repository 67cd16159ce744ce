import AssayBase
import Testing

@testable import AssayReport

@Suite struct TrainingPageTests {
  private var history: TrainingHistory {
    var history = TrainingHistory()
    for epoch in 1...5 {
      let loss = 1 / Double(epoch)
      history.rows.append(
        TrainingHistory.Row(
          epoch: epoch,
          step: epoch * 10,
          phase: epoch > 3 ? "prune50" : "",
          seconds: 1.25,
          values: [
            "loss": loss, "val_loss": loss * 1.1, "accuracy": 1 - loss / 2, "learning_rate": 0.001,
          ]
        )
      )
    }
    return history
  }

  @Test func aHistoryComesBackFromJSONAndIsATable() throws {
    let history = history
    #expect(TrainingHistory(json: try JSON(parsing: history.json.text())) == history)
    let lines = history.csv.split(separator: "\n")
    #expect(lines[0] == "epoch,step,phase,seconds,loss,accuracy,val_loss,learning_rate")
    #expect(lines[2] == "2,20,,1.250,0.5,0.75,0.55,0.001")
    #expect(lines.count == 6)
  }

  @Test func thePageHasACurveForEachFigureAndEscapesNames() {
    let report = TrainingReport(
      name: "net <1>",
      headline: "93 % right",
      history: history,
      tables: [
        .init(title: "Variants", header: ["variant", "size"], rows: [["a&b", "1"]], numeric: [1])
      ],
      version: "0",
      madeAt: 0
    )
    let page = renderTraining(report)
    #expect(page.contains("net &lt;1&gt;") && !page.contains("net <1>"))
    #expect(page.contains("a&amp;b"))
    // Two charts, loss with both lines; neither validation nor what stays as it is has one of its own.
    #expect(page.split(separator: "<figcaption>").count == 3)
    #expect(page.split(separator: "class=\"curve ").count == 4)
    #expect(page.contains("prune50 begins to be fine-tuned"))
    #expect(!page.contains("http:") && !page.contains("https:"))
  }
}
