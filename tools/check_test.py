#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Each rule of tools/check refuses what it should and nothing else. Run by ./dev check."""
import importlib.machinery
import importlib.util
import pathlib
import sys
import tempfile
import unittest

HERE = pathlib.Path(__file__).resolve().parent


def load(name):
    loader = importlib.machinery.SourceFileLoader(name, str(HERE / name))
    module = importlib.util.module_from_spec(importlib.util.spec_from_loader(name, loader))
    sys.dont_write_bytecode = True
    loader.exec_module(module)
    return module


check, tally = load("check"), load("tally")
TAG = "// SPDX-License-Identifier: Apache-2.0\n"
ROOMS = "base:\ndata: base\npipeline: data\nprobe: data\ncomponents: pipeline\napp: components\n"


class Tree(unittest.TestCase):
    def errors(self, files, rooms=ROOMS):
        with tempfile.TemporaryDirectory() as folder:
            root = pathlib.Path(folder)
            for name, text in {"src/rooms.txt": rooms, **files}.items():
                path = root / name
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_text(text)
            return check.check_tree(root)[0].errors

    def assert_clean(self, files):
        self.assertEqual(self.errors(files), [])

    def assert_refused(self, files, word):
        errors = self.errors(files)
        self.assertEqual(len(errors), 1, errors)
        self.assertIn(word, errors[0])

    def test_rooms_may_include_what_their_rooms_include(self):
        self.assert_clean({"src/pipeline/a.h": TAG + '#include "base/x.h"\n#include "data/y.h"\n#include "pipeline/z.h"\n'})
        self.assert_clean({"src/app/main.cc": TAG + '#include "probe/x.h"\n'})

    def test_rooms_may_not_include_upwards_or_sideways(self):
        self.assert_refused({"src/base/a.cc": TAG + '#include "data/y.h"\n'}, "base may not include data")
        self.assert_refused({"src/probe/a.cc": TAG + '#include "pipeline/y.h"\n'}, "src/probe/a.cc:2")

    def test_includes_in_comments_do_not_count(self):
        self.assert_clean({"src/base/a.cc": TAG + '/*\n#include "data/y.h"\n*/\n// std::stoi\n'})

    def test_unknown_rooms_and_cycles_are_refused(self):
        self.assert_refused({"src/attic/a.cc": TAG}, "room attic")
        self.assertIn("rank order", self.errors({}, "a: b\nb: a\n")[0])

    def test_components_do_not_include_each_other(self):
        folder = {f"src/components/exporter/x/{f}": TAG for f in ("README.md", "x_test.cc")}
        self.assert_clean({**folder, "src/components/exporter/x/x.cc": TAG + '#include "components/exporter/x/y.h"\n'})
        self.assert_refused({**folder, "src/components/exporter/x/x.cc": TAG + '#include "components/exporter/z/z.h"\n'},
                            "includes the component exporter/z")

    def test_components_need_readme_and_test(self):
        self.assert_refused({"src/components/exporter/x/x_test.cc": TAG}, "README.md")
        self.assert_refused({"src/components/exporter/x/README.md": "x"}, "_test.cc")
        self.assert_clean({"src/components/exporter/x/README.md": "x", "tests/scenario/x/a.scn": "a"})

    def test_decoders_need_a_fuzz_target(self):
        self.assert_refused({"src/probe/protocol/http1/parse.cc": TAG}, "_fuzz.cc")
        self.assert_clean({"src/probe/protocol/http1/parse.cc": TAG, "src/probe/protocol/http1/parse_fuzz.cc": TAG})

    def test_banned_calls(self):
        for code in ("auto n = std::stoi(s);", "#include <iostream>", "std::regex r;", "strncpy(a, b, 3);", "std::thread t;"):
            with self.subTest(code):
                self.assert_refused({"src/probe/a.cc": TAG + code + "\n"}, "banned")
        self.assert_refused({"src/base/a_test.cc": TAG + "std::this_thread::sleep_for(1s);\n"}, "own their time")
        self.assert_clean({"src/base/a.cc": TAG + "std::thread t; auto n = std::thread::hardware_concurrency();\n"})
        self.assert_clean({"src/probe/a.cc": TAG + "auto n = std::thread::hardware_concurrency();\n"})

    def test_heavy_headers_stay_in_sources(self):
        self.assert_refused({"src/base/a.h": TAG + "#include <boost/asio.hpp>\n"}, "slow to compile")
        self.assert_clean({"src/base/a.cc": TAG + "#include <boost/asio.hpp>\n"})

    def test_internal_headers_may_be_heavy_and_stay_inside(self):
        heavy = {"src/base/internal/a.h": TAG + "#include <boost/asio.hpp>\n"}
        self.assert_clean({**heavy, "src/base/a.cc": TAG + '#include "base/internal/a.h"\n'})
        self.assert_refused({**heavy, "src/base/b.h": TAG + '#include "base/internal/a.h"\n'}, "internal to its folder")
        self.assert_refused({**heavy, "src/data/b.cc": TAG + '#include "base/internal/a.h"\n'}, "internal to its folder")

    def test_size_licence_and_machine_paths(self):
        self.assert_refused({"src/base/a.cc": TAG + "\n" * 900}, "split it")
        self.assert_clean({"src/base/a.cc": TAG + "\n" * 500})
        self.assert_refused({"src/base/a.cc": "int x;\n"}, "licence")
        self.assert_refused({"docs/a.md": "see /work/main/x\n"}, "one machine")
        self.assert_clean({"docs/a.md": "GET /api/work/items and https://x/root/y and ${HOME}/root/z\n"})

    def test_what_a_trial_leaves_behind_is_refused(self):
        self.assert_refused({"trial.yaml": "receivers:\n"}, "none of the tree's files")
        self.assert_refused({"tests/e2e/run.log": "ready\n"}, "none of the tree's files")
        self.assert_clean({"README.md": "# Sonde\n", "docs/a.yaml": "b: 1\n"})

    def test_stale_generators_are_refused(self):
        self.assert_refused({"tools/gen_x.py": "# SPDX-License-Identifier: Apache-2.0\nimport sys\nsys.exit(1)\n"}, "stale")


class Tally(unittest.TestCase):
    def run_tally(self, files):
        with tempfile.TemporaryDirectory() as folder:
            root = pathlib.Path(folder)
            for name, text in files.items():
                (root / name).parent.mkdir(parents=True, exist_ok=True)
                (root / name).write_text(text)
            return {name: tally.suite(root, root / f"{name}.rc")[1] for name in
                    (f.removesuffix(".rc") for f in files if f.endswith(".rc"))}

    def test_reads_unittest_and_node(self):
        log = "Ran 7 tests in 0.1s\n\nFAILED (failures=1, skipped=2)\n# pass 5\n# fail 0\n# skipped 1\n"
        self.assertEqual(self.run_tally({"a.rc": "0", "a.log": log}), {"a": (9, 1, 3)})

    def test_failure_without_a_count_is_one_failure(self):
        self.assertEqual(self.run_tally({"a.rc": "2", "a.log": "ninja: error\n"}), {"a": (0, 1, 0)})

    def test_crashed_binary_is_one_failure_beside_counted_cases(self):
        ctest = ('<testsuite><testcase name="x_test" status="run"/><testcase name="y_test" status="fail"><failure/>'
                 "</testcase></testsuite>")
        cases = ('<testsuites><testsuite><testcase name="A" status="run"/><testcase name="B" status="run"/>'
                 '<testcase name="C" status="run"><skipped/></testcase></testsuite></testsuites>')
        self.assertEqual(self.run_tally({"unit.rc": "1", "dev.ctest.xml": ctest, "dev/x_test.xml": cases}),
                         {"unit": (2, 1, 1)})

    def test_reads_pytest(self):
        report = '<testsuites><testsuite><testcase name="a"/><testcase name="b"><error/></testcase></testsuite></testsuites>'
        self.assertEqual(self.run_tally({"e2e.rc": "1", "e2e.pytest.xml": report}), {"e2e": (1, 1, 0)})


if __name__ == "__main__":
    unittest.main()
