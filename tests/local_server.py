"""A server on this machine that offers one file, for tests of downloads."""

import contextlib
import http.server
import threading
import time


@contextlib.contextmanager
def serving(body, monkeypatch, entry, parts=1, pause=0.0):
    """Serve `body` at the address of a registry's entry, in some parts with pauses after each; yield the requests."""
    came, size = [], -(-len(body) // parts)

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            came.append(self.path)
            self.send_response(200)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            with contextlib.suppress(OSError):  # nobody waits any more
                for start in range(0, len(body), size):
                    self.wfile.write(body[start : start + size])
                    time.sleep(pause)

        def log_message(self, *args):
            pass

    server = http.server.HTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    path = entry["address"].split("/", 3)[3]
    monkeypatch.setitem(entry, "address", f"http://127.0.0.1:{server.server_port}/{path}")
    try:
        yield came
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
