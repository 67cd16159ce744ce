import AssayBase
import AssayData
import AssayHost

let dataFireScenesCommand = CommandSpec(
  name: "data fire-scenes",
  summary: "make synthetic pictures with and without fire, to try training on",
  discussion: """
    Paints seeded pictures into two folders, fire and nonfire: scenes in all lights, half of them with
    flames, and in both classes things in the colors of fire (sunsets, lamps, orange things, autumn
    leaves). The pictures are synthetic. They exist so that an example runs and learns something real;
    what is trained on them is no detector of real fires: for that, give a folder of photographs.
    """,
  options: [
    Option("--output", short: "-o", .value("DIR"), "the folder that gets the two folders"),
    Option("--images", .value("N"), "pictures in all (default: 2000)"),
    Option("--fire-part", .value("PART"), "the part that burns, such as 33% (default: 50%)"),
    Option("--size", .value("PIXELS"), "extents of the square pictures (default: 128)"),
    Option("--seed", .value("N"), "the same seed gives the same pictures (default: 1)"),
  ],
  examples: [("assay data fire-scenes -o scenes --images 2000 --seed 1", "a set to train on")]
) { arguments, console in
  guard let folder = arguments.value("--output") else {
    throw Diagnostic("CLI005", "--output is missing: the folder for the pictures")
  }
  let count = try arguments.integer("--images", minimum: 2) ?? 2000
  let size = try arguments.integer("--size", minimum: 16) ?? 128
  let seed = try arguments.integer("--seed", minimum: 0) ?? 1
  guard let part = TryPlan.fraction(arguments.value("--fire-part") ?? "50%"), part > 0, part < 1
  else { throw Diagnostic("CLI006", "--fire-part must be between 0 % and 100 %, such as 33%") }
  guard size <= 2048, count <= 1_000_000 else {
    throw Diagnostic("CLI006", "--size is at most 2048, --images at most 1,000,000")
  }
  let burning = min(max(Int((Double(count) * part).rounded()), 1), count - 1)
  let scenes = FireScene(seed: UInt64(seed), side: size)
  let start = Host.monotonicNanoseconds()
  let classes = [("fire", true, burning), ("nonfire", false, count - burning)]
  var done = 0
  for (name, isBurning, wanted) in classes {
    let place = Host.join(folder, name)
    if let old = try? Host.list(place), !old.isEmpty, !old.allSatisfy({ $0.hasPrefix(name + "_") })
    {
      throw Diagnostic(
        "DAT046",
        "the folder holds other files, which would become part of the set",
        at: [place],
        remedy: "give an empty folder to --output"
      )
    }
    try Host.remove(place)
    try Host.makeFolders(place)
    let step = 64
    for first in stride(from: 0, to: wanted, by: step) {
      let indices = Array(first..<min(first + step, wanted))
      let faults = FailureList()
      Host.forEach(below: indices.count, threads: Host.processorCount) { offset in
        do {
          let digits = "\(100_000 + indices[offset])".dropFirst()
          let path = Host.join(place, "\(name)_\(digits).png")
          let image = scenes.image(indices[offset], isBurning: isBurning)
          try AtomicFile.write(try image.png(), to: path, isSynced: false)
        } catch {
          faults.add(error)
        }
      }
      if let fault = faults.first { throw fault }
      done += indices.count
      let elapsed = Double(Host.monotonicNanoseconds() - start)
      let left = elapsed / Double(done) * Double(count - done)
      console.progress("\(done)/\(count) pictures, \(Text.duration(left)) left")
    }
  }
  console.endProgress()
  let about = """
    Synthetic pictures, made by: assay data fire-scenes --images \(count) --size \(size) \
    --seed \(seed) --fire-part \(Words.percent(part))
    They show no real fires. A network that is trained on them must not be used to detect fires.

    """
  try AtomicFile.write(about, to: Host.join(folder, "ABOUT.txt"))
  let words = """
    \(Text.count(burning)) pictures with and \(Text.count(count - burning)) without fire in \(folder), \
    \(size) x \(size), seed \(seed)
    They are synthetic: good to try training on, not to learn about real fires.
    next: assay train fire-detection --data \(folder) -o fire

    """
  try console.result(
    .object([
      "schema": "assay.fire-scenes/1", "folder": .string(folder), "isSynthetic": true,
      "fire": JSON(burning), "nonfire": JSON(count - burning), "size": JSON(size),
      "seed": JSON(seed),
    ]),
    text: words
  )
  return .done
}
