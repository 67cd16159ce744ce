"""Serves the requests of one measurement with OpenVINO 2021.4, the last release that drives the Neural
Compute Stick 2. Requests and answers are those of Assay's own worker: a JSON line each, requests on
standard input, answers on descriptor 3. What the plugins print goes to standard output.

Beside the worker's requests there is `query`: which layers of a network a device's plugin takes, which
needs no device."""
import json
import os
import resource
import sys
import time

# The folder of the packages, and the device of requests that name none.
if len(sys.argv) > 1:
    sys.path.insert(0, sys.argv[1])
DEVICE = sys.argv[2] if len(sys.argv) > 2 else "MYRIAD"
CLOCK = getattr(time, "CLOCK_MONOTONIC_RAW", time.CLOCK_MONOTONIC)
WINDOW = 50


class Finding(Exception):
    def __init__(self, code, summary, remedy=None, cause=None):
        super().__init__(summary)
        self.json = {"code": code, "severity": "error", "summary": summary, "location": []}
        if remedy:
            self.json["remedy"] = remedy
        if cause:
            self.json["cause"] = cause


def now():
    return time.clock_gettime_ns(CLOCK)


class Served:
    def __init__(self):
        self.core = None
        self.executable = None
        self.request = None
        self.loaded = None

    def engine(self):
        if self.core is None:
            try:
                from openvino.inference_engine import IECore, get_version
            except ImportError as error:
                raise Finding("VND030", "OpenVINO 2021.4 cannot be loaded", "scripts/setup --ncs2", str(error))
            self.core = IECore()
            self.version = get_version().split("-")[0]
        return self.core

    def network(self, path):
        try:
            return self.engine().read_network(model=path, weights=os.path.splitext(path)[0] + ".bin")
        except Exception as error:
            raise Finding("RTM005", "OpenVINO 2021.4 refused this model", None, str(error).strip())

    def hello(self, ask):
        usage = resource.getrusage(resource.RUSAGE_SELF)
        return {"peak": usage.ru_maxrss * 1024, "pid": os.getpid()}

    memory = hello

    def devices(self, ask):
        engine = self.engine()
        plugins = {}
        for device in ask.get("plugins", ["CPU", "MYRIAD"]):
            try:
                found = engine.get_versions(device)[device]
                plugins[device] = "%s %d.%d" % (found.description, found.major, found.minor)
            except Exception as error:
                plugins[device] = {"missing": str(error).strip()}
        return {"version": self.version, "devices": list(engine.available_devices), "plugins": plugins}

    def query(self, ask):
        import ngraph

        network = self.network(ask["path"])
        device = ask.get("device", DEVICE)
        function = ngraph.function_from_cnn(network)
        layers = [(op.get_friendly_name(), op.get_type_name()) for op in function.get_ordered_ops()]
        try:
            taken = self.engine().query_network(network, device)
        except Exception as error:
            raise Finding("VND031", "the %s plugin cannot tell which layers it takes" % device, None, str(error).strip())
        return {
            "version": self.version,
            "layers": [{"name": name, "kind": kind, "taken": name in taken} for name, kind in layers],
        }

    def load(self, ask):
        engine = self.engine()
        device = ask.get("device", DEVICE)
        start = now()
        network = self.network(ask["path"])
        read = now() - start
        config = {"PERF_COUNT": "YES"} if ask.get("profiling") else {}
        if device == "CPU":
            config.update({"CPU_THREADS_NUM": str(max(int(ask.get("threads", 1)), 1)), "ENFORCE_BF16": "NO"})
        start = now()
        try:
            self.executable = engine.load_network(network, device, config, num_requests=1)
        except Exception as error:
            words = str(error).strip()
            if "NC_ERROR" in words or "Can not init Myriad" in words or "not registered" in words:
                raise Finding(
                    "VND032",
                    "the %s plugin found no device" % device,
                    "plug the stick in; its udev rule (docs/vendor-tools.md) gives you the right to use it",
                    words,
                )
            raise Finding("RTM005", "OpenVINO 2021.4 refused this model", None, words)
        compiled = now() - start
        self.request = self.executable.requests[0]
        self.loaded = ask
        return {
            "version": self.version,
            "read": read,
            "compile": compiled,
            "placement": {"provider": device, "placed": None, "total": None, "notes": []},
            "inputs": [self.port(name, blob) for name, blob in self.request.input_blobs.items()],
            "outputs": [self.port(name, blob) for name, blob in self.request.output_blobs.items()],
        }

    def port(self, name, blob):
        return {"name": name, "dtype": str(blob.buffer.dtype), "shape": list(blob.buffer.shape)}

    def session(self):
        if self.request is None:
            raise Finding("BEN002", "nothing is loaded")
        return self.request

    def feed(self, ask):
        import numpy

        given = numpy.load(ask["inputs"], allow_pickle=False) if ask.get("inputs") else None
        for name, blob in self.session().input_blobs.items():
            if given is None:
                blob.buffer[...] = 0
            else:
                key = name if name in given else (given.files[0] if len(given.files) == 1 else None)
                if key is None:
                    raise Finding("EVL001", "input '%s' is missing" % name)
                blob.buffer[...] = given[key].reshape(blob.buffer.shape)
        return {}

    def first(self, ask):
        return {"ns": self.timed(1)[0]}

    def timed(self, count):
        infer, clock = self.session().infer, time.clock_gettime_ns
        samples = [0] * count
        try:
            for index in range(count):
                start = clock(CLOCK)
                infer()
                samples[index] = clock(CLOCK) - start
        except Exception as error:
            raise Finding("BEN113", "an inference failed", None, str(error).strip())
        return samples

    def until(self, ask, settles=False):
        samples, start = [], now()
        low, high = int(ask.get("minCount", 1)), int(ask.get("maxCount", 1 << 17))
        least, most = int(ask.get("minNs", 0)), int(ask.get("maxNs", 1000000000))
        while True:
            samples += self.timed(1)
            elapsed = now() - start
            if len(samples) >= high or elapsed >= most:
                break
            if len(samples) < low or elapsed < least:
                continue
            if not settles or self.settled(samples):
                break
        return samples

    def settled(self, samples):
        """Whether the medians of the last two windows are within 2 %."""
        if len(samples) < 2 * WINDOW or len(samples) % WINDOW:
            return False
        a = sorted(samples[-2 * WINDOW : -WINDOW])[WINDOW // 2]
        b = sorted(samples[-WINDOW:])[WINDOW // 2]
        return abs(a - b) <= 0.02 * a

    def warmup(self, ask):
        return {"samples": self.until(ask, settles=True)}

    def block(self, ask):
        if ask.get("scenario"):
            raise Finding("BEN002", "this worker times one inference after the other only")
        self.timed(2)
        begin = now()
        samples = self.until(ask)
        return {"samples": samples, "begin": begin, "end": now()}

    def read(self, ask):
        import numpy

        outputs = {name: blob.buffer for name, blob in self.session().output_blobs.items()}
        with open(ask["outputs"], "wb") as file:
            numpy.savez(file, **outputs)
        return {}

    def evaluate(self, ask):
        import numpy

        given = numpy.load(ask["inputs"], allow_pickle=False)
        request, count, collected = self.session(), None, {}
        for name, blob in request.input_blobs.items():
            key = name if name in given else (given.files[0] if len(given.files) == 1 else None)
            if key is None:
                raise Finding("EVL001", "input '%s' is missing" % name)
            count = given[key].size // max(blob.buffer.size, 1)
        for sample in range(count or 0):
            for name, blob in request.input_blobs.items():
                key = name if name in given else given.files[0]
                flat = given[key].reshape(-1)
                blob.buffer[...] = flat[sample * blob.buffer.size :][: blob.buffer.size].reshape(blob.buffer.shape)
            request.infer()
            for name, blob in request.output_blobs.items():
                value = blob.buffer
                collected.setdefault(name, []).append(value[0].copy() if value.shape[:1] == (1,) else value.copy())
        with open(ask["outputs"], "wb") as file:
            numpy.savez(file, **{name: numpy.stack(values) for name, values in collected.items()})
        return {"count": count or 0}

    def profile(self, ask):
        self.load(dict(self.loaded, profiling=True))
        self.feed({})
        self.timed(3)
        wall = sorted(self.timed(5))[2]
        runs, times = max(min(int(ask.get("runs", 20)), 1000), 1), {}
        for _ in range(runs):
            self.session().infer()
            for name, row in self.session().get_perf_counts().items():
                if row["status"] == "EXECUTED":
                    entry = times.setdefault(name, [row["layer_type"], 0])
                    entry[1] += row["real_time"] * 1000
        operators = [{"kind": kind, "node": name, "ns": total / runs} for name, (kind, total) in times.items()]
        placement = {"provider": self.loaded.get("device", DEVICE), "placed": None, "total": None, "notes": []}
        return {"operators": operators, "placement": placement, "profiledNs": wall}


def main():
    answers = os.fdopen(3, "w", buffering=1)
    served = Served()
    verbs = ["hello", "memory", "devices", "query", "load", "feed", "first", "warmup", "block", "read", "evaluate", "profile"]
    for line in sys.stdin:
        try:
            ask = json.loads(line)
            verb = ask.get("do", "")
            if verb == "quit":
                return
            if verb not in verbs:
                raise Finding("BEN002", "this worker cannot do '%s'" % verb)
            answer = getattr(served, verb)(ask)
            answer["ok"] = True
        except Finding as finding:
            answer = {"error": finding.json}
        except Exception as error:
            answer = {"error": {"code": "BEN001", "severity": "error", "summary": "%s: %s" % (type(error).__name__, error), "location": []}}
        answers.write(json.dumps(answer) + "\n")
        answers.flush()


main()
