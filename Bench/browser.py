"""A page of a headless Chromium, for measures and pictures."""

import base64
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time


def chromium():
    """The installed program; None without one."""
    return shutil.which("chromium") or shutil.which("chromium-browser")


class Page:
    """A page of a headless Chromium, by the DevTools protocol on two pipes."""

    def __init__(self, width, height, is_phone=False, is_dark=False):
        program = chromium()
        if not program:
            sys.exit("error: chromium is not installed\n  remedy: scripts/setup --tests")
        self.profile = tempfile.TemporaryDirectory(ignore_cleanup_errors=True)
        ours, theirs = os.pipe(), os.pipe()

        def arrange():
            os.dup2(ours[0], 3)
            os.dup2(theirs[1], 4)

        # Moved out of the way of 3 and 4, which Chromium reads and writes.
        ours = tuple(os.dup2(one, 50 + place) for place, one in enumerate(ours))
        theirs = tuple(os.dup2(one, 60 + place) for place, one in enumerate(theirs))
        self.process = subprocess.Popen(
            [program, "--headless=new", "--no-sandbox", "--disable-gpu", "--no-first-run", "--hide-scrollbars",
             # A sandboxed frame of another process is left out of pictures.
             "--disable-features=IsolateSandboxedIframes",
             "--remote-debugging-pipe", f"--user-data-dir={self.profile.name}", "about:blank"],
            preexec_fn=arrange, close_fds=False, env={**os.environ, "HOME": self.profile.name},
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        os.close(ours[0])
        os.close(theirs[1])
        self.out, self.into, self.waiting, self.number, self.session = ours[1], theirs[0], b"", 0, None
        target = self.call("Target.createTarget", url="about:blank")["targetId"]
        self.session = self.call("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        self.call("Page.enable")
        self.call("Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=1, mobile=is_phone)
        if is_dark:
            self.call("Emulation.setEmulatedMedia", features=[{"name": "prefers-color-scheme", "value": "dark"}])

    def call(self, method, **parameters):
        self.number += 1
        message = {"id": self.number, "method": method, "params": parameters}
        if self.session:
            message["sessionId"] = self.session
        os.write(self.out, json.dumps(message).encode() + b"\0")
        while True:
            while b"\0" not in self.waiting:
                self.waiting += os.read(self.into, 1 << 16)
            text, self.waiting = self.waiting.split(b"\0", 1)
            answer = json.loads(text)
            if answer.get("id") == self.number:
                if "error" in answer:
                    sys.exit(f"error: {method}: {answer['error']}")
                return answer["result"]

    def value(self, expression):
        answer = self.call("Runtime.evaluate", expression=expression, awaitPromise=True, returnByValue=True, userGesture=True)
        return answer["result"].get("value") if "exceptionDetails" not in answer else None

    def wait(self, expression, seconds=180):
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            if found := self.value(expression):
                return found
            time.sleep(0.1)
        sys.exit(f"error: never: {expression}")

    def take(self, path):
        """A picture of what is to be seen."""
        # Drawings come after the figures.
        time.sleep(1.5)
        path.write_bytes(base64.b64decode(self.call("Page.captureScreenshot", format="png")["data"]))
        print(f"{path}: {path.stat().st_size // 1000} kB")

    def close(self):
        self.process.kill()
        self.process.wait()
        self.profile.cleanup()
