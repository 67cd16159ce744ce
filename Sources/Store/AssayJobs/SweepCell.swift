import AssayBase

/// One combination of a plan's axes.
public struct SweepCell: Sendable, Equatable {
  /// The model's name.
  public var model: String
  /// The recipe.
  public var recipe: String
  /// The runtime's id.
  public var runtime: String
  /// The hardware path.
  public var provider: String
  /// Threads of the runtime.
  public var threads: Int
  /// The batch size.
  public var batch: Int
  /// The device.
  public var device: String
  /// The scenario.
  public var scenario: JSON
  /// The power meters that look on, as `assay bench --meter` takes them; `none` for none.
  public var meter: String

  /// Makes a combination.
  public init(
    model: String,
    recipe: String,
    runtime: String,
    provider: String = "cpu",
    threads: Int = 1,
    batch: Int = 1,
    device: String = "local",
    scenario: JSON = "single-stream",
    meter: String = "none"
  ) {
    self.model = model
    self.recipe = recipe
    self.runtime = runtime
    self.provider = provider
    self.threads = threads
    self.batch = batch
    self.device = device
    self.scenario = scenario
    self.meter = meter
  }

  /// The value of an axis by its name in filters.
  func value(of axis: String) -> JSON {
    switch axis {
    case "model": .string(model)
    case "recipe": .string(recipe)
    case "runtime": .string(runtime)
    case "provider": .string(provider)
    case "threads": JSON(threads)
    case "batch": JSON(batch)
    case "device": .string(device)
    case "scenario": .string(scenarioName)
    case "meter": .string(meter)
    default: .null
    }
  }

  /// The scenario's name without its options.
  public var scenarioName: String { scenario.string ?? scenario["name"]?.string ?? "?" }

  /// The combination in a few words.
  public var title: String {
    var text = "\(model) \(recipe) on \(runtime)"
    if provider != "cpu" { text += " \(provider)" }
    text += ", \(threads) thread\(threads == 1 ? "" : "s")"
    if batch != 1 { text += ", batch \(batch)" }
    if device != "local" { text += ", \(device)" }
    if scenarioName != "single-stream" { text += ", \(scenarioName)" }
    if meter != "none" { text += ", \(meter)" }
    return text
  }
}

extension SweepPlan {
  /// Every combination that the filters let through, in the order of the plan's lists.
  public var cells: [SweepCell] {
    var cells: [SweepCell] = []
    for model in models {
      for recipe in recipes {
        for runtime in runtimes {
          for provider in providers {
            for threads in threads {
              for batch in batch {
                for device in devices {
                  for scenario in scenarios {
                    for meter in meters {
                      cells.append(
                        SweepCell(
                          model: model.name,
                          recipe: recipe,
                          runtime: runtime,
                          provider: provider,
                          threads: threads,
                          batch: batch,
                          device: device.name,
                          scenario: scenario,
                          meter: meter
                        )
                      )
                    }
                  }
                }
              }
            }
          }
        }
      }
    }
    return cells.filter(isWanted)
  }

  /// How many combinations there are before the filters.
  public var combinationCount: Int {
    [
      models.count, recipes.count, runtimes.count, providers.count, threads.count, batch.count,
      devices.count, scenarios.count, meters.count,
    ].reduce(1) { product, count in
      let (value, isTooGreat) = product.multipliedReportingOverflow(by: count)
      return isTooGreat ? .max : value
    }
  }

  private func isWanted(_ cell: SweepCell) -> Bool {
    (include.isEmpty || include.contains { $0.matches(cell) })
      && !exclude.contains { $0.matches(cell) }
  }
}
