# SPDX-License-Identifier: Apache-2.0
"""Reads the page of a running Sonde as a person does: in Chromium, off the text of its tables."""
import os
import re

from sonde import eventually

TABLE = """caption => {
  const table = [...document.querySelectorAll('table')].find(t => t.caption && t.caption.textContent === caption);
  if (!table) return [];
  const titles = [...table.querySelectorAll('thead th')].map(th => th.innerText.replace(/ [↑↓]$/, ''));
  return [...table.querySelectorAll('tbody tr')].map(tr => {
    const row = {};
    [...tr.cells].forEach((td, i) => { row[titles[i]] = td.innerText; });
    row.names = [...tr.querySelectorAll('td a')].map(a => a.innerText);
    return row;
  });
}"""
ANSWER = re.compile(r"(no answer|[1-5]\d\d|[1-5]xx) × ([\d,]+)|([A-Z]+)")


def launch(playwright):
    return playwright.chromium.launch(executable_path=os.environ.get("CHROMIUM", "/usr/bin/chromium"),
                                      args=["--no-sandbox", "--disable-gpu", "--disable-background-networking"])


def number(text):
    return None if text == "–" else int(text.replace(",", ""))


def answers(text, method=None):
    """{(method, code): count} of a cell such as "GET 200 × 150 404 × 30"."""
    found = {}
    for code, count, name in ANSWER.findall(text):
        if name:
            method = name
        else:
            found[method, code] = number(count)
    return found


class Page:
    """One tab, signed in by the address that the program printed."""

    def __init__(self, browser, sonde):
        self.base = f"http://127.0.0.1:{sonde.ports['page_port']}"
        self.tab = browser.new_page(viewport={"width": 1440, "height": 900})
        self.wrong = []
        self.tab.on("console", lambda message: message.type == "error" and self.wrong.append(message.text))
        self.tab.on("pageerror", lambda error: self.wrong.append(str(error)))
        self.tab.goto(f"{self.base}/?token={sonde.token()}")

    def open(self, path):
        self.tab.goto(self.base + path)
        self.tab.wait_for_selector("h1")

    def table(self, caption):
        return self.tab.evaluate(TABLE, caption)

    def eventually(self, read, expected, seconds=30):
        """What read() shows once it is as expected, or what it showed last. The page asks anew by itself."""
        eventually(lambda: read() == expected, seconds)
        return read()

    def services(self):
        return {row["names"][0]: number(row["Requests"]) for row in self.table("Services") if row["names"]}

    def endpoints(self):
        """{(method, route, code): count} of a service's page."""
        found = {}
        for row in self.table("Endpoints"):
            method, _, route = row["Endpoint"].partition(" ")
            for (_, code), count in answers(row["Answers"], method).items():
                found[method, route, code] = count
        return found

    def peers(self, caption):
        """{(peer, method, code): count} of "Who calls it" or "Whom it calls"."""
        return {(row["names"][0] if row["names"] else row["Callee"], method, code): count
                for row in self.table(caption) if "Answers" in row
                for (method, code), count in answers(row["Answers"]).items()}

    def calls(self):
        """{(caller, callee): count} of the map's table."""
        return {tuple(row["names"][:2]): number(row["Calls"]) for row in self.table("Calls")}
