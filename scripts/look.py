"""Looks at a report in headless Chromium, driven through a pipe (its --remote-debugging-pipe); `scripts/look` runs this."""

import base64
import json
import os
import pathlib
import re
import subprocess
import sys
import tempfile

WIDTHS = (1280, 390)
# The height of a screenshot.
SLICE = 3000
# CSS pixels; what is printed smaller is not read on a phone.
SMALLEST_TEXT = 10.5
# What a reader meets, in this order.
PARTS = (
    "In ten lines", "The claims", "Claim by claim", "Related work", "Measure it again",
    "The machine|The runs and their machines",
)
# Names of code have no place in what is read; commands may have them, and settings of the kernel have no other.
IDENTIFIERS = re.compile(
    r"(?<!vm\.)\b(?:fault-move|check-(?:move|segment|fixed|cost)|guard-pages|prot-none|uffdio-move|grows-down|posix-thread"
    r"|go1\.\d[\d.]*|[a-z]+_[a-z_]+|[a-z]+[A-Z]\w*)\b"
)
# An interval in a sentence; tables have columns for them.
BRACKETS = re.compile(r"\[[-−\d.,]+[^\]]*\]")

# What is asked of the page: how wide it is, how large its plots' text is, and its text but for code.
SCROLLING = """(() => {
  const root = document.documentElement;
  const wide = [...document.querySelectorAll("main *")].filter(
    element => !element.closest(".wide, pre") && element.getBoundingClientRect().right > root.clientWidth + 1);
  return {page: root.scrollWidth, window: root.clientWidth,
          wide: wide.slice(0, 5).map(element => element.outerHTML.slice(0, 120))};
})()"""
PLOTS = """(() => [...document.querySelectorAll("figure img")].map(image => {
  const svg = atob(image.currentSrc.split(",")[1]);
  const width = parseFloat(svg.match(/viewBox="0 0 ([0-9.]+)/)[1]);
  const sizes = [...svg.matchAll(/font(?:-size)?: (?:[a-z]+ )?([0-9.]+)px/g)].map(match => parseFloat(match[1]));
  return {title: image.alt, shown: image.getBoundingClientRect().width, loaded: image.naturalWidth > 0,
          smallest: Math.min(...sizes) * image.getBoundingClientRect().width / width};
}))()"""
TEXT = """(() => {
  const hidden = [...document.querySelectorAll("nav, pre, #guide + .wide")];
  for (const element of hidden) element.style.display = "none";
  const text = document.body.innerText;
  for (const element of hidden) element.style.display = "";
  return text;
})()"""
SENTENCES = """[...document.querySelectorAll("main p, main li, main h1, main h2, main h3, figcaption")].filter(
  element => element.checkVisibility() && !element.closest("pre")).map(element => element.innerText)"""


class Browser:
    """A headless Chromium with one page."""

    def __init__(self, folder):
        commands, self.output = os.pipe()
        self.input, answers = os.pipe()

        def pipes():
            # Chromium reads its commands from 3 and writes its answers to 4; neither end may be closed by the other's copy.
            kept = [os.dup(commands), os.dup(answers)]
            os.dup2(kept[0], 3)
            os.dup2(kept[1], 4)

        self.process = subprocess.Popen(
            ["chromium", "--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--hide-scrollbars",
             "--no-first-run", "--disable-extensions", f"--user-data-dir={folder}", "--remote-debugging-pipe", "about:blank"],
            preexec_fn=pipes, close_fds=False, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        )
        os.close(commands)
        os.close(answers)
        self.last, self.buffer, self.session, self.events = 0, b"", None, []
        target = self.call("Target.createTarget", url="about:blank")["targetId"]
        self.session = self.call("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        self.call("Page.enable")

    def call(self, method, **parameters):
        self.last += 1
        message = {"id": self.last, "method": method, "params": parameters}
        if self.session:
            message["sessionId"] = self.session
        os.write(self.output, json.dumps(message).encode() + b"\0")
        while True:
            answer = self._read()
            if answer.get("id") == self.last:
                if "error" in answer:
                    sys.exit(f"scripts/look: {method}: {answer['error']['message']}")
                return answer["result"]
            self.events.append(answer.get("method"))

    def wait(self, event):
        while event not in self.events:
            self.events.append(self._read().get("method"))
        self.events.clear()

    def evaluate(self, expression):
        result = self.call("Runtime.evaluate", expression=expression, returnByValue=True)
        if "exceptionDetails" in result:
            sys.exit(f"scripts/look: {result['exceptionDetails']['exception']['description']}")
        return result["result"]["value"]

    def _read(self):
        while b"\0" not in self.buffer:
            data = os.read(self.input, 1 << 16)
            if not data:
                sys.exit("scripts/look: chromium ended; run 'chromium --headless=new --no-sandbox about:blank' to see why")
            self.buffer += data
        message, _, self.buffer = self.buffer.partition(b"\0")
        return json.loads(message)

    def close(self):
        os.close(self.output)
        self.process.terminate()
        self.process.wait(timeout=20)


def look(browser, page, folder):
    """The problems of the page, and its text at the widest window."""
    problems, text = [], ""
    for width in WIDTHS:
        for scheme in ("light", "dark"):
            browser.call(
                "Emulation.setDeviceMetricsOverride", width=width, height=900, deviceScaleFactor=1, mobile=width < 600
            )
            browser.call("Emulation.setEmulatedMedia", features=[{"name": "prefers-color-scheme", "value": scheme}])
            browser.events.clear()
            browser.call("Page.navigate", url=page.resolve().as_uri())
            browser.wait("Page.loadEventFired")
            problems += measured(browser, width) if scheme == "light" else []
            if scheme == "light" and width == WIDTHS[0]:
                text = browser.evaluate(TEXT)
                problems += read(text, browser.evaluate(SENTENCES))
            for number, clip in enumerate(slices(browser, width), start=1):
                image = browser.call("Page.captureScreenshot", captureBeyondViewport=True, clip=clip)
                (folder / f"report-{width}-{scheme}-{number}.png").write_bytes(base64.b64decode(image["data"]))
    printed = base64.b64decode(browser.call("Page.printToPDF", printBackground=True)["data"])
    (folder / "report.pdf").write_bytes(printed)
    pages = len(re.findall(rb"/Type\s*/Page\b", printed))
    if not printed.startswith(b"%PDF") or pages < 2:
        problems.append(f"printed it has {pages} pages")
    (folder / "report.txt").write_text(text, encoding="utf-8")
    return problems


def slices(browser, width):
    """The whole page, in parts that Chromium draws at once and that can be looked at."""
    end = browser.evaluate("document.documentElement.scrollHeight")
    for top in range(0, end, SLICE):
        yield {"x": 0, "y": top, "width": width, "height": min(SLICE, end - top), "scale": 1}


def measured(browser, width):
    scrolling = browser.evaluate(SCROLLING)
    if scrolling["page"] > scrolling["window"]:
        yield f"at {width} pixels the page is {scrolling['page']} wide and scrolls sideways"
    for element in scrolling["wide"]:
        yield f"at {width} pixels this is wider than the window: {element}"
    for plot in browser.evaluate(PLOTS):
        if not plot["loaded"]:
            yield f"the plot '{plot['title']}' is not shown"
        elif plot["smallest"] < SMALLEST_TEXT:
            yield f"at {width} pixels the text of '{plot['title']}' is {plot['smallest']:.1f} pixels high"


def read(text, sentences):
    """What a reader would stumble over."""
    found = [re.search(rf"\n(?:{part})\n", text) for part in PARTS]
    places = [match.start() if match else -1 for match in found]
    for part, place in zip(PARTS, places):
        if place < 0:
            yield f"the part '{part}' is missing"
    if places != sorted(places):
        yield f"the parts are in another order than {', '.join(PARTS)}"
    if not sentences or not sentences[0].endswith("?"):
        yield "the page does not begin with a question"
    for cut in re.findall(r".{0,40}…", text):
        yield f"a text is cut: {cut}"
    for name in sorted(set(IDENTIFIERS.findall(text))):
        yield f"'{name}' is a name of code: {re.search('.{0,40}' + re.escape(name) + '.{0,20}', text).group()}"
    for sentence in sentences:
        for interval in BRACKETS.findall(sentence):
            yield f"an interval stands in a sentence: {interval} in {sentence[:60]}"
        if re.search(r"(?<![\d.,–−-])1(?![\d.,:%]|\s*[%×a-zA-Zµ-])", sentence.removeprefix("1.")) and "Go 1" not in sentence:
            yield f"a 1 stands alone: {sentence[:80]}"


def main(page, folder):
    folder.mkdir(parents=True, exist_ok=True)
    for former in folder.glob("report-*.png"):
        former.unlink()
    # Processes of the browser may write to it for a moment longer than the browser lives.
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as profile:
        browser = Browser(profile)
        try:
            problems = look(browser, page, folder)
        finally:
            browser.close()
    for problem in problems:
        print(f"scripts/look: {page}: {problem}", file=sys.stderr)
    print(f"the screenshots are in {folder.resolve()}")
    sys.exit(1 if problems else 0)


if __name__ == "__main__":
    main(pathlib.Path(sys.argv[1]), pathlib.Path(sys.argv[2]))
