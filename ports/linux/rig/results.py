# SPDX-License-Identifier: GPL-2.0-only
"""What passed and what failed, and a table of it."""
import sys
import threading


class Results:
    """Counts tests, and remembers the cells of the table at the end."""

    def __init__(self):
        self.passed = self.failed = self.skipped = 0
        self.rows = {}
        # In this order; any others come after them.
        self.columns = ["build", "boot", "kunit", "stress", "pins", "runs",
                        "stats", "disk", "log"]
        self.lock = threading.Lock()

    def test(self, row, column, good, text):
        """One test: a cell of the table with a text in it."""
        with self.lock:
            self.passed += bool(good)
            self.failed += not good
            self._cell(row, column, text if good else f"FAILED: {text}")
        if not good:
            say(f"FAILED: {row}: {column}: {text}")
        return good

    def tests(self, row, column, passed, failed, skipped, text):
        """Many tests, counted by somebody else."""
        with self.lock:
            self.passed += passed
            self.failed += failed
            self.skipped += skipped
            self._cell(row, column, f"FAILED: {text}" if failed else text)

    def note(self, row, column, text):
        """A cell that is not a test."""
        with self.lock:
            self._cell(row, column, text)

    def skip(self, row, column, why):
        with self.lock:
            self.skipped += 1
            self._cell(row, column, "skipped")
        say(f"skipped: {row}: {column}: {why}")

    def _cell(self, row, column, text):
        if column not in self.columns:
            self.columns.append(column)
        self.rows.setdefault(row, {})[column] = text

    def print_table(self):
        """One line for each cell, since rows have different ones."""
        width = max((len(row) for row in self.rows), default=0)
        print()
        for row, cells in self.rows.items():
            start = row
            for column in self.columns:
                if column in cells:
                    print(f"{start:{width}}  {column:13} {cells[column]}")
                    start = ""

    def print_totals(self):
        print(f"\n{self.passed} passed, {self.failed} failed, "
              f"{self.skipped} skipped")


def say(text):
    """Prints a line that stays."""
    if sys.stdout.isatty():
        print("\r\033[K", end="")
    print(text, flush=True)


def progress(text):
    """Prints a line that the next one replaces, on a terminal only."""
    if sys.stdout.isatty():
        print(f"\r\033[K{text[:78]}", end="", flush=True)
