"""The anomaly detector: published scores, detections of every variant on every runtime, and time to quality."""

import json

import numpy as np
from support import WORK, Settings, assay, data_folder, peer, report, run, seconds

MODEL = "models/tcn_autoencoder/tcnae40_flex_float.tflite"


def detect(model, series, *more):
    target = WORK / "detect.json"
    took = assay("detect", model, "--series", series, "--quiet", "--json", target, *more).seconds
    return json.loads(target.read_text()), took


def found(result):
    return f"{result['detected']}/{result['events']}, {result['falsePositives']} FP"


def golden(folder):
    """The published weights give the published scores."""
    published = json.loads((folder / "mgab/golden_tcnae_mgab.json").read_text())["series"]
    for index in (2, 4):
        result, took = detect(folder / MODEL, folder / f"mgab/mgab_series_{index}.csv")
        expected = published[str(index)]
        loss = abs(result["logCosh"] - expected["recon_logcosh_first_99960"])
        score = max(abs(result["scores"][int(at)] - value) for at, value in expected["score_at"].items())
        score = max(score, abs(result["threshold"] - expected["threshold_zero_fp"]))
        peaks = [anomaly["peak"] for anomaly in result["anomalies"]]
        peak = float(np.abs(np.subtract(peaks, expected["peak_per_anomaly"])).max())
        ok = loss < 1e-6 and score < 1e-3 and peak < 1e-2 and result["detected"] == expected["detected_of_10"]
        report(f"anomaly: published scores, series {index}", f"{score:.1e}", "published", f"{peak:.1e}", "<= 1e-3", ok)
        report(f"anomaly: reading and scoring 100,000 points, {index}", seconds(took), "10 s", f"{10 / took:.0f}x", "", None)


def variants(model, folder, label, judged):
    """Detections of each variant on each runtime, beside float32 on the reference; a verdict for those `judged`."""
    for index in (2, 4):
        series = folder / f"mgab/mgab_series_{index}.csv"
        base, _ = detect(model("float32"), series)
        for recipe in ("float32", "float16", "dynamic_int8", "static_int8"):
            for runtime in ("litert", "onnxruntime", "openvino"):
                suffix = ".tflite" if runtime == "litert" else ".onnx"
                result, _ = detect(model(recipe, suffix), series, "--runtime", runtime)
                lost = base["detected"] - result["detected"]
                allowed = 1 if recipe == "static_int8" else 0
                ok = lost <= allowed and result["falsePositives"] == 0
                verdict = ok if recipe in judged else None
                report(f"{label} {index}: {recipe} on {runtime}", found(result), found(base), f"{-lost:+d}", f">= {-allowed}", verdict)


def published_variants(folder):
    windows = WORK / "anomaly_windows.npy"
    series = np.loadtxt(folder / "mgab/mgab_series_2.csv", delimiter=",", skiprows=1)[:, 1]
    series = (series - series.mean()) / series.std()
    np.save(windows, np.stack([series[at : at + 1050] for at in range(0, 98_000, 1_960)])[:, :, None].astype("float32"))

    def model(recipe, suffix=".tflite"):
        target = WORK / f"tcnae.{recipe}{suffix}"
        if not target.exists():
            data = ["--representative", windows] if "static" in recipe else []
            assay("convert", folder / MODEL, "-o", target, "--recipe", recipe, "--shape", "input_1=1x1050x1", "--no-verify", *data)
        return target

    # Calibration alone: these weights leave their weakest events no room for the noise of 8 bits.
    variants(model, folder, "anomaly: published weights,", ("float32", "float16"))


def time_to_quality(folder):
    """Both train from scratch on series 2; Keras for as many steps as the issue's figure has."""
    series = folder / "mgab/mgab_series_2.csv"
    target = WORK / "detector"
    steps = ["--steps", "100"] if Settings.quick else []
    took = assay("train", "tcn-autoencoder", "--series", series, "-o", target, "--restart", "--quiet", *steps).seconds
    results = [detect(target, folder / f"mgab/mgab_series_{index}.csv")[0] for index in (2, 4)]
    events = sum(result["detected"] for result in results)
    alarms = sum(result["falsePositives"] for result in results)
    keras = peer("keras_tcn.py", series, 20 if Settings.quick else 200)
    whole = keras["seconds_per_step"] * 8000
    ok = None if Settings.quick else events == 20 and alarms == 0
    report("anomaly: from scratch to 20 of 20 events", seconds(took), "195 s", f"{195 / took:.2f}x", ">= 1x", ok and took <= 195)
    report("  against 8,000 steps of Keras", seconds(took), seconds(whole), f"{whole / took:.1f}x", ">= 4x", ok and whole / took >= 4)
    report("anomaly: events found after it, series 2 and 4", f"{events}/20, {alarms} FP", "", "", "20/20, 0 FP", None if Settings.quick else events == 20 and alarms == 0)
    report("anomaly: log-cosh after it, series 2", f"{results[0]['logCosh']:.2e}", "2.78e-4", f"{2.78e-4 / results[0]['logCosh']:.2f}x", "", None)

    def model(recipe, suffix=".tflite"):
        return target / f"model{'' if recipe == 'float32' else '_' + recipe}{suffix}"

    variants(model, folder, "anomaly: trained here,", ("float32", "float16", "static_int8"))


def anomaly():
    folder = data_folder()
    if folder is None:
        report("anomaly", "no test data", "", "", "", None)
        return
    golden(folder)
    published_variants(folder)
    time_to_quality(folder)
