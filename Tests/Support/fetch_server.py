"""Serves one file in all the ways that servers have of going wrong; prints its port.

    python fetch_server.py FILE

/good        the file, with ranges
/norange     the file, whatever part is asked for
/short       half of what it announces, then the connection ends; a part that is asked for comes whole
/never       a few bytes more each time, and never all
/moved       a redirect to /good
/away        a redirect to https on another host
/slow        the file, a little at a time
/missing     404
/changed     as many other bytes
/requests    what was asked for so far, a line each
"""

import http.server
import sys
import time

CONTENT = open(sys.argv[1], "rb").read()
REQUESTS = []


class Handler(http.server.BaseHTTPRequestHandler):
    def log_message(self, *_):
        pass

    def do_GET(self):
        asked = self.headers.get("Range")
        REQUESTS.append(f"{self.path} {asked or ''}".strip())
        kind = self.path.split("?")[0].strip("/")
        if kind == "requests":
            return self.answer("\n".join(REQUESTS).encode(), None)
        if kind == "missing":
            return self.send_error(404)
        if kind in ("moved", "away"):
            self.send_response(302)
            place = "/good" if kind == "moved" else "https://example.invalid/good"
            self.send_header("Location", place)
            self.end_headers()
            return
        content = CONTENT if kind != "changed" else bytes(len(CONTENT))
        start = 0
        if asked and kind not in ("norange",):
            start = int(asked.removeprefix("bytes=").split("-")[0])
            if start >= len(content):
                self.send_response(416)
                self.send_header("Content-Range", f"bytes */{len(content)}")
                self.end_headers()
                return
        limit = None
        if kind == "short" and start == 0:
            limit = len(content) // 2
        if kind == "never":
            limit = 0 if start > 20 else 10
        self.answer(content, start if asked and kind != "norange" else None, limit, kind == "slow")

    def answer(self, content, start, limit=None, is_slow=False):
        part = content[start or 0 :]
        self.send_response(206 if start is not None else 200)
        self.send_header("Content-Length", str(len(part)))
        if start is not None:
            last = len(content) - 1
            self.send_header("Content-Range", f"bytes {start}-{last}/{len(content)}")
        self.end_headers()
        if limit is not None:
            part = part[:limit]
        step = len(part) // 20 + 1 if is_slow else max(len(part), 1)
        for place in range(0, len(part), step):
            self.wfile.write(part[place : place + step])
            self.wfile.flush()
            if is_slow:
                time.sleep(0.02)
        if limit is not None:
            self.wfile.flush()
            self.connection.shutdown(2)


server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
print(server.server_address[1], flush=True)
server.serve_forever()
