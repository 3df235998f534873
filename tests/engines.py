"""Three browser engines, each driven by what it understands itself; a page is opened as a file with the network cut.

Chromium by Playwright, as in the other tests; Firefox by WebDriver BiDi, which it speaks without a driver of its own;
WebKit by the classic WebDriver of WebKitGTK. All three can do three things: open an address, run a function on the
page, and press keys.
"""

import contextlib
import json
import os
import shutil
import signal
import socket
import subprocess
import tempfile
import time
import urllib.error
import urllib.request
from pathlib import Path

import site_checks
import websocket

# a proxy where nobody listens: whatever is asked of another machine fails at once
CUT = {"proxyType": "manual", "httpProxy": "127.0.0.1:9", "sslProxy": "127.0.0.1:9"}
# the names that WebDriver has for keys
KEYS = {
    "Home": "\ue011", "ArrowLeft": "\ue012", "ArrowUp": "\ue013", "ArrowRight": "\ue014", "ArrowDown": "\ue015",
    "Enter": "\ue007",
}  # fmt: skip
# Text goes through JSON, so that all engines take and return the same.
CALL = "async text => JSON.stringify(await ({function})(...JSON.parse(text)) ?? null)"


class EngineError(Exception):
    """A command that a browser could not carry out."""


# what is raised where a browser, its driver or its session is no longer there
GONE = (EngineError, OSError, websocket.WebSocketException)


# a driver may go on as soon as a page is read, before its scripts have prepared it
LOADED = """() => new Promise(done => {
  if (document.readyState === 'complete') done();
  else addEventListener('load', () => setTimeout(done));
})"""


class Engine:
    """A browser that opens addresses, runs functions on a page and presses keys."""

    def open(self, address):
        self.go("about:blank")  # a page that differs in its fragment only would not be loaded again
        self.go(address)
        self.run(LOADED)


class Chromium(Engine):
    """A window of the Chromium that the other tests use."""

    def __init__(self, browser):
        self.page = browser.new_page(offline=True)

    def go(self, address):
        self.page.goto(address)

    def run(self, function, *arguments):
        return json.loads(self.page.evaluate(CALL.replace("{function}", function), json.dumps(arguments)))

    def press(self, *keys):
        for key in keys:
            self.page.keyboard.press(key)

    def close(self):
        self.page.close()


class Driven(Engine):
    """What Firefox and WebKit share: programs that are started, told what to do, and ended."""

    def __init__(self):
        self.begin()

    def begin(self):
        with contextlib.ExitStack() as stack:
            self.home = stack.enter_context(tempfile.TemporaryDirectory(ignore_cleanup_errors=True))
            self.stack = stack
            self.start()
            self.stack = stack.pop_all()

    def launch(self, *command, stdout=subprocess.DEVNULL, **environment):
        """Start a program in a group of its own, which is ended with all that it has started."""
        settings = {**os.environ, "HOME": self.home, **environment}
        self.program = subprocess.Popen(
            command, env=settings, start_new_session=True, stdout=stdout, stderr=subprocess.DEVNULL
        )
        self.stack.callback(end, self.program)
        return self.program

    def open(self, address):
        """Open an address; what has crashed since the last test, which has said so, is started anew."""
        try:
            self.run("() => null")
        except GONE:
            with contextlib.suppress(*GONE):
                self.close()
            self.begin()
        super().open(address)

    def press(self, *keys):
        presses = [{"type": kind, "value": KEYS.get(key, key)} for key in keys for kind in ("keyDown", "keyUp")]
        self.act([{"type": "key", "id": "keyboard", "actions": presses}])

    def close(self):
        self.stack.close()


class Firefox(Driven):
    """Firefox without a window, by WebDriver BiDi."""

    def start(self):
        self.launch(find_firefox(), "--headless", "--profile", self.home, "--remote-debugging-port", "0")
        place = Path(self.home, "WebDriverBiDiServer.json")
        server = until(lambda: json.loads(place.read_text()), FileNotFoundError, ValueError)
        address = f"ws://{server['ws_host']}:{server['ws_port']}/session"
        self.socket = websocket.create_connection(address, timeout=60, suppress_origin=True)
        self.stack.callback(self.socket.close)
        self.sent = 0
        self.send("session.new", capabilities={"alwaysMatch": {"proxy": CUT}})
        # in the first tab the address line has the focus, and the space bar would choose nothing on a page
        self.tab = self.send("browsingContext.create", type="tab")["context"]

    def send(self, method, **parameters):
        self.sent += 1
        self.socket.send(json.dumps({"id": self.sent, "method": method, "params": parameters}))
        while (answer := json.loads(self.socket.recv())).get("id") != self.sent:
            pass
        if answer["type"] == "error":
            raise EngineError(f"{method}: {answer['message']}")
        return answer["result"]

    def go(self, address):
        self.send("browsingContext.navigate", context=self.tab, url=address, wait="complete")

    def run(self, function, *arguments):
        answer = self.send(
            "script.callFunction",
            functionDeclaration=CALL.replace("{function}", function),
            arguments=[{"type": "string", "value": json.dumps(arguments)}],
            awaitPromise=True,
            target={"context": self.tab},
        )
        if answer["type"] == "exception":
            raise EngineError(answer["exceptionDetails"]["text"])
        return json.loads(answer["result"]["value"])

    def act(self, actions):
        self.send("input.performActions", context=self.tab, actions=actions)


class WebKit(Driven):
    """WebKitGTK's small browser on a screen that nobody sees, by WebDriver."""

    def start(self):
        screen = self.launch("Xvfb", "-displayfd", "1", "-screen", "0", "1280x1000x24", stdout=subprocess.PIPE)
        with screen.stdout:
            display = f":{int(screen.stdout.readline())}"
        with socket.create_server(("127.0.0.1", 0)) as free:
            port = free.getsockname()[1]
        self.launch("WebKitWebDriver", f"--port={port}", DISPLAY=display, GDK_BACKEND="x11", NO_AT_BRIDGE="1")
        self.opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        self.base = f"http://127.0.0.1:{port}/session"
        asked = {"alwaysMatch": {"proxy": CUT}}
        session = until(lambda: self.send("", capabilities=asked), urllib.error.URLError)
        self.base += f"/{session['sessionId']}"
        self.stack.callback(self.send, "", "DELETE")

    def send(self, path, method="POST", **parameters):
        body = json.dumps(parameters).encode() if method == "POST" else None
        request = urllib.request.Request(self.base + path, data=body, method=method)
        try:
            with self.opener.open(request, timeout=60) as answer:
                return json.load(answer)["value"]
        except urllib.error.HTTPError as error:
            with error:
                raise EngineError(f"{path}: {json.load(error)['value']['message']}") from None

    def go(self, address):
        self.send("/url", url=address)

    def run(self, function, *arguments):
        call = f"({CALL.replace('{function}', function)})(arguments[0])"
        script = f"{call}.then(text => arguments[1]({{text}}), error => arguments[1]({{error: `${{error}}`}}))"
        answer = self.send("/execute/async", script=script, args=[json.dumps(arguments)])
        if "error" in answer:
            raise EngineError(answer["error"])
        return json.loads(answer["text"])

    def act(self, actions):
        self.send("/actions", actions=actions)


def until(attempt, *errors):
    """Return what `attempt` returns once it raises none of these errors."""
    for _ in range(600):
        try:
            return attempt()
        except errors:
            time.sleep(0.1)
    return attempt()


def end(process):
    """End a program and all that it has started."""
    for kind in (signal.SIGTERM, signal.SIGKILL):
        with contextlib.suppress(ProcessLookupError, subprocess.TimeoutExpired):
            os.killpg(process.pid, kind)
            process.wait(5)


def find_firefox():
    """Return the path of a Firefox on this machine, or None."""
    return site_checks.find("FIREFOX", ["firefox-esr", "firefox"], ["/Applications/Firefox.app/Contents/MacOS/firefox"])


def lacking(name):
    """Say what has to be installed before this engine can be used, or return None."""
    advice = {
        "firefox": "no Firefox found. Install one (Debian: apt install firefox-esr) or name it in FIREFOX=/path",
        "webkit": "no WebKitWebDriver with Xvfb found. Install them (Debian: apt install webkit2gtk-driver xvfb)",
    }
    there = {"firefox": find_firefox(), "webkit": shutil.which("WebKitWebDriver") and shutil.which("Xvfb")}
    return None if there[name] else advice[name]
