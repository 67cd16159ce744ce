import AssayBase
import AssayBench
import AssayCatalog
import AssayDevice
import AssayHost
import AssayPhone
import AssayRecord
import AssayStore
import VendorPhone

let phoneTableCommand = CommandSpec(
  name: "phone table",
  summary: "the variants of a model on a phone's processor, GPU and NNAPI: size, time and memory",
  discussion: """
    Measures every variant on every path by benchmark_model and shows one table. A network in any format
    that is read gives five variants: as it is, with integer weights (dynamic_int8), float16, clustered and
    pruned with integer weights; a folder or several .tflite files are taken as they are. A path that did
    not run what it was asked for is shown as INVALID with its reason, never with its time.
    """,
  operands: [Operand(word: "MODEL", help: "a network, a .tflite file, or a folder of them")],
  options: [
    Shared.device, Shared.threads, Shared.preset, Shared.store,
    Option("--providers", .value("A,B"), "paths to measure (default: cpu,gpu,nnapi)"),
    Option("--recipes", .value("A,B"), "variants to make of a network"),
    Option("--output", short: "-o", .value("FOLDER"), "keep the variants there"),
  ] + Shared.phone,
  examples: [
    ("assay phone table fire.h5 --device adb:R58M123ABC -t 4", "five variants on three paths"),
    (
      "assay phone table variants/ --device adb:R58M123ABC --providers cpu,gpu", "files as they are"
    ),
  ]
) { arguments, console in
  guard arguments.has("--device") else {
    throw Diagnostic(
      "CLI005",
      "--device is missing: the phone",
      remedy: "--device adb:SERIAL; assay devices lists what is reachable"
    )
  }
  let words = arguments.words("--providers") ?? ["cpu", "gpu", "nnapi"]
  let providers = try words.map { word in
    guard let provider = BenchmarkModelRequest.Provider(rawValue: word) else {
      throw Diagnostic("CLI006", "'\(word)' is no path of a phone")
    }
    return provider
  }
  guard let route = try PhoneRoute(arguments, always: true) else {
    throw Diagnostic("CLI009", "only phones have such a table", remedy: "--device adb:SERIAL")
  }
  let scratch = try Scratch()
  defer { scratch.remove() }
  let folder = arguments.value("--output") ?? scratch.path
  let variants = try phoneVariants(arguments, folder: folder, console)
  let table = try route.onPhone(console) { _, bench -> [PhoneTableRow] in
    try variants.map { variant in
      PhoneTableRow(
        variant: variant.name,
        model: try Record.Model(file: variant.path),
        records: try providers.map { provider in
          let job = try route.job(variant.path, variant: variant.name, provider: provider)
          return try route.measure(job, bench, profiles: false)
        }
      )
    }
  }
  try openStore(storeURL(arguments)).append(table.flatMap(\.records))
  try console.result(
    .object([
      "schema": "assay.phonetable/1", "device": .string(route.device.address.text),
      "providers": .array(providers.map { .string($0.rawValue) }),
      "rows": .array(table.map(\.json)),
    ]),
    text: tableText(table, providers)
  )
  return table.flatMap(\.records).allSatisfy { $0.verdict == .valid } ? .done : .finding
}

/// One variant on every path.
private struct PhoneTableRow {
  var variant: String
  var model: Record.Model
  var records: [Record]

  var json: JSON {
    .object([
      "variant": .string(variant), "bytes": JSON(model.byteCount),
      "sha256": .string(model.sha256),
      "cells": .array(
        records.map { record in
          .object([
            "provider": .string(record.provider), "record": .string(record.id),
            "verdict": .string(record.verdict.rawValue),
            // What ran elsewhere than asked for has no place in the table; its record keeps it.
            "meanNs": record.verdict == .valid ? record.summary.mean.json : .null,
            "memoryBytes": record.verdict == .valid ? record.peakMemoryBytes.json : .null,
            "reasons": .array(record.reasons.map(\.json)),
          ])
        }
      ),
    ])
  }
}

/// The five of a well-known comparison on a phone.
private let fiveRecipes = [
  "float32", "dynamic_int8", "float16", "cluster8+dynamic_int8", "prune50+dynamic_int8",
]

/// The files to measure, made where a network was given.
private func phoneVariants(
  _ arguments: Arguments,
  folder: String,
  _ console: Console
) throws -> [(name: String, path: String)] {
  let model = arguments.operands[0]
  if Host.kind(of: model) == .folder, let names = try? Host.list(model),
    names.contains(where: { $0.hasSuffix(".tflite") })
  {
    return names.filter { $0.hasSuffix(".tflite") }.map {
      (Shared.stem($0), Host.join(model, $0))
    }
  }
  if model.hasSuffix(".tflite"), !arguments.has("--recipes") {
    return [(Shared.stem(model), model)]
  }
  guard let executable = Host.executablePath else {
    throw Diagnostic("HST032", "this system does not tell where assay itself lies")
  }
  try Host.makeFolders(folder)
  let recipes = arguments.words("--recipes") ?? fiveRecipes
  return try recipes.map { recipe in
    console.progress("making \(recipe)")
    let path = Host.join(folder, "\(recipe).tflite")
    let isTrained = recipe.hasPrefix("prune") || recipe.hasPrefix("cluster")
    let errors = Host.join(folder, ".\(recipe).words")
    defer { try? Host.remove(errors) }
    let words = [
      isTrained ? "optimize" : "convert", model, "--recipe", recipe, "-o", path, "--quiet",
    ]
    // A process of its own: its result is a file, and its table is not ours.
    let process = try ChildProcess(
      "/bin/sh",
      ["-c", #"e=$1; shift; exec "$@" >/dev/null 2>"$e""#, "sh", errors, executable] + words
    )
    guard process.wait() == .exited(0), Host.exists(path) else {
      throw Diagnostic(
        "CLI010",
        "the variant \(recipe) cannot be made",
        at: [model],
        remedy: "make it by itself: assay \(Words.shell(words))",
        cause: Host.smallText(errors)
      )
    }
    return (recipe, path)
  }
}

private func tableText(
  _ rows: [PhoneTableRow],
  _ providers: [BenchmarkModelRequest.Provider]
) -> String {
  let header =
    ["variant", "size"] + providers.flatMap { ["\($0.rawValue)", "memory"] }
  let lines = rows.map { row in
    [row.variant, Text.bytes(row.model.byteCount)]
      + row.records.flatMap { record -> [String] in
        guard record.verdict == .valid, let mean = record.summary.mean.value else {
          return ["INVALID", "-"]
        }
        return [Text.time(mean), record.peakMemoryBytes.value.map { Text.bytes($0) } ?? "-"]
      }
  }
  var text = Text.table(header, lines, numeric: Set(1..<header.count))
  var told: Set<String> = []
  for record in rows.flatMap(\.records) where record.verdict == .invalid {
    for reason in record.reasons where reason.severity == .error {
      let line = "\(record.variant) on \(record.provider): \(reason.summary)\n"
      if told.insert(line).inserted { text += (told.count == 1 ? "\n" : "") + line }
    }
  }
  for reason in rows.flatMap(\.records).flatMap(\.reasons) where reason.severity != .error {
    if told.insert(reason.code).inserted {
      text += "\(reason.severity.rawValue): \(reason.summary)\n"
    }
  }
  return text
}
